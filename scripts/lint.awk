# The rules of scripts/lint over sources. The first file is core/README.md: the order in which it names the files of core
# is the order they are read in, and a file of core includes only files above it.
#
# To let core or sim use another standard header, add it here and say in the commit why it brings in no clock, entropy,
# thread, file, environment or undefined order.

BEGIN {
  list(core_std, "algorithm array bit bitset cassert climits compare concepts cstddef cstdint cstdio cstdlib cstring " \
                 "deque functional initializer_list iterator limits list map memory new numeric optional queue set " \
                 "span stdexcept string string_view tuple type_traits utility variant vector")
  list(stdio_in_core, "core/check.cpp")  # a failed check says so on stderr; nothing else in core prints or parses
  list(openssl_in_core, "core/crypto.cpp core/crypto.h core/crypto_primitives.cpp")
  list(sim_std, "cinttypes charconv")
  list(sim_program_std, "iostream fstream sstream filesystem iomanip cerrno csignal CLI/CLI.hpp")
  # What runs seeds from outside, in processes, by the clock on the wall; no seed can see it.
  list(campaign_std, "cerrno chrono csignal poll.h sched.h sys/mman.h sys/resource.h sys/time.h sys/types.h sys/wait.h unistd.h")
}

function list(set, text,   words, n, i) { n = split(text, words, " "); for (i = 1; i <= n; ++i) set[words[i]] = 1 }
function found(rule, what) { printf "%s:%d: %s: %s\n", FILENAME, FNR, rule, what }

