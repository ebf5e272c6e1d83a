// DRAW RATES: how fast a peer may ask, and be refused, in one seed's worlds.
//
//   random.h -> DRAW RATES -> draw.h (the rest of a plan)
#pragma once

#include "sim/plan.h"
#include "sim/random.h"

namespace statefs::sim {

// So low that whoever makes noise is beyond them, and clients now and then; and in some of the seeds somebody who makes noise.
void draw_rates(RandomStream& random, Plan& plan);

}  // namespace statefs::sim
