// DRAW RATES: how fast a peer may ask, and be refused, in one seed's worlds; and those who want more than is theirs.
//
//   random.h -> DRAW RATES -> draw.h (the rest of a plan)
#pragma once

#include "sim/plan.h"
#include "sim/random.h"

namespace statefs::sim {

// So low that whoever makes noise is beyond them, and clients now and then; and in some of the seeds somebody who makes noise.
void draw_rates(RandomStream& random, Plan& plan);
// In some, room for little more connections than of those that stay, and one who takes what there is of it; and where connections grow
// old, one who takes no answer.
void draw_crowd(RandomStream& random, Plan& plan);

}  // namespace statefs::sim
