#!/bin/bash
# usage: block_device_test.sh FOLDER_OF_PROGRAMS
# A whole block device as the state: formatted, served, killed, recovered and checked as a file is; refused where it holds something
# else, or is too small. The device is a loop device. Status 77 where this machine gives none.
set -euo pipefail
bin=$1
work=$(mktemp -d)
daemon=
device=
clean() {
  [ -z "$daemon" ] || kill -9 "$daemon" 2>/dev/null || true
  [ -z "$device" ] || losetup -d "$device" || true
  rm -rf "$work"
}
trap clean EXIT
cd "$work"
fail() { echo "block_device_test: $*"; cat out err 2>/dev/null; exit 1; }

attach() {  # SIZE: a device of so many bytes, all zero
  [ -z "$device" ] || losetup -d "$device"
  device=
  rm -f disk
  truncate -s "$1" disk
  device=$(losetup --find --show disk 2>why) || { echo "no loop device: $(cat why)"; exit 77; }
}
start() {
  "$bin/dsoftbusd" --listen 127.0.0.1:0 --identity server.key --peers peers --state "$device" --audit audit.jsonl >out 2>err &
  daemon=$!
  for _ in {1..400}; do
    ! grep -q '^dsoftbusd: ready$' out || break
    kill -0 "$daemon" 2>/dev/null || fail "the daemon ended"
    sleep 0.05
  done
  STATEFS_CONNECT=$(sed -n 's/^dsoftbusd: listening on //p' out)
  export STATEFS_CONNECT
}
end() {  # SIGNAL
  kill "-$1" "$daemon"
  wait "$daemon" || true
  daemon=
}
refused() {  # TEXT
  local status=0
  "$bin/dsoftbusd" --listen 127.0.0.1:0 --identity server.key --peers peers --state "$device" --audit other.jsonl >out 2>err || status=$?
  [ $status -eq 1 ] && [ "$(wc -l <err)" -eq 1 ] && grep -qF "$1" err || fail "not refused with '$1', status $status"
}

command -v losetup >/dev/null || { echo "there is no losetup"; exit 77; }
STATEFS_SERVER_KEY=$("$bin/statefs" keygen server.key)
export STATEFS_SERVER_KEY STATEFS_IDENTITY=$work/client.key
"$bin/statefs" keygen client.key >peers

# A size that is no multiple of the journal's blocks: the rest is not used.
attach $((64 * 1024 * 1024 + 512))
start
grep -q 'new store, epoch 1' out || fail "it was not formatted"
"$bin/statefs" put /state/shared/a one >/dev/null
refused 'in use by another process'
end KILL
start
grep -q ' recovered ' out || fail "it was not recovered"
[ "$("$bin/statefs" get /state/shared/a)" = one ] || fail "what was synced is not there"
"$bin/statefs" put /state/shared/b two >/dev/null
end TERM
"$bin/statefs" check "$device" >out || fail "it is not whole"
grep -qxF "$device: whole" out && grep -q 'state: 2 keys, 6 bytes of values' out || fail "not as it was left"
"$bin/statefs" audit verify "$device" >out || fail "its chain does not hold"
"$bin/statefs" audit query "$device" --op put | grep -q /state/shared/b || fail "its records cannot be read"

attach $((64 * 1024 * 1024))
printf 'a file system, say' | dd of="$device" conv=notrunc status=none
sync
before=$(sha256sum <disk)
refused 'is no store of this device'
sync
[ "$(sha256sum <disk)" = "$before" ] || fail "it was written to"

attach $((1024 * 1024))
refused 'keeps its size of 1MiB, these limits need '
echo 'a device is served as a file is'
