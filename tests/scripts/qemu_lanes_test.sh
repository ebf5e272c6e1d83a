#!/bin/bash
# usage: qemu_lanes_test.sh FOLDER_OF_PROGRAMS
# The lanes of scripts/qemu-test.sh before stand-ins for guests: the programs of this build over loopback, whose consoles are left as
# they are, or bent. Each way of failing has its own status and reason, and leaves nothing running. Status 77 without /usr/bin/python3.
set -euo pipefail
export BIN=$1
script=$(cd "$(dirname "$0")/../../scripts" && pwd)/qemu-test.sh
command -v ps >/dev/null && [ -x /usr/bin/python3 ] || { echo "there is no /usr/bin/python3 or no ps"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
at_once=4  # lanes: they mostly wait

# The good pair: real programs that call themselves by the names that they have in guests. A server that is booted again has the keys,
# the address and the disk that it had; with OLD_DISK the disk is what it was before the first request.
mkdir "$work/good"
cat >"$work/good/server" <<'TEXT'
#!/bin/bash
cd "$RUN_FOLDER"
echo $$ >>pids
if [ ! -e keys.made ]; then
  for name in server client stranger; do "$BIN/statefs" keygen $name.key >$name.public; done
  echo "$(cat ${ENROLLED:-client}.public) tester" >peers
  touch keys.made
fi
[ ! -e old.img ] || mv old.img state.img
listen=127.0.0.1:$((10000 + RANDOM % 20000))  # none that another test is given meanwhile: the daemon comes back to it
[ ! -s address ] || listen=$(cat address)
# The daemon whose power was cut may not have gone yet.
for _ in {1..200}; do
  (exec 3<>"/dev/tcp/${listen%:*}/${listen#*:}") 2>/dev/null || break
  sleep 0.05
done
echo 'guest-init: up'
"$BIN/dsoftbusd" --listen $listen --identity server.key --peers peers --state "$PWD/state.img" --state-size 256MiB --audit - </dev/null 2>&1 |
  while IFS= read -r line; do
    case $line in
      'dsoftbusd: state '*) line="dsoftbusd: state /dev/vda: ${line##*state.img: }" ;;
      'dsoftbusd: listening on '*) echo "${line##* }" >address; line='dsoftbusd: listening on 10.0.2.1:7070' ;;
      'dsoftbusd: ready') [ -n "${OLD_DISK:-}" ] && cp --sparse=always state.img old.img ;;
    esac
    echo "$line"
  done &
read -r _
kill "$(pgrep -P $$ -x dsoftbusd)"
wait
echo 'guest-init: dsoftbusd ended 0'
echo 'guest-init: power off'
TEXT
cat >"$work/good/client" <<'TEXT'
#!/bin/bash
cd "$RUN_FOLDER"
echo $$ >>pids
echo 'guest-init: up'
until [ -s address ] || [ -n "${NOBODY:-}" ]; do sleep 0.05; done
until [ -e keys.made ]; do sleep 0.05; done
"$BIN/selftest-client" --connect "${NOBODY:-$(cat address)}" --server-key "$(cat server.public)" --identity client.key \
  --stranger-identity stranger.key --patience ${PATIENCE:-1s} ${CHECKS:-} </dev/null
