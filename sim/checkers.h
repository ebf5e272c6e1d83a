// CHECKERS: every check over every server of a world.
//
//   history.h -> CHECKERS (checks.h, each) -> verdicts, with how many observations each judged
//
// A check that judged nothing found nothing out: whoever runs many seeds adds the numbers up and looks for zeros.
#pragma once

#include <vector>

#include "sim/checks.h"

namespace statefs::sim {

// In a world of several servers each is judged by itself; numbers are added up, the first failure stays.
[[nodiscard]] std::vector<CheckResult> check(const History& history, const CheckContext& context);

}  // namespace statefs::sim
