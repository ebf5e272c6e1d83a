#!/bin/bash
# usage: simulator_test.sh STATEFS_SIM
# What the program says and with which status it ends, as a pipeline sees it.
set -euo pipefail
sim=$1
digests=$(dirname "$0")/../sim/digests.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset JOB_COMPLETION_INDEX SLURM_ARRAY_TASK_ID GTEST_SHARD_INDEX GTEST_TOTAL_SHARDS
failed=0
fail() { echo "FAIL $*"; failed=1; }
expect() { # expect STATUS ARGUMENT...: leaves out and err
  local wanted=$1 status=0
  shift
  timeout 300 "$sim" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  [ $status -eq "$wanted" ] || fail "$*: status $status, not $wanted: $(tail -n 3 "$work/err")"
}
says() { grep -q -E -- "$2" "$work/$1" || fail "no '$2' in $1: $(tail -n 5 "$work/$1")"; }

expect 0 --seed 3
[[ $(tail -n 1 "$work/out") =~ ^seed=3\ digest=[0-9a-f]{16}\ operations=[0-9]+\ simulated=[0-9]+\.[0-9]{3}\ verdict=ok$ ]] ||
  fail "the last line of a seed: $(tail -n 1 "$work/out")"
line=$(cat "$work/out")
expect 0 --seed 3 --no-faults
[ "$(cat "$work/out")" != "$line" ] || fail "a seed without faults has the digest of one with"

expect 0 --seed 3 --report "$work/page.html" --trace "$work/trace.json"
[ "$(cat "$work/out")" = "$line" ] || fail "a seed that is told says something else"
grep -q -i '^<!doctype html' "$work/page.html" || fail "the page: $(head -c 100 "$work/page.html")"
grep -q '"traceEvents"' "$work/trace.json" || fail "the trace: $(head -c 100 "$work/trace.json")"
expect 2 --seed 3 --report /nonexistent/page.html
says err '/nonexistent/page.html: '
expect 1 --seeds 3 --report "$work/page.html"

# A seed as a scenario is the same run, whatever is asked of it.
"$sim" --seed 3 --verbose | grep -v -E '^(seed=|events |$|[a-z_]+ judged )' >"$work/3.scenario"
for asked in '' --twice "--report $work/page.html" "--minimize $work/none.scenario"; do
  expect 0 --scenario "$work/3.scenario" $asked
  [ "$(tail -n 1 "$work/out")" = "$line" ] || fail "the scenario of a seed, $asked: $(tail -n 1 "$work/out")"
done
says out '^nothing to minimise: seed 3 fails no check$'
expect 0 --seed 3 --minimize "$work/none.scenario"
[ ! -e "$work/none.scenario" ] || fail "a seed that passes was minimised"
expect 0 --scenario "$work/3.scenario" --no-faults
[ "$(tail -n 1 "$work/out")" != "$line" ] || fail "a scenario without faults has the digest of one with"
# No core bug is needed for a run that fails: nobody may connect, or there is more to do than the time for it.
cat "$work/3.scenario" - <<<'limits.handshake_timeout 1ns' >"$work/shut.scenario"
expect 42 --scenario "$work/shut.scenario" --minimize "$work/small.scenario"
cp "$work/out" "$work/minimized"
says out '^before: nodes=[0-9]+ .* lines=[0-9]+$'
says out '^after:  nodes=2 clients=1 operations=0 incidents=0 lines=3, in [0-9]+ runs$'
says out '^seed=3 .* verdict=failed:liveness$'
[ "$(grep -v '^#' "$work/small.scenario")" = $'seed 3\nlimits.handshake_timeout 1ns\nwork.operations 0' ] ||
  fail "the smaller plan: $(cat "$work/small.scenario")"
expect 42 --scenario "$work/small.scenario"
[ "$(tail -n 1 "$work/out")" = "$(tail -n 1 "$work/minimized")" ] || fail "the file is another run than what was told"
expect 2 --scenario "$work/shut.scenario" --minimize /nonexistent/file
printf 'seed 3\nclients 8\nwork.operations 40000\n' >"$work/long.scenario"
expect 42 --scenario "$work/long.scenario" --seed-cpu-seconds 1 --minimize "$work/small.scenario" --minimize-runs 1
says out 'verdict=failed:crash$'
grep -q '^# Fails by the check `crash`' "$work/small.scenario" || fail "a crash is not minimised: $(cat "$work/small.scenario")"
printf 'seed 3\n\nnothing 4\n' >"$work/bad.scenario"
expect 2 --scenario "$work/bad.scenario"
says err 'bad\.scenario: line 3: not understood: nothing$'
[ "$(wc -l <"$work/err")" -eq 1 ] || fail "more than a line: $(cat "$work/err")"
expect 2 --scenario /nonexistent/file
expect 1 --scenario "$work/3.scenario" --seed 3
expect 1 --scenario "$work/3.scenario" --seeds 3
expect 1 --seeds 3 --minimize "$work/none.scenario"
expect 1 --seed 3 --minimize-runs 3

