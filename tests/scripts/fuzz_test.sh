#!/bin/bash
# scripts/fuzz over stand-in targets: what it counts, and that it fails on a finding, on nothing executed, on no target.
set -euo pipefail
script=$(cd "$(dirname "$0")/../../scripts" && pwd)/fuzz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
mkdir -p "$work"/{scripts,fuzz/corpus/good,bin,build/fuzz/bin}
cp "$script" "$work/scripts/fuzz"
stub() { printf '#!/bin/sh\n%s\n' "$2" >"$1"; chmod +x "$1"; }
stub "$work/scripts/install-deps" 'exit 0'
stub "$work/bin/cmake" 'exit 0'
touch "$work"/fuzz/{good,bad,idle,replay_main}.cpp
stub "$work/build/fuzz/bin/fuzz_good" 'echo "stat::number_of_executed_units: 40"'
stub "$work/build/fuzz/bin/fuzz_bad" 'echo "==1== ERROR: libFuzzer: deadly signal"; echo "stat::number_of_executed_units: 2"; exit 77'
stub "$work/build/fuzz/bin/fuzz_idle" 'echo "stat::number_of_executed_units: 0"'

expect() { # expect STATUS LAST_LINE ARGUMENT...
  local status=0 output
  output=$(PATH=$work/bin:/usr/bin:/bin "$work/scripts/fuzz" "${@:3}" 2>&1 </dev/null) || status=$?
  [ $status -eq "$1" ] || { echo "FAIL ${*:3}: status $status, not $1: $output"; failed=1; }
  [ "$(tail -n 1 <<<"$output")" = "$2" ] || { echo "FAIL ${*:3}: last line is not '$2': $output"; failed=1; }
}
expect 0 "targets=1 executions=40 findings=0" good --seconds 1 --jobs 1
expect 0 "targets=1 executions=120 findings=0" good --seconds 1 --jobs 3
expect 1 "targets=1 executions=2 findings=1" bad --seconds 1 --jobs 1
expect 1 "targets=1 executions=0 findings=0" idle --seconds 1 --jobs 1
expect 1 "targets=3 executions=42 findings=1" all --seconds 1 --jobs 2
expect 2 "targets=0 executions=0 findings=0" no_such_target
expect 2 "targets=0 executions=0 findings=0" replay_main
expect 2 "fuzz: --seconds needs a number of at least 1, not '0'" good --seconds 0
exit $failed
