// EXHAUST RUN: a script enumerated in processes of its own, so that a crash of one schedule is a verdict with its plan.
//
//   main.h (--exhaust) -> EXHAUST RUN: child.h -> exhaust.h -> the lines that are printed
//
// Each process takes its part of the first faults. Before each schedule it leaves the plan where this process finds it, also
// when it died meanwhile. States are united, so the numbers do not depend on how many processes there were.
#pragma once

#include <cstdint>
#include <cstdio>

#include "sim/exhaust.h"

namespace statefs::sim {

struct ExhaustRunOptions {
  std::uint32_t faults_max = exhaust_faults_max;
  std::uint32_t jobs = 1;
  std::uint32_t cpu_seconds_per_schedule = 0;  // zero: no bound
  Lie lie;                                     // to see a failure
};

// The last line is `exhaust=NAME faults=N schedules=N states=N verdict=ok|failed:CHECK`; above a failure stand the scenario and
// `CHECK: what`. Returns an exit status of campaign.h: the first failure in the order of the enumeration, or too few schedules, is a bug.
[[nodiscard]] int run_exhaust(const ExhaustScript& script, const ExhaustRunOptions& options, std::FILE* out, std::FILE* err);

}  // namespace statefs::sim
