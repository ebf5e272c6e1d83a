#!/bin/bash
# digests.sh PROGRAM: whether this build of statefs-sim gives the digests that are kept for every compiler and option.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
diff digests.txt <("$1" --seeds "$(grep -c . digests.txt)" --base 1 --quiet)
