// CANARY: lies that the checkers must see. A campaign of them has to end as one that found bugs; a pipeline that shows it
// green would show a broken proxy green too.
//
//   run.h (a lie told) -> CANARY -> main.h (--canary)
#pragma once

#include "sim/campaign/seed_result.h"

namespace statefs::sim {

// Five lies, one for each check that judges a history: a call without completion, a record lost in the middle of the log,
// one lost at its end, a verdict turned into a refusal, a byte of an answer changed. Which one is told is `seed` modulo
// this.
inline constexpr std::uint64_t lie_count = 5;

// Runs `seed`, or the next one of the same lie whose history has something to lie about, and tells it. The result fails
// the check that the lie was told, where that check objected, and is ok where it believed it.
[[nodiscard]] SeedResult run_canary(std::uint64_t seed);

}  // namespace statefs::sim
