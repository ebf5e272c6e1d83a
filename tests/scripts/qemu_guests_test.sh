#!/bin/bash
# The default lane of scripts/qemu-test.sh with guests in which something is wrong: each fails with its own status and reason, and none
# is left running. What stand-ins for guests can show is in qemu_lanes_test.sh. Status 77 where guests cannot be had.
set -euo pipefail
script=$(cd "$(dirname "$0")/../../scripts" && pwd)/qemu-test.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# lane BEND STATUS REASON
lane() {
  local status=0 output said pid
  output=$("$script" --bend "$1" --out "$work/$1" 2>&1 </dev/null) || status=$?
  [ $status -ne 77 ] || { echo "$output"; exit 77; }
  said=$(sed -n 's/^ "reason": "\(.*\)",$/\1/p' "$work/$1/summary.json")
  [ $status -eq "$2" ] || { echo "FAIL $1: status $status, not $2: $output"; failed=1; }
  # shellcheck disable=SC2053
  [[ $said == $3 ]] || { echo "FAIL $1: the reason is '$said'"; failed=1; }
  for pid in $(sed -n 's/^ *"pid": \([0-9]*\),$/\1/p' "$work/$1/summary.json"); do
    [ ! -e "/proc/$pid" ] || { echo "FAIL $1: process $pid is left running"; failed=1; }
  done
  echo "$1: status $status: $said"
}

lane stranger 13 'client: SELFTEST: remote statefs fail authentication: *not enrolled'
lane panic 11 'server: *Kernel panic - not syncing: *'
RUN_TIMEOUT=25s lane silent 18 "no end of what client has to say within 25 s; server has not said 'dsoftbusd: state *"
exit $failed
