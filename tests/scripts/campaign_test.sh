#!/bin/bash
# usage: campaign_test.sh STATEFS_SIM
# scripts/campaign: the manifests ask for options that there are, and GNU parallel runs a small campaign. Status 77 where
# GNU parallel is not installed.
set -euo pipefail
sim=$1
folder=$(cd "$(dirname "$0")/../../scripts/campaign" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "FAIL $*"; failed=1; }

help=$("$sim" --help)
options_of() { # of the lines that call the simulator, and those that go on
  sed -n -e '/^ *args:/p' -e '/^srun /,/[^\\]$/p' -e '/^command=/p' -e '/--shard-index {}/p' "$folder/$1" | grep -o -E -e '--[a-z-]+' | sort -u
}
for file in kubernetes.yaml slurm.sbatch gnu-parallel; do
  options=$(options_of $file)
  [ "$(wc -l <<<"$options")" -ge 4 ] || fail "$file calls the simulator with: $options"
  for option in $options; do
    grep -q -E -e "^ +$option( |\$)" <<<"$help" || fail "$file: the simulator has no $option"
  done
done

yaml=$folder/kubernetes.yaml
! grep -q -P '\t' "$yaml" || fail "a tab in YAML"
! sed 's/ *#.*//' "$yaml" | grep -v -E '^$|^( *)(- )?[A-Za-z]+:( [^ ].*)?$' || fail "the lines above are no YAML of this kind"
for line in 'kind: Job' 'completionMode: Indexed' 'backoffLimitPerIndex: [0-9]+' 'restartPolicy: Never' 'action: FailJob' 'values: \[42\]'; do
  grep -q -E "^ *(- )?$line( |\$)" "$yaml" || fail "the Job has no '$line'"
done
grep -A 4 'action: FailJob' "$yaml" | grep -q 'values: \[42\]' || fail "the Job does not fail by status 42"
completions=$(sed -n 's/^ *completions: //p' "$yaml")
grep -q -F "\"--shard-count\", \"$completions\"" "$yaml" || fail "the Job's shard count is not its completions"
bash -n "$folder/slurm.sbatch" || fail "slurm.sbatch"

status=0
"$folder/gnu-parallel" --no-such-option 2>/dev/null || status=$?
[ $status -eq 2 ] || fail "an unknown option: status $status"
[[ $("$folder/gnu-parallel" --help) == "usage: scripts/campaign/gnu-parallel"* ]] || fail "--help"
[ $failed -eq 0 ] || exit 1
[[ $(parallel --version 2>/dev/null | head -n 1 || true) == "GNU parallel"* ]] || { echo "GNU parallel is not installed"; exit 77; }

campaign() { # campaign STATUS LAST_LINE ARGUMENT...
  local wanted=$1 last=$2 status=0 output
  shift 2
  output=$("$folder/gnu-parallel" --jobs 2 --out "$work/out" "$@" 2>&1 </dev/null) || status=$?
  [ $status -eq "$wanted" ] || fail "$*: status $status, not $wanted: $output"
  [[ $output == *$last ]] || fail "$*: said $output"
}
campaign 0 'shards=3 ran=3 seeds=6 failed=0 verdict=ok' --program "$sim" --shards 3 --seeds 2
cat "$work/out"/[0-9].out >"$work/first"
[ "$(sed 's/ .*//' "$work/first" | sort -u | wc -l)" -eq 6 ] || fail "shards share seeds"
campaign 0 'shards=3 ran=3 seeds=6 failed=0 verdict=ok' --program "$sim" --shards 3 --seeds 2 --base 0
cat "$work/out"/[0-9].out | cmp -s - "$work/first" || fail "the same campaign has other seeds"
campaign 42 'shards=2 ran=2 seeds=2 failed=0 verdict=failed' --program "$sim" --shards 2 --seeds 1 --keep-going -- --marks

printf '#!/bin/sh\necho seed=7 verdict=failed:chain\nexit 42\n' >"$work/finds"
printf '#!/bin/sh\nexit 3\n' >"$work/breaks"
chmod +x "$work/finds" "$work/breaks"
campaign 42 '*seed=7 verdict=failed:chain*failed=4 verdict=failed' --program "$work/finds" --shards 4 --seeds 1 --keep-going
campaign 42 '*failed=[12] verdict=failed' --program "$work/finds" --shards 50 --seeds 1
campaign 1 '*failed=0 verdict=failed' --program "$work/breaks" --shards 4 --seeds 1 --keep-going
campaign 2 '*no program*' --program "$work/absent" --shards 4 --seeds 1
exit $failed
