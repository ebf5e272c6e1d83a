#!/bin/bash
# The lint finds nothing in a good tree, and in each bad tree exactly what its file `expect` says, line by line.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
lint=$here/../../scripts/lint
failed=0

fail() { echo "FAIL $*"; failed=1; }

"$lint" --root "$here/good" || fail "good: the lint objects to a good tree"
trees=0
for tree in "$here"/bad/*/; do
  name=$(basename "$tree")
  trees=$((trees + 1))
  status=0
  output=$("$lint" --root "$tree") || status=$?
  [ $status -eq 1 ] || fail "$name: exit status $status, not 1"
  findings=0
  while read -r line; do
    grep -q -F -- "$line" <<<"$output" || fail "$name: no finding '$line' in: $output"
    findings=$((findings + 1))
  done <"$tree/expect"
  [ "$(tail -n 1 <<<"$output")" = "lint: $findings findings" ] || fail "$name: other findings than expected: $output"
done
[ $trees -ge 32 ] || fail "only $trees bad trees"
"$lint" --root "$here/bad" >/dev/null 2>&1 && fail "a folder with no source passes"
echo "lint: $trees bad trees"
exit $failed
