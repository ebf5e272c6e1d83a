// DRAW: the plan of a seed: first which kinds of fault exist at all, then how strong they are, then when.
//
//   seed -> DRAW -> plan.h
//
// Swarm testing (Groce et al., ISSTA 2012): a run in which one kind is missing shows what another does when it is alone.
// One plan in eight has no faults at all.
#pragma once

#include "sim/plan.h"

namespace statefs::sim {

[[nodiscard]] Plan draw_plan(std::uint64_t seed);

}  // namespace statefs::sim
