#!/bin/bash
# usage: no_os.sh OS_ARCHIVE PROGRAM...
# Fails where a program holds a function of os, or asks for a socket: what runs seeds and fuzzes is core, text and sim.
# OS_ARCHIVE may be missing as long as there is no os. Fails with no program, or one without symbols.
set -euo pipefail
os_archive=$1
shift
[ $# -gt 0 ] || { echo "no_os: no program" >&2; exit 1; }
failed=0
of_os=$(mktemp)
trap 'rm -f "$of_os"' EXIT
if [ -f "$os_archive" ]; then
  nm --defined-only "$os_archive" 2>/dev/null | awk '$2 ~ /^[TDBR]$/ { print $3 }' | sort -u >"$of_os"
  [ -s "$of_os" ] || { echo "no_os: nm shows nothing of $os_archive" >&2; exit 1; }
fi
sockets='socket|socketpair|bind|connect|listen|accept4?|epoll_(create1?|wait|ctl)|recv(from|msg)?|send(to|msg)?|getaddrinfo'
for program in "$@"; do
  symbols=$(nm "$program" | awk '{ print $NF }' | sed 's/@.*//' | sort -u)
  grep -q -x main <<<"$symbols" || { echo "no_os: $program has no symbols to look at" >&2; exit 1; }
  inside=$(comm -12 "$of_os" <(echo "$symbols") | c++filt)
  [ -z "$inside" ] || { printf 'no_os: %s holds of os:\n%s\n' "$program" "$inside"; failed=1; }
  asked=$(nm --undefined-only "$program" | awk '{ print $NF }' | sed 's/@.*//' | grep -E -x "$sockets" || true)
  [ -z "$asked" ] || { printf 'no_os: %s asks for:\n%s\n' "$program" "$asked"; failed=1; }
done
exit $failed
