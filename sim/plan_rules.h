// PLAN RULES: whether a plan makes sense to whoever runs it, so that nonsense is told to its author and is no verdict.
//
//   plan_text.cpp -> PLAN RULES
#pragma once

#include <optional>
#include <string_view>

#include "sim/plan.h"

namespace statefs::sim {

// Of a plan as far as it was read, after each of its lines; empty: none.
[[nodiscard]] std::string_view objection(const Plan& plan);

// Of what needs all of it: what names nodes and policies, and that everybody finds room in the end.
struct PlanObjection {
  enum class About { plan, incident, operations, call, node };
  About about = About::plan;
  std::size_t number = 0;  // of the incident, of the operations, of the call, of the node
  std::string_view what;
};
[[nodiscard]] std::optional<PlanObjection> objection_to_whole(const Plan& plan);

}  // namespace statefs::sim
