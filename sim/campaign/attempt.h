// ATTEMPT: one plan in a child process, for the name of the check that it fails and nothing else.
//
//   main.h -> minimize.h (FailedCheck) -> ATTEMPT: child.h -> seed_run.h
//
// A crash is a failed check like another. A child that was ended from outside answered nothing.
#pragma once

#include <string>

#include "sim/campaign/seed_run.h"

namespace statefs::sim {

struct AttemptEnd {
  std::string failed_check;  // empty where all is well, or it came to the bound of its options
  std::uint64_t events = 0;  // zero after a crash
  std::string problem;       // of the machine; then the plan has no answer
};

// `cpu_seconds` as in guard.h.
[[nodiscard]] AttemptEnd attempt(const Plan& plan, const SeedRunOptions& options, std::uint32_t cpu_seconds);

}  // namespace statefs::sim
