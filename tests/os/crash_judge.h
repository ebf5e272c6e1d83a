// CRASH JUDGE: what a run of crashes must hold, from what clients saw, what was exported, and what the images held.
//
//   crash_run.h -> CRASH JUDGE: sim/search.h for the order of answers; audit chain; each id at most once
//
// A PUT is named by the MAC of its value, a DELETE by the index that it was answered.
#pragma once

#include <string>
#include <vector>

#include "tests/os/crash_run.h"

namespace statefs::test {

struct CrashCounts {
  std::size_t calls = 0;
  std::size_t judged = 0;    // operations that the order explains
  std::uint64_t steps = 0;   // of the search
  std::size_t open = 0;      // whose outcome nobody was told
  std::size_t lost = 0;      // writes that were answered OK and reported lost
  std::size_t applied = 0;   // PUTs and DELETEs that were answered OK, found in the audit once
  std::size_t refused = 0;   // mutations refused, found without an effect
  std::size_t syncs = 0;     // that were answered OK
  std::size_t heads = 0;     // that clients hold, found in the chain
  std::size_t records = 0;   // exported, each counted once
  std::size_t repeated = 0;  // lines that were exported again
  std::size_t torn = 0;      // images whose last record was cut
};

struct CrashVerdict {
  std::vector<std::string> objections;  // at most a few of each kind
  CrashCounts counts;
};

[[nodiscard]] CrashVerdict judge_crashes(const CrashEvidence& evidence);

}  // namespace statefs::test
