// DRAW JOURNAL: which servers of a plan keep their store on a disk, and what goes wrong with that.
//
//   draw.h (the rest of the plan) -> DRAW JOURNAL
//
// From a stream of its own, so that it moves no other draw.
#pragma once

#include "sim/plan.h"

namespace statefs::sim {

// For a plan that is drawn but for this; nothing goes wrong with the disks of one that has no faults. `horizon` is the time of its work.
void draw_journals(Plan& plan, Duration horizon, bool has_faults);

}  // namespace statefs::sim