expect 0 --seeds 6 --base 1 --jobs 1
cp "$work/out" "$work/one"
expect 0 --seeds 6 --base 1 --jobs 3 --jsonl "$work/jsonl"
cmp -s "$work/one" "$work/out" || fail "three processes say something else than one"
cmp -s "$work/out" <(head -n 6 "$digests") || fail "not the pinned digests"
says err '^campaign: seeds=6 failed=0 crashed=0$'
[ "$(wc -l <"$work/jsonl")" -eq 7 ] || fail "six seeds and a summary are not seven lines"
expect 0 --seeds 2 --quiet
[ ! -s "$work/err" ] || fail "quiet, and yet: $(cat "$work/err")"

expect 0 --seeds 2 --shard-index 4
cp "$work/out" "$work/four"
SLURM_ARRAY_TASK_ID=4 expect 0 --seeds 2
cmp -s "$work/four" "$work/out" || fail "a shard by environment has other seeds than by option"
JOB_COMPLETION_INDEX=5 expect 0 --seeds 2
! cmp -s "$work/four" "$work/out" || fail "two shards have the same seeds"

expect 42 --canary
[ "$(grep -c 'verdict=failed:' "$work/out")" -eq 20 ] || fail "twenty lies, and: $(cat "$work/out")"
expect 42 --seeds 2 --marks
says err '^campaign: marks that are not declared rare and that no seed hit: '
expect 0 --list-marks

expect 0 --exhaust evict --faults 1 --jobs 1
line=$(tail -n 1 "$work/out")
[[ $line =~ ^exhaust=evict\ faults=1\ schedules=[0-9]+\ states=[0-9]+\ verdict=ok$ ]] || fail "the last line of a script: $line"
expect 0 --exhaust evict --faults 1 --jobs 3
[ "$(tail -n 1 "$work/out")" = "$line" ] || fail "three processes enumerate something else than one"
expect 0 --exhaust list
[ "$(tr '\n' ' ' <"$work/out")" = "retry resume evict crash sync fence " ] || fail "--exhaust list: $(cat "$work/out")"
expect 1 --exhaust nonsense
says err 'no script is called nonsense'
expect 1 --exhaust sync --report "$work/none.html"
expect 1 --bench events --twice
for number in 010 0x10 -1 18446744073709551616 7x; do expect 1 --seed "$number"; done
expect 1 --seeds 0
expect 1 --canary --seeds 1
expect 1 --exhaust evict --faults 3
expect 1 --exhaust evict --seed 3

expect 0 --help
expect 1
expect 1 --seeds 0
expect 1 --seed 1 --seeds 2
expect 1 --seeds 2 --shard-index 2 --shard-count 2
expect 1 --no-such-option
expect 2 --seeds 2 --jsonl /nonexistent/file

# A process that is ended by a signal in the middle of a seed; a signal that nobody else sends is the seed's fault.
end_child() { # end_child SIGNAL ARGUMENT...
  local signal=$1 status=0 child=''
  shift
  "$sim" "$@" >"$work/out" 2>"$work/err" </dev/null &
  until [ -n "$child" ]; do child=$(cat /proc/[0-9]*/stat 2>/dev/null | awk -v parent=$! '$4 == parent { print $1; exit }'); done
  kill -s "$signal" "$child"
  wait $! || status=$?
  echo $status
}
[ "$(end_child ABRT --seeds 1000000 --jobs 1)" -eq 42 ] || fail "an aborted worker is not a bug"
says out '^crash: signal 6 \(Aborted\)$'
says out '^seed=[0-9]+ digest=0{16} operations=0 simulated=0\.000 verdict=failed:crash$'
says err '^campaign: replay: statefs-sim --seed [0-9]+  # commit [0-9a-z-]+$'
[ "$(end_child KILL --seeds 1000000 --jobs 1)" -eq 2 ] || fail "a killed worker is not the machine's fault"
says err 'ended from outside'

# Nobody reads any more.
status=0
timeout 60 "$sim" --seeds 1000000 2>/dev/null </dev/null | head -n 1 >/dev/null || status=$?
[ $status -ne 124 ] || fail "it goes on although nobody reads"
exit $failed
