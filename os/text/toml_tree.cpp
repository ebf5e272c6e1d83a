#include "os/text/toml_tree.h"

#include <optional>
#include <utility>

// As headers and without exceptions, whatever the package's flags say: its compiled form throws.
#undef TOML_SHARED_LIB
#undef TOML_HEADER_ONLY
#define TOML_SHARED_LIB 0
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

namespace statefs {
namespace {

using Refusal = std::optional<TextError>;

// Judges brackets and dots outside strings. A string that does not end in its line swallows the rest of it; the
// library refuses it there, so that nothing after it is ever taken for more than it is.
class Bounds {
 public:
  Refusal scan(std::string_view line) {
    ++place_.line;
    place_.column = 0;
    if (line.size() > text_limits::toml_line_size_max) {
      return refuse("the line is longer than " + std::to_string(text_limits::toml_line_size_max) + " bytes: break it up");
    }
    std::size_t parts = 1;
    char quote = 0;
    for (std::size_t at = 0; at < line.size(); ++at) {
      const char c = line[at];
      if ((c & 0xc0) != 0x80) ++place_.column;  // counts characters, as the library does
      if (static_cast<unsigned char>(c) < 0x20 && c != '\t') return refuse("a control character: take it out");
      if (quote != 0) {
        if (quote == '"' && c == '\\') {
          ++at;
          ++place_.column;
        } else if (c == quote) {
          quote = 0;
        }
        continue;
      }
      switch (c) {
        case '#': return in_comment(line.substr(at + 1));
        case '"':
        case '\'':
          if (line.substr(at, 3) == std::string(3, c)) return refuse("a string in three quotes: write it in one line, in one quote");
          quote = c;
          break;
        case '[':
        case '{':
          parts = 1;
          if (++depth_ > text_limits::toml_depth_max) return refuse("brackets nested too deeply: nothing here needs that");
          break;
        case ']':
        case '}':
          if (depth_ > 0) --depth_;
          break;
        case '=':
        case ',': parts = 1; break;
        case '.':
          if (++parts > text_limits::toml_key_parts_max) return refuse("a name of too many parts: nothing here needs that");
          if (++dots_ > text_limits::toml_dots_max) return refuse("too many dotted names in one file: use inline tables");
          break;
        default: break;
      }
    }
    return std::nullopt;
  }

 private:
  Refusal refuse(std::string reason) const { return TextError{place_, std::move(reason)}; }
  Refusal in_comment(std::string_view rest) {
    for (const char c : rest) {
      if ((c & 0xc0) != 0x80) ++place_.column;
      if (static_cast<unsigned char>(c) < 0x20 && c != '\t') return refuse("a control character: take it out");
    }
    return std::nullopt;
  }

  TextPlace place_;
  std::size_t depth_ = 0;
  std::size_t dots_ = 0;
};

// False for a table header whose name begins with what no name can: the library asserts that it does not, and only then looks.
bool begins_a_name(std::string_view line) {
  const std::size_t bracket = line.find_first_not_of(" \t");
  if (bracket == std::string_view::npos || line[bracket] != '[') return true;
  const std::size_t first = line.find_first_not_of("[ \t", bracket);
  if (first == std::string_view::npos) return true;
  return line[first] != '.' && line[first] != '=';
}

Refusal refusal_of(std::string_view text) {
  std::uint32_t number = 0;
  if (text.size() > text_limits::toml_size_max) {
    return TextError{{}, "the file is larger than " + std::to_string(text_limits::toml_size_max) + " bytes: shorten it"};
  }
  Bounds bounds;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    ++number;
    if (Refusal refusal = bounds.scan(line)) return refusal;
    if (!begins_a_name(line)) {
      return TextError{{number, 1}, "not TOML (a table's name begins with a letter, digit, _, - or a quote): correct this line"};
    }
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return std::nullopt;
}

TextPlace place_of(const toml::source_region& source) { return {source.begin.line, source.begin.column}; }

TomlValue converted(const toml::node& node, TextPlace fallback) {
  TomlValue value;
  value.place = place_of(node.source());
  if (value.place.line == 0) value.place = fallback;
  if (const auto* text = node.as_string()) {
    value.kind = TomlValue::Kind::text;
    value.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.kind = TomlValue::Kind::integer;
    value.integer = integer->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.kind = TomlValue::Kind::boolean;
    value.boolean = boolean->get();
  } else if (const auto* array = node.as_array()) {
    value.kind = TomlValue::Kind::array;
    for (const toml::node& item : *array) value.items.push_back(converted(item, value.place));
  } else if (const auto* table = node.as_table()) {
    value.kind = TomlValue::Kind::table;
    for (const auto& [name, item] : *table) {
      const TextPlace place = place_of(name.source());
      value.members.push_back({std::string(name.str()), place, converted(item, place)});
    }
  }
  return value;
}

// The library's sentence without its beginning, which names the part of its grammar that it was in.
std::string_view cause_of(std::string_view description) {
  const std::size_t start = description.find(": ");
  return start == std::string_view::npos ? description : description.substr(start + 2);
}

}  // namespace

Result<TomlValue, TextError> parse_toml(std::string_view text) {
  if (const Refusal refusal = refusal_of(text)) return *refusal;
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return TextError{place_of(error.source()), "not TOML (" + std::string(cause_of(error.description())) + "): correct this line"};
  }
  return converted(parsed.table(), {1, 1});
}

std::string_view name_of(TomlValue::Kind kind) {
  switch (kind) {
    case TomlValue::Kind::text: return "a string";
    case TomlValue::Kind::integer: return "an integer";
    case TomlValue::Kind::boolean: return "true or false";
    case TomlValue::Kind::array: return "an array";
    case TomlValue::Kind::table: return "a table";
    case TomlValue::Kind::other: return "a float, date or time";
  }
  return "";
}

}  // namespace statefs
