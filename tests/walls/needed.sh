#!/bin/bash
# usage: needed.sh PROGRAM: fails where it needs another shared library than libcrypto and the C++ runtime.
set -euo pipefail
needed=$(readelf --dynamic --wide "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
[ -n "$needed" ] || { echo "needed: readelf shows nothing of $1" >&2; exit 1; }
other=$(grep -v -E '^(libcrypto|libstdc\+\+|libm|libgcc_s|libc|ld-linux[a-z0-9-]*)\.so' <<<"$needed" || true)
[ -z "$other" ] || { printf 'needed: %s needs\n%s\n' "$1" "$other"; exit 1; }
