// SCENARIO: a plan as a file: read for a replay, and written when a failing run was made small.
//
//   a file -> SCENARIO -> plan.h;   minimize.h -> SCENARIO -> a file with a head that says what it shows
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "sim/minimize.h"

namespace statefs::sim {

// The error is `PATH: what is wrong`; where it is in a line, with its number.
[[nodiscard]] Result<Plan, std::string> read_scenario(const std::string& path);

// Check, seed, sizes before and after, and how to replay it, as comments; then the plan.
[[nodiscard]] std::string scenario_text(const Plan& before, const Minimized& after, std::string_view check, std::string_view replay);

// Replaces the file; returns what went wrong, or nothing.
[[nodiscard]] std::string write_file(const std::string& path, std::string_view text);

}  // namespace statefs::sim
