#!/bin/bash
# install-deps before stand-ins for dpkg-query, apt-get, id and sudo: what it asks for, and what it says where it may not.
set -euo pipefail
script=$(cd "$(dirname "$0")/../../scripts" && pwd)/install-deps
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
check() { # check WHAT STATUS PATTERN: of the last run
  [ "$status" -eq "$2" ] || { echo "FAIL $1: status $status, not $2: $output"; failed=1; }
  [[ $output == $3 ]] || { echo "FAIL $1: said '$output'"; failed=1; }
}
run() {
  status=0
  : >"$work/calls"
  output=$(PATH=$work/bin:/usr/bin:/bin "$script" "$@" 2>&1 </dev/null) || status=$?
}
stub() { printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"; chmod +x "$work/bin/$1"; }

mkdir "$work/bin"
stub apt-get "echo \"\$*\" >>$work/calls"
stub sudo 'exit 1'
stub id 'echo 0'

stub dpkg-query 'printf "installed "'
run all
check "nothing missing" 0 ""
[ ! -s "$work/calls" ] || { echo "FAIL apt-get ran though nothing was missing"; failed=1; }

stub dpkg-query 'case "$*" in *ninja-build) exit 1 ;; *) printf "installed " ;; esac'
run --dry-run build
check "a dry run" 1 "install-deps: missing: ninja-build"
[ ! -s "$work/calls" ] || { echo "FAIL apt-get ran in a dry run"; failed=1; }
run build
check "one missing, as root" 0 "install-deps: installing ninja-build"
[[ $(tail -n 1 "$work/calls") == *install*" ninja-build" ]] || { echo "FAIL apt-get was asked: $(cat "$work/calls")"; failed=1; }

stub dpkg-query 'case "$*" in *qemu-system-x86) exit 1 ;; *) printf "installed " ;; esac'
run --dry-run qemu
check "qemu is missing" 1 "install-deps: missing: qemu-system-x86"
run --dry-run test
check "qemu is missing, and not asked for" 0 ""
run --dry-run emulated
check "qemu is missing, and is under what is emulated" 1 "install-deps: missing: qemu-system-x86"
run --dry-run foreign
check "qemu is missing, and foreign tests do without" 0 ""
stub dpkg-query 'case "$*" in *g++-s390x-linux-gnu) exit 1 ;; *) printf "installed " ;; esac'
run --dry-run foreign
check "a foreign compiler is missing" 1 "install-deps: missing: g++-s390x-linux-gnu"
stub dpkg-query 'printf "deinstalled "'
run --dry-run build
check "removed but configured" 1 "*missing: g++ cmake*"

stub id 'echo 1000'
run build
check "not root" 1 "*only root may install them: apt-get install g++ cmake*"
[ ! -s "$work/calls" ] || { echo "FAIL apt-get ran without the right to"; failed=1; }

stub id 'echo 0'
stub apt-get 'echo "E: no route" >&2; exit 100'
run build
check "no network" 1 "*E: no route*apt-get failed*needed: g++*"

# The browser's group installs into its own tree, here a copy.
mkdir -p "$work/tree/scripts" "$work/tree/tests"
cp "$script" "$work/tree/scripts/"
cp -r "$(dirname "$script")/../tests/browser" "$work/tree/tests/"
script=$work/tree/scripts/install-deps
stub dpkg-query 'exit 1'
stub apt-get "echo \"\$*\" >>$work/calls"
for name in chromium node; do stub $name 'exit 0'; done
stub npm "echo \"\$*\" >>$work/calls; mkdir -p $work/tree/build/browser/node_modules/playwright-core"
run browser
check "a browser is there, what drives it is not" 0 "install-deps: installing playwright-core"
[[ $(cat "$work/calls") == "ci --prefix "*--ignore-scripts* ]] || { echo "FAIL npm was asked: $(cat "$work/calls")"; failed=1; }
run browser
check "all of the browser is there" 0 ""
[ ! -s "$work/calls" ] || { echo "FAIL something ran though nothing was missing"; failed=1; }
rm -r "$work/tree/build"
run --dry-run browser
check "a dry run for the browser" 1 "install-deps: missing: playwright-core"
stub npm 'echo "no network" >&2; exit 1'
run browser
check "npm fails" 1 "*no network*npm failed*"
run browser
check "npm fails again, and does not pass for installed" 1 "*npm failed*"
grep -q '"resolved"' "$work/tree/tests/browser/package-lock.json" && { echo "FAIL the lock file names hosts"; failed=1; }
exit $failed
