#!/bin/bash
# scripts/mutants over a tree of one source and a stand-in for the simulator, whose checks object to what stands in it.
set -euo pipefail
script=$(cd "$(dirname "$0")/../../scripts" && pwd)/mutants
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
mkdir -p "$work"/{scripts,bin,core,sim,os,tests/mutants}
cp "$script" "$work/scripts/mutants"
touch "$work"/{CMakeLists.txt,CMakePresets.json}
printf 'one\ntwo\nthree\n' >"$work/core/a.cpp"

# A build makes a simulator that knows the source as it was then.
cat >"$work/bin/cmake" <<'SH'
#!/bin/sh
[ "$1" = --build ] || { mkdir -p build/mutants; touch build/mutants/CMakeCache.txt; exit 0; }
! grep -q unbuildable core/a.cpp || { echo "a.cpp: error"; exit 1; }
mkdir -p build/mutants/bin
cp core/a.cpp build/mutants/built
cat >build/mutants/bin/statefs-sim <<'SIM'
#!/bin/bash
built=$(dirname "$0")/../built
[ "$1" != --scenario ] || { echo "seed=7 verdict=failed:$(cat "$2" | head -n 1)"; exit 42; }
if [ "$1" = --seed ]; then yes recorded | head -n "$(grep -c . "$built")" >"${@: -1}"; exit 42; fi
grep -q crash "$built" && exit 139
grep -q bug "$built" || { echo "seed=7 verdict=ok"; exit 0; }
printf 'seed=6 digest=00 verdict=ok\nseed=7 digest=00 verdict=failed:recorded\n'
exit 42
SIM
chmod +x build/mutants/bin/statefs-sim
SH
chmod +x "$work/bin/cmake"

# A finished build: what ninja says of it, and a compiler and a linker of the same kind.
mkdir -p "$work/finished/bin"
touch "$work/finished/build.ninja"
cat >"$work/bin/ninja" <<SH
#!/bin/sh
echo "ccache compile -O2 -MD -MT o/statefs_core.dir/a.cpp.o -MF o/statefs_core.dir/a.cpp.o.d -o o/statefs_core.dir/a.cpp.o -c $work/core/unity_0.cpp"
echo ": && link -O2 main.o -o bin/statefs-sim libcore.a && :"
SH
cat >"$work/bin/compile" <<'SH'
#!/bin/sh
[ "$*" = "${*% -M*}" ] || { echo "writes a file of dependencies"; exit 1; }
while [ "$1" != -o ]; do shift; done
[ "$3 $4" = "-w -c" ] || exit 1
cp "$5" "$2"
SH
cat >"$work/bin/link" <<SH
#!/bin/sh
built=$work/core/a.cpp
while [ "\$1" != -o ]; do case \$1 in */core.a.cpp.o) built=\$1 ;; esac; shift; done
(cd $work/build/mutants/tree && PATH=$work/bin:\$PATH cmake --build x)
cp $work/build/mutants/tree/build/mutants/bin/statefs-sim "\$2"
cp "\$built" $work/build/mutants/built
SH
chmod +x "$work"/bin/*

mutant() { # mutant NAME OLD NEW: a patch that makes NEW of OLD in line 2
  printf '# broken: %s\n# promise: none\n# expects: recorded\n' "$1" >"$work/tests/mutants/$1.patch"
  printf 'diff --git a/core/a.cpp b/core/a.cpp\n--- a/core/a.cpp\n+++ b/core/a.cpp\n@@ -1,3 +1,3 @@\n one\n-%s\n+%s\n three\n' "$2" "$3" \
    >>"$work/tests/mutants/$1.patch"
}
mutant found two "two bug"
mutant harmless two "two // nothing"
mutant stale "two and a half" "bug"
mutant unbuildable two unbuildable
mutant crashing two crash
printf '# broken: many\n# expects: chain\ndiff --git a/core/a.cpp b/core/a.cpp\n--- a/core/a.cpp\n+++ b/core/a.cpp\n@@ -1,3 +1,43 @@\n one\n two\n three\n%s\n' \
  "$(for _ in {1..40}; do echo '+bug'; done)" >"$work/tests/mutants/long.patch"

expect() { # expect STATUS PATTERN ARGUMENT...: the whole output matches the pattern
  local status=0 output
  output=$(PATH=$work/bin:/usr/bin:/bin "$work/scripts/mutants" "${@:3}" 2>&1 </dev/null) || status=$?
  [ $status -eq "$1" ] || { echo "FAIL ${*:3}: status $status, not $1: $output"; failed=1; }
  [[ $output == $2 ]] || { echo "FAIL ${*:3}: said '$output', not like '$2'"; failed=1; }
}
expect 0 "*found*recorded *7      2 *mutants=1 found=1" found
expect 1 "*harmless*SURVIVED 30 seeds*mutants=1 found=0" harmless --seeds 30
expect 1 "mutants: stale does not apply: *mutants=2 found=1" stale found
expect 1 "*unbuildable*does not build*mutants=1 found=0" unbuildable
expect 1 "*crashing*status 139, which is no verdict*mutants=1 found=0" crashing
expect 0 "*long*recorded\\**mutants=1 found=1" long
expect 0 "*scenario of 3 lines*mutants=1 found=1" found --minimize
expect 1 "*a scenario of 43 lines, at most 30*mutants=1 found=0" long --minimize
expect 2 "mutants: no mutant 'other'; there are: *" other
expect 2 "mutants: --seeds needs a number of at least 1, not '0'" found --seeds 0
expect 2 "usage: *"
expect 0 "*found * found*" --list
expect 0 "*mutants=1 found=1" found
expect 0 "*found*recorded *mutants=1 found=1" found --build "$work/finished"
expect 1 "*harmless*SURVIVED*mutants=1 found=0" harmless --build "$work/finished"
[ -x "$work/build/mutants/beside/statefs-sim" ] || { echo "FAIL --build: built nothing beside"; failed=1; }
expect 2 "mutants: --build *: no build of Ninja" found --build "$work/core"
# What a mutant was left in by an interruption is taken back before anything else.
echo "bug" >>"$work/build/mutants/tree/core/a.cpp"
expect 1 "*harmless*SURVIVED*" harmless
# A source that fails by itself finds nothing out about a mutant.
echo "bug" >>"$work/core/a.cpp"
expect 1 "*mutants: the tree without a mutant fails: *" found
# Those of this repository apply to it, so that a change of core takes them along, and expect checks that there are.
cd "$(dirname "$script")/.."
checks=$(sed -n 's/^| `\([a-z_]*\)` | .*/\1/p' docs/SIMULATION.md)
for patch in tests/mutants/*.patch; do
  git apply --check "$patch" || { echo "FAIL $patch does not apply"; failed=1; }
  for check in $(sed -n 's/^# expects: //p' "$patch"); do
    grep -qx -- "$check" <<<"$checks" || { echo "FAIL $patch: no check '$check'"; failed=1; }
  done
done
exit $failed
