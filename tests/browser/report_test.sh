#!/bin/bash
# The page of a report in headless Chromium: report_test.sh MODULES SAMPLES [--screenshot FILE]
#
# MODULES is the folder that `scripts/install-deps browser` filled, SAMPLES the program that makes pages to open. Exit
# status: 0 all holds, 77 there is no browser here, anything else something does not hold.
set -euo pipefail
modules=$1
samples=$2
shift 2
browser=$(command -v chromium || command -v chromium-browser || true)
if [ -z "$browser" ] || ! command -v node >/dev/null || [ ! -d "$modules/playwright-core" ]; then
  echo "no browser here, so the page of a report is not tested: scripts/install-deps browser"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$samples" "$work"
status=0
node "$(dirname "$0")/report.test.mjs" "$modules" "$browser" "$work" "$@" || status=$?
exit $status
