// MINIMIZE: makes a plan that fails smaller for as long as it fails by the same check.
//
//   a seed's plan that failed -> MINIMIZE: ddmin.h -> a plan of few lines, kept as a scenario
//
// Incidents, hostile nodes, clients, their operations, nodes, numbers, node options and policies are left out where the failure does
// without them (ddmin.h); times and sizes are rounded down. All of that again, until nothing gets smaller. Whoever asks for it
// says how a plan is run, so a crash can be a failure like another (campaign/attempt.h). Each plan that is tried has been text
// and back: what was tried is what the scenario says.
//
// A plan that stays longer than scenario_lines_wanted needs a moment to be met that every change moves: a write torn at one sector,
// say. Then whole parts are left out at once, and each of those plans is tried with a few seeds, until one meets it again. The first
// half of the runs goes without.
//
// Another cause may hide behind the same check. So nothing is made harsher than what a seed could draw: limits and ratios are
// kept or left out, and liveness keeps its calm operations.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "sim/plan.h"

namespace statefs::sim {

// The name of the check that this plan fails; empty: it fails none. Always the same for the same plan.
using FailedCheck = std::function<std::string(const Plan&)>;

struct Minimized {
  Plan plan;
  std::uint64_t runs = 0;
  bool bounded = false;  // no run was left, so it may be smaller still
};

inline constexpr std::uint64_t minimize_runs_max_default = 4'000;
// The lines of a plan that is small enough. A scenario file has four more, which say where it comes from.
inline constexpr std::size_t scenario_lines_wanted = 26;

// `plan` fails by `check`, and so does the result. Runs at most `runs_max` plans.
[[nodiscard]] Minimized minimize(const Plan& plan, std::string_view check, const FailedCheck& failed_check,
                                 std::uint64_t runs_max = minimize_runs_max_default);

// `nodes=N clients=N operations=N incidents=N lines=N`.
[[nodiscard]] std::string size_line(const Plan& plan);

}  // namespace statefs::sim
