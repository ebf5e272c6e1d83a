// DRAW SIZES: how large values may be on a link, and worlds in which large ones wait.
//
//   draw.h -> DRAW SIZES -> plan.h
#pragma once

#include "sim/plan.h"

namespace statefs::sim {

// Values that are cut again and again before they are through only fill a run with events.
void bound_values(const Faults& faults, WorkloadOptions& work);
// Many answers that are large and wait on a slow link, so that what waits for a connection is never all taken.
void draw_thirst(RandomStream& random, Plan& plan);
// PUTs that end a block of the log, a few at a time between two flushes: what follows the end may be records of before a crash.
void draw_filling(RandomStream& random, Plan& plan);

}  // namespace statefs::sim
