// SEED RUN: one seed, or one plan, as the options want it: with or without faults, twice, with its plan, or told as a story.
//
//   main.h, attempt.h -> SEED RUN: run.h -> seed_result.h, story.h
#pragma once

#include <functional>

#include "sim/campaign/seed_result.h"
#include "sim/story.h"

namespace statefs::sim {

struct SeedRunOptions {
  bool without_faults = false;
  bool twice = false;    // and the check `determinism`: both runs have the same digest
  bool verbose = false;  // plan and counts go into the notes
  std::function<void(const Story&)> tell;  // where set, the run is watched by a tap
  std::uint64_t events_max = 0;  // as in run.h, where the run is not told
};

[[nodiscard]] SeedResult run_plan(const Plan& plan, const SeedRunOptions& options);
[[nodiscard]] SeedResult run_seed(std::uint64_t seed, const SeedRunOptions& options);

}  // namespace statefs::sim
