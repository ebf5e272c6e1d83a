#!/bin/bash
# Boots guests with an unmodified stock kernel, runs the real programs in them, and judges what their consoles show.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/qemu-test.sh [--lane NAME|all] [--list] [--build-programs] [--out FOLDER]

Installs missing packages (scripts/install-deps qemu), links the objects of the preset release without libraries of the system, fetches
Debian's kernel by the name of its package into build/qemu/kernels, boots, and prints each marker as it comes. A lane passes only if
every line that it must show came, whole and in order, no other marker did, and the audit holds exactly what was done. What a run
leaves is in build/qemu/runs/LANE-TIME/: consoles, packet captures, disk images, summary.json. docs/QEMU.md says how to read it.

  --lane NAME   two-vm (the default), single-vm, persist, flap, mixed-endian, arm64; or all, one after another
  --list        what each lane shows
  --build-programs  build the programs, and do nothing else
  --out FOLDER  the folder of the run
  --help        this text

  RUN_UNTIL_MARKER=1   two-vm and single-vm end with the client's last marker; otherwise guests run until they power off
  RUN_TIMEOUT=90s      most time of one boot, as 90s or 2m; a lane that is not done by then has failed

Exit status: that of the first lane that failed; 0 ok, 2 usage, 10 build, 11 boot, 12 network, 13 authentication, 14 policy,
15 exactly-once, 16 audit, 17 persistence, 18 timeout, 19 markers (out of order, twice, unknown), 20 operation (a wrong answer),
21 forged (a line on a console whose programs do not print it), 77 qemu or a kernel cannot be installed here.
TEXT
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
lanes=(two-vm single-vm persist flap mixed-endian arm64)
list_lanes() {
  cat <<'TEXT'
two-vm         a client guest and a server guest: read and write, refusals, sizes, strangers, chunks, retries, and the audit of all that
single-vm      the same with both programs in one guest
persist        five power cuts of the server under load: what SYNC covered is there, what is gone was reported, the audit chain holds
flap           the link between the guests is cut four times under load: nothing is lost, made twice, or not recorded
mixed-endian   two-vm with a server on s390x, which is big-endian; its disk then serves on amd64
arm64          two-vm with a server on arm64; its disk then serves on amd64
TEXT
}
chosen=()
more=()
stand_ins=
build_only=no
while [ $# -gt 0 ]; do
  case $1 in
    --lane)
      [ $# -ge 2 ] || { echo "qemu-test: --lane needs a name; try --list" >&2; exit 2; }
      [[ " ${lanes[*]} all " == *" $2 "* ]] || { echo "qemu-test: there is no lane '$2'; try --list" >&2; exit 2; }
      chosen=("$2")
      shift
      ;;
    --list) list_lanes; exit 0 ;;
    --build-programs) build_only=yes ;;
    --out) more+=(--out "$(realpath -m "${2:?--out needs a folder}")"); shift ;;
    # For the tests of the lanes themselves: programs FOLDER/server and FOLDER/client print what guests would.
    --stand-ins) stand_ins=$(realpath "${2:?--stand-ins needs a folder}"); shift ;;
    # The same with guests: the client is not the one that is enrolled, the daemon is not started, or there is no first process.
    --bend) more+=(--bend "${2:?--bend needs stranger, silent or panic}"); shift ;;
    --help | -h) usage; exit 0 ;;
    *) echo "qemu-test: unknown argument '$1'; try --help" >&2; exit 2 ;;
  esac
  shift
done
[ ${#chosen[@]} -gt 0 ] || chosen=("${lanes[0]}")
[ "${chosen[0]}" != all ] || chosen=("${lanes[@]}")

timeout=${RUN_TIMEOUT:-90s}
if [[ $timeout =~ ^([0-9]+)(s|m)?$ ]]; then
  seconds=${BASH_REMATCH[1]}
  [ "${BASH_REMATCH[2]}" != m ] || seconds=$((seconds * 60))
else
  echo "qemu-test: RUN_TIMEOUT='$timeout' is no time: write 90s or 2m" >&2
  exit 2
fi
more+=(--timeout "$seconds")
[ "${RUN_UNTIL_MARKER:-0}" != 1 ] || more+=(--until-marker)

cd "$root"
exec </dev/null
mkdir -p build/qemu
log=build/qemu/log
read -ra libraries <scripts/qemu/libraries
arch=$(dpkg --print-architecture 2>/dev/null || true)

# step KIND_STATUS WHAT COMMAND...: its output only where it fails.
step() {
  local status=$1 what=$2 start=$SECONDS
  shift 2
  if ! "$@" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "qemu-test: $what failed" >&2
    exit "$status"
  fi
  [ $((SECONDS - start)) -lt 3 ] || echo "qemu-test: $what: $((SECONDS - start)) s"
}
# build PRESET TARGET...
build() { cmake --preset "$1" && cmake --build --preset "$1" --target "${@:2}"; }
here=(release guest_programs)

# prepare_foreign ARCHITECTURE KERNEL: what a server of another architecture needs.
prepare_foreign() {
  step 77 "installing packages" scripts/install-deps emulated
  step 77 "fetching a kernel for $1" scripts/qemu/fetch-packages "$1" "build/qemu/kernels/$1" "$2"
  step 77 "fetching libraries for $1" scripts/qemu/fetch-packages "$1" "build/qemu/libraries/$1" "${libraries[@]}"
  step 10 "building the programs for $1" build "static-$1" dsoftbusd guest-init
  more+=(--kernel "$1=build/qemu/kernels/$1" --programs "$1=build/static-$1/bin")
}

if [ $build_only = yes ]; then
  step 10 "building the programs" build "${here[@]}"
  exit 0
fi
if [ -z "$stand_ins" ]; then
  [ "$arch" = amd64 ] || { echo "qemu-test: guests are built on amd64" >&2; exit 77; }
  step 77 "installing packages" scripts/install-deps qemu
  step 77 "fetching a kernel" scripts/qemu/fetch-packages amd64 build/qemu/kernels/amd64 linux-image-cloud-amd64
  step 10 "building the programs" build "${here[@]}"
  more+=(--kernel amd64=build/qemu/kernels/amd64 --programs amd64=build/release/guest/bin)
  [[ " ${chosen[*]} " != *" mixed-endian "* ]] || prepare_foreign s390x linux-image-s390x
  [[ " ${chosen[*]} " != *" arm64 "* ]] || prepare_foreign arm64 linux-image-cloud-arm64
else
  more+=(--stand-ins "$stand_ins")
fi
for lane in "${chosen[@]}"; do more+=(--lane "$lane"); done
exec /usr/bin/python3 -B scripts/qemu/main.py "${more[@]}"
