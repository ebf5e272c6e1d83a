#!/bin/bash
# usage: hardening.sh PROGRAM... | --self-test CXX
# Fails where a built program lacks a protection that the build asks for.
set -euo pipefail

# lacks PROGRAM: prints one line for each protection that is not there.
lacks() {
  local header dynamic segments symbols
  header=$(readelf --file-header --wide "$1")
  dynamic=$(readelf --dynamic --wide "$1")
  segments=$(readelf --segments --wide "$1")
  symbols=$(readelf --dyn-syms --wide "$1")
  grep -q -E 'Type: +DYN' <<<"$header" && grep -q 'FLAGS_1.*PIE' <<<"$dynamic" || echo "position independence (PIE)"
  grep -q -E '(FLAGS).*BIND_NOW|FLAGS_1.*NOW' <<<"$dynamic" || echo "immediate binding (BIND_NOW)"
  grep -q GNU_RELRO <<<"$segments" || echo "read-only relocations (RELRO)"
  grep -q -E 'GNU_STACK.* RW +0x' <<<"$segments" || echo "a stack that is not executable"
  grep -q __stack_chk_fail <<<"$symbols" || echo "the stack protector"
  grep -q TEXTREL <<<"$dynamic" && echo "relocation-free code (TEXTREL)"
  # Not by the note in the program: the start files of Debian 12 have none, so no program there can.
  if grep -q X86-64 <<<"$header"; then
    # A count reads to the end: grep -q would break the pipe, which pipefail takes for a failure.
    [ "$(objdump --disassemble=main "$1" | grep -c endbr64)" -gt 0 ] || echo "control-flow protection (endbr64)"
  fi
  return 0
}

if [ "${1:-}" = --self-test ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  printf 'int main(int, char** v) { char b[64]; __builtin_strcpy(b, v[0]); return b[1]; }\n' >"$work/soft.cpp"
  "$2" -O1 -no-pie -fno-pie -fno-stack-protector -fcf-protection=none -Wl,-z,norelro,-z,lazy,-z,execstack "$work/soft.cpp" -o "$work/soft"
  lacking=$(lacks "$work/soft" | wc -l)
  expected=5
  [[ $(readelf --file-header --wide "$work/soft") != *X86-64* ]] || expected=6
  [ "$lacking" -eq $expected ] || { echo "hardening: an unprotected program lacks $lacking things, not $expected:"; lacks "$work/soft"; exit 1; }
  exit 0
fi

[ $# -gt 0 ] || { echo "hardening: no program" >&2; exit 1; }
failed=0
for program in "$@"; do
  lacking=$(lacks "$program")
  [ -z "$lacking" ] || { printf 'hardening: %s lacks\n%s\n' "$program" "$lacking"; failed=1; }
done
exit $failed