echo "guest-init: selftest-client ended $?"
echo 'guest-init: power off'
TEXT
chmod +x "$work/good"/*

count=0
# lane STATUS REASON ARGUMENT...: one run with the stand-ins in $stand_ins, beside others; VARIABLE=VALUE before it reach them. What is
# wrong is written down, a line each that begins with FAIL.
lane() {
  count=$((count + 1))
  [ "$(jobs -pr | wc -l)" -lt $at_once ] || wait -n || true
  judge "$work/run$count" "$@" >"$work/said$count" 2>&1 &
}
judge() {
  local run=$1 wanted=$2 reason=$3 status=0 output said
  shift 3
  output=$("$script" --stand-ins "$stand_ins" --out "$run" "$@" 2>&1 </dev/null) || status=$?
  said=$(sed -n 's/^ "reason": "\(.*\)",$/\1/p' "$run/summary.json")
  [ $status -eq "$wanted" ] || echo "FAIL $reason: status $status, not $wanted: $output"
  # shellcheck disable=SC2053
  [[ $said == $reason ]] || echo "FAIL $reason: the reason is '$said'"
  grep -q "^ \"status\": $wanted,$" "$run/summary.json" || echo "FAIL $reason: the summary has another status"
  for pid in $(cat "$run/pids" 2>/dev/null); do
    for ((tries = 0; tries < 40; ++tries)); do  # who is killed is gone a little later
      [[ $(ps -o stat= -p "$pid") == [!Z]* ]] || break
      sleep 0.05
    done
    [ $tries -lt 40 ] || echo "FAIL $reason: process $pid is left running"
  done
}
# bent NAME COMMAND: the good pair, with what this guest prints going through a command
bent() {
  stand_ins=$work/bent$((count + 1))
  mkdir "$stand_ins"
  cp "$work/good"/* "$stand_ins/"
  mv "$stand_ins/$1" "$stand_ins/$1.good"
  printf '#!/bin/bash\nexec "%s" | %s\n' "$stand_ins/$1.good" "$2" >"$stand_ins/$1"
  chmod +x "$stand_ins/$1"
}
# says NAME LINE...: the good pair, but for a guest that says this and waits
says() {
  stand_ins=$work/says$((count + 1))
  mkdir "$stand_ins"
  cp "$work/good"/* "$stand_ins/"
  { printf '#!/bin/bash\necho $$ >>"$RUN_FOLDER/pids"\n'; printf 'echo %q\n' "${@:2}"; echo 'read -r _'; } >"$stand_ins/$1"
}
export RUN_TIMEOUT=60s

stand_ins=$work/good
lane 0 ''
RUN_UNTIL_MARKER=1 lane 0 ''
lane 0 '' --lane mixed-endian

# A console that took nothing for a moment has every record all the same.
bent server "sed -u '1a dsoftbusd: audit -: cannot be written (it takes no more bytes): records are kept'"
lane 0 ''
bent server "sed -u '1a dsoftbusd: audit -: cannot be written (no space left): records are kept'"
lane 16 'no audit line: dsoftbusd: audit -: cannot be written (no space left): *'

# The client's key is not enrolled; nobody listens.
ENROLLED=stranger lane 13 'client: SELFTEST: remote statefs fail authentication: *not enrolled'
NOBODY=127.0.0.1:1 lane 12 'client: SELFTEST: remote statefs fail network: *'

# A daemon that never prints, or that stops printing.
says server 'guest-init: up'
RUN_TIMEOUT=2s lane 18 "no end of what client has to say within 2 s; server has not said 'dsoftbusd: state *"
bent server "sed -u '/remote statefs served/d'"
RUN_TIMEOUT=15s lane 18 "no end of what * has to say within 15 s; server has not said 'dsoftbusd: remote statefs served'*"
bent client "sed -u '/oversize ok/,\$d'"
lane 11 "client: ended with status 0 (due: SELFTEST: remote statefs oversize ok)"

# Out of order, twice, unknown, half a line.
bent server "sed -u '/listening on/{h;d};/: ready/G'"
lane 19 'server: a line came before its turn (due: dsoftbusd: listening on *'
bent client "sed -u '/eperm ok/p'"
lane 19 'client: a line came twice (*): SELFTEST: remote statefs eperm ok'
bent client "sed -u '/eperm ok/s/\$/ indeed/'"
lane 19 'client: a line is none that is known (*): SELFTEST: remote statefs eperm ok indeed'
bent client "sed -u '/rw ok/s/^/say /'"
lane 19 'client: a line came before its turn (due: SELFTEST: remote statefs rw ok): *eperm ok'

# A daemon that prints the bytes of a key as they are: the key that the client sends in every run ends the line.
bent server "sed -u 's/%0aSELFTEST.*/\\nSELFTEST: remote statefs rw ok/'"
lane 21 'server: a line is forged: it is a marker of another console (*): SELFTEST: remote statefs rw ok'
bent client "sed -u 's/SELFTEST: remote statefs rw ok/dsoftbusd: audit remote statefs put allow key=SELFTEST: remote statefs rw ok/'"
lane 21 'client: an audit line on a console without a daemon: *'

