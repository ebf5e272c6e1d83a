#!/bin/bash
# digests.sh PROGRAM: whether this build of statefs-sim gives the digests that are kept for every compiler and option.
set -euo pipefail
digests=$(dirname "${BASH_SOURCE[0]}")/digests.txt
diff "$digests" <("$1" --seeds "$(grep -c . "$digests")" --base 1 --quiet)
