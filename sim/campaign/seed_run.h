// SEED RUN: one seed as the options want it: with or without faults, twice, with its plan.
//
//   main.h -> SEED RUN: run.h -> seed_result.h
#pragma once

#include "sim/campaign/seed_result.h"

namespace statefs::sim {

struct SeedRunOptions {
  bool without_faults = false;
  bool twice = false;    // and the check `determinism`: both runs have the same digest
  bool verbose = false;  // plan and counts go into the notes
};

[[nodiscard]] SeedResult run_seed(std::uint64_t seed, const SeedRunOptions& options);

}  // namespace statefs::sim