# The kernel of a guest.
says server 'guest-init: up' '[    3.141592] Kernel panic - not syncing: VFS: Unable to mount root fs'
lane 11 'server: *Kernel panic - not syncing: VFS: Unable to mount root fs'
says client 'guest-init: fail module /modules/virtio.ko: no such file'
lane 11 'client: guest-init: fail module*'
bent client "sed -u '/eperm ok/,\$d; 1a [    5.1] dsoftbusd[77]: segfault at 0 ip 0'"
lane 11 'client: *segfault at 0 ip 0'

# What the client found wrong.
for kind in 14:policy 15:exactly-once 17:persistence 20:operation; do
  says client 'guest-init: up' "SELFTEST: remote statefs rw fail ${kind#*:}: a reason"
  lane ${kind%:*} "client: SELFTEST: remote statefs rw fail ${kind#*:}: a reason"
done
says server 'guest-init: up' 'dsoftbusd: state /dev/vda: is damaged in the log, at byte 4096'
lane 17 'server: dsoftbusd: state /dev/vda: is damaged*'

# The audit: a record left out, made up, changed, out of order.
bent server "sed -u '/del allow .*selftest\\/rw/d'"
lane 16 'record * comes after record *'
bent server "sed -u '/put deny .*state\\/boot/s/ACCESS_DENIED/OK/'"
lane 16 'change * is recorded as *boot/slot*'
bent server "sed -u '/del allow .*selftest\\/rw/p'"
lane 16 'record * comes after record *'
bent server "sed -u '/put allow .*selftest\\/retry/s/old=0/old=5/'"
lane 15 '*selftest/retry: record * changes revision 5, and it was at 0'

# A disk that is put back to what it was, and to nothing: SYNC had covered what is gone.
stand_ins=$work/good
export CHECKS='persist --rounds 5' PATIENCE=50s
OLD_DISK=1 lane 17 'client: SELFTEST: persist round 1 fail persistence: *' --lane persist
bent server "sed -u 's/recovered .* records.*/new store, epoch 1/'"
lane 17 'server: dsoftbusd: state /dev/vda: new store, epoch 1' --lane persist

wait
cat "$work"/said*
failed=0
[ -z "$(cat "$work"/said*)" ] || failed=1
[ "$(grep -c '"line": "SELFTEST: ' "$work/run1/summary.json")" -ge 6 ] || { echo "FAIL the summary has not the markers"; failed=1; }
grep -q 'x%0aSELFTEST:%20remote%20statefs' "$work/run1/server.console" || { echo "FAIL no key held a marker"; failed=1; }

# Options.
known=$("$script" --list | sed 's/ .*//' | tr '\n' ' ')
[ "$known" = 'two-vm single-vm persist flap mixed-endian arm64 ' ] || { echo "FAIL --list names $known"; failed=1; }
for bad in '--lane nowhere' '--lane' '--no-such'; do
  status=0
  # shellcheck disable=SC2086
  "$script" $bad >/dev/null 2>&1 </dev/null || status=$?
  [ $status -eq 2 ] || { echo "FAIL $bad: status $status"; failed=1; }
done
status=0
RUN_TIMEOUT=soon "$script" >/dev/null 2>&1 </dev/null || status=$?
[ $status -eq 2 ] || { echo "FAIL RUN_TIMEOUT=soon: status $status"; failed=1; }
exit $failed
