// DETERMINISM: the check that a run, done again, is the same run, and where it is not, in which event.
//
//   run.h (twice) -> DETERMINISM -> seed_run.h
#pragma once

#include <functional>

#include "sim/run.h"

namespace statefs::sim {

// The run once more, with the marks of those events kept.
using Again = std::function<RunReport(const EventRange& recorded)>;

// Calls `again` once, and where the digests differ twice more: what is not deterministic is unlikely to show only once.
[[nodiscard]] CheckResult check_determinism(const RunReport& first, const Again& again);

}  // namespace statefs::sim
