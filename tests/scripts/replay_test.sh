#!/bin/bash
# usage: replay_test.sh PROGRAM CORPUS: a fuzz target that replays passes on its corpus and says how many inputs it ran;
# with no input, or one that is not there, it fails.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
inputs=$(find "$2" -type f | wc -l)
[ "$inputs" -gt 0 ]
[ "$("$1" "$2" 2>/dev/null)" = "replay: inputs=$inputs" ] || { echo "FAIL not all of $inputs inputs were run"; exit 1; }
! "$1" "$work" >/dev/null 2>&1 || { echo "FAIL an empty corpus passes"; exit 1; }
! "$1" "$work/missing" >/dev/null 2>&1 || { echo "FAIL a missing corpus passes"; exit 1; }
