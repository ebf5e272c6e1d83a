// SWEEP: how much of what can be damaged a test damages: a part of it on every change, all of it where STATEFS_SWEEP_ALL is set.
#pragma once

#include <cstdlib>

namespace statefs::test {

inline bool sweeps_all() { return std::getenv("STATEFS_SWEEP_ALL") != nullptr; }
inline std::size_t sweep_step(std::size_t usual) { return sweeps_all() ? 1 : usual; }

}  // namespace statefs::test
