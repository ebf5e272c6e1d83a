#!/bin/bash
# Each script a person runs explains itself, from anywhere, and refuses an option that it does not know with status 2.
set -euo pipefail
scripts=$(cd "$(dirname "$0")/../../scripts" && pwd)
cd /
failed=0
count=0
for script in "$scripts"/*; do
  [ -x "$script" ] && [ -f "$script" ] || continue
  name=$(basename "$script")
  count=$((count + 1))
  help=$("$script" --help </dev/null) || { echo "FAIL $name --help: status $?"; failed=1; }
  [[ ${help:-} == "usage: scripts/$name"* ]] || { echo "FAIL $name --help does not begin with its usage: ${help:-}"; failed=1; }
  [[ ${help:-} == *"Exit status:"* ]] || { echo "FAIL $name --help says nothing of its exit status"; failed=1; }
  status=0
  "$script" --no-such-option </dev/null >/dev/null 2>&1 || status=$?
  [ $status -eq 2 ] || { echo "FAIL $name --no-such-option: status $status, not 2"; failed=1; }
done
[ $count -ge 5 ] || { echo "FAIL only $count scripts"; failed=1; }
exit $failed