FNR == 1 {
  close_file()
  path = FILENAME
  readme = path ~ /README\.md$/
  folder = path; sub(/\/[^\/]*$/, "", folder)
  stem = path; sub(/^.*\//, "", stem); is_header = stem ~ /\.h$/; sub(/\.(h|cpp)$/, "", stem)
  layer = path; sub(/\/.*$/, "", layer)
  if (folder == "os/text") layer = "text"
  if (folder == "sim/campaign") layer = "campaign"
  is_test = layer == "tests"
  in_block = 0; as_is = 0; pragma = 0; macro = ""
  if (!readme) {
    if (layer == "core" && !(stem in order)) found("order", "core/README.md does not name " stem ", so it has no place in the reading order")
    if (is_header && !is_test && $0 !~ /^\/\/ [A-Z][A-Z0-9_ ]*: /) found("header", "line 1 is not `// NOUN: the idea`")
    if (stem ~ /(^|_)(manager|utils?|helpers?|impl)(_|$)/) found("name", "a file is named after a noun")
  }
}

# A line that begins with several names gives a place to each: "- `policy`, `rule_set` which peer may do what".
readme {
  if (!sub(/^- /, "")) next
  while (match($0, /^(, )?`[a-z_0-9]+`/)) {
    name = substr($0, 1, RLENGTH); gsub(/[^a-z_0-9]/, "", name)
    order[name] = ++place
    $0 = substr($0, RLENGTH + 1)
  }
  next
}

{ last = FNR }
/\t/ { found("space", "a tab") }
/[ ]$/ { found("space", "a space at the end of the line") }
/\/\/ clang-format off/ { as_is = 1 }
/\/\/ clang-format on/ { as_is = 0 }
length($0) > 150 && !as_is { found("length", length($0) " columns, at most 150") }
/#pragma once/ { pragma = 1; headers[path] = 1 }

/^ *# *include/ {
  target = $0
  if (!is_header && !(path in first)) { first[path] = target; sources[++source_count] = path }
  if (sub(/^ *# *include *</, "", target)) { sub(/>.*/, "", target); system_include(target) }
  else { sub(/^ *# *include *"/, "", target); sub(/".*/, "", target); own_include(target) }
  next
}

{
  code = $0
  gsub(/\\"/, "", code); gsub(/"[^"]*"/, "\"\"", code)
  if (in_block) { if (code !~ /\*\//) next; sub(/^.*\*\//, "", code); in_block = 0 }
  sub(/\/\/.*/, "", code)
  gsub(/\/\*[^*]*\*\//, "", code)
  if (code ~ /\/\*/) { in_block = 1; sub(/\/\*.*/, "", code) }
  words(" " code " ")
  test_names(code)
}

# A file that begins with its own header proves that the header stands alone.
END {
  for (i = 1; i <= source_count; ++i) {
    own = sources[i]; sub(/\.cpp$/, ".h", own)
    if ((own in headers) && first[sources[i]] != "#include \"" own "\"") printf "%s:1: include: its own header comes first\n", sources[i]
  }
  close_file()
  if (!place) print "core/README.md:1: order: names no file, so core has no reading order"
}

function close_file() {
  if (path == "" || readme) return
  if (last > (is_header ? 250 : 400)) printf "%s:%d: length: %d lines, at most %d\n", path, last, last, is_header ? 250 : 400
  if (is_header && !pragma) printf "%s:1: header: no `#pragma once`\n", path
}

function system_include(name) {
  if (name ~ /^(bits|experimental|ext|tr1)\//) found("include", "<" name "> belongs to the standard library's inside")
  if (layer == "core") {
    if (name ~ /^openssl\//) { if (!(path in openssl_in_core)) found("include", "<" name ">: only crypto includes libcrypto") }
    else if (!(name in core_std)) found("include", "<" name "> is not on core's list of standard headers")
    else if (name == "cstdio" && !(path in stdio_in_core)) found("include", "<cstdio>: core does not print")
  } else if (layer == "sim") {
    if (!(name in core_std) && !(name in sim_std) && !(path == "sim/main.cpp" && name in sim_program_std))
      found("include", "<" name "> is not on sim's list of standard headers")
  } else if (layer == "campaign") {
    if (!(name in core_std) && !(name in sim_std) && !(name in campaign_std))
      found("include", "<" name "> is not on the campaign's list of headers")
  } else if (layer == "text") {
    if (!(name in core_std) && !(name in sim_std) && name !~ /^toml\+\+\// && name != "charconv")
      found("include", "<" name "> is not on the text parsers' list of standard headers")
  }
}

function own_include(name,   from, other) {
  from = name; sub(/\/.*$/, "", from)
  if (name ~ /^os\/text\//) from = "text"
  if (name ~ /^sim\/campaign\//) from = "campaign"
  if (name !~ /\//) { found("include", "\"" name "\": write the path from the root"); return }
  if (layer == "core" && from != "core") found("include", "\"" name "\": core includes core only")
  if (layer == "text" && from != "core" && from != "text") found("include", "\"" name "\": text includes core and text only")
  if (path == "sim/main.cpp" && from == "campaign") return
  if (layer == "campaign" && from != "core" && from != "text" && from != "sim" && from != "campaign")
    found("include", "\"" name "\": campaign includes core, text, sim and campaign only")
  if (layer == "sim" && from != "core" && from != "text" && from != "sim") found("include", "\"" name "\": sim includes core, text and sim only")
  if (layer == "fuzz" && from != "core" && from != "text" && from != "sim" && from != "fuzz") found("include", "\"" name "\": fuzz includes core, text and sim only")
  if (layer == "os" && from != "core" && from != "text" && from != "os") found("include", "\"" name "\": os includes core, text and os only")
  if (folder == "tests/core" && from != "core" && from != "fuzz" && name !~ /^tests\/core\//)
    found("include", "\"" name "\": tests of core include core only, and what fuzz holds it against")
  if (layer == "core" && from == "core") {
    other = name; sub(/^core\//, "", other); sub(/\.h$/, "", other)
    if (other != stem && (stem in order) && !(other in order && order[other] < order[stem]))
      found("order", "\"" name "\" is not above " stem " in core/README.md")
  }
}

function words(text) {
  if (text ~ /[^A-Za-z0-9_](dynamic_cast|typeid)[^A-Za-z0-9_]/) found("word", "no dynamic_cast, no typeid")
  if (text ~ /GTEST_SKIP|DISABLED_/) found("word", "a test that does not run is not a test")
  if (text ~ /[^A-Za-z0-9_](class|struct|concept|union) +([A-Z][A-Za-z0-9]*)?(Manager|Utils?|Helpers?|Impl)[^A-Za-z0-9_]/)
    found("name", "no Manager, Util, Helper, Impl: name what it is")
  if (text ~ /[^A-Za-z0-9_](class|struct|union) +[a-z][a-z0-9_]* *[{:]/) found("name", "types are CamelCase")
  if (layer == "core" || layer == "sim" || layer == "campaign") {
    if (text ~ /[^A-Za-z0-9_](throw|try|catch)[^A-Za-z0-9_]/) found("word", "no exceptions: bad input is a value")
    if (text ~ /unordered_/) found("word", "unordered_: its order of iteration is not defined")
    if (text ~ /[^A-Za-z0-9_](thread_local|rand|setlocale|float|double)[^A-Za-z0-9_]/)
      found("word", "no thread, entropy, locale or floating point here")
    if (layer != "campaign" && text ~ /[^A-Za-z0-9_]getenv[^A-Za-z0-9_]/) found("word", "no environment here")
  }
}

# TEST(Unit, BehaviourInThePresentTense), which may stand on two lines.
function test_names(text,   names, part) {
  if (!is_test) return
  if (macro != "") text = macro " " text
  macro = ""
  if (text !~ /^ *(TYPED_)?TEST(_F|_P)?\(/) return
  if (text !~ /\)/) { macro = text; return }
  names = text; sub(/^[^(]*\(/, "", names); sub(/\).*/, "", names)
  split(names, part, /, */)
  if (part[1] !~ /^[A-Z][A-Za-z0-9]*$/ || part[2] !~ /^[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*[A-Z][A-Za-z0-9]*$/)
    found("test", "TEST(" names "): unit, then behaviour, in CamelCase and more than one word")
}
