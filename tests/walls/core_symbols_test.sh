#!/bin/bash
# usage: core_symbols_test.sh CXX
# Each file of bad/ compiles, and core_symbols.sh objects to it with the word that the file's first line names; the file
# good.cpp beside them passes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
count=0
for source in "$here"/bad/*.cpp; do
  name=$(basename "$source" .cpp)
  "$1" -std=c++20 -O1 -c "$source" -o "$work/$name.o"
  ar rc "$work/$name.a" "$work/$name.o"
  status=0
  output=$("$here/core_symbols.sh" "$work/$name.a") || status=$?
  if [ "$name" = good ]; then
    [ $status -eq 0 ] || { echo "FAIL good.cpp: $output"; failed=1; }
  else
    expected=$(sed -n '1s|^// ||p' "$source")
    if [ $status -eq 0 ] || ! grep -q -F -- "$expected" <<<"$output"; then
      echo "FAIL $name: no finding '$expected' in: $output"
      failed=1
    fi
  fi
  count=$((count + 1))
done
[ $count -ge 9 ] || { echo "FAIL only $count files"; failed=1; }
exit $failed
