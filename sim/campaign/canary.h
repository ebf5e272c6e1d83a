// CANARY: lies that the checkers must see. A campaign of them has to end as one that found bugs; a pipeline that shows it
// green would show a broken proxy green too.
//
//   run.h (a lie told) -> CANARY -> main.h (--canary)
#pragma once

#include "sim/campaign/seed_result.h"

namespace statefs::sim {

// Twenty lies, of checks that judge a history or the ciphers: a call without completion, another value in a record, a retry that
// ran again, a sequence left out, a byte of an answer changed, a crash that took everything, a record lost in the middle of the
// export, a verdict turned into a refusal, damage that nobody did, a refusal without a cause, a count too high, a quota that there
// is not, a request read after an age, a wait of no time, a connection left over, a call that hangs after the faults have stopped,
// a rollback that was none, a stage larger than its value, a connection that was not read for nothing, a nonce twice. Which one is
// told is `seed` modulo this.
inline constexpr std::uint64_t lie_count = 20;

// Runs `seed`, or the next one of the same lie whose history has something to lie about, and tells it. The result fails
// the check that the lie was told, where that check objected, and is ok where it believed it.
[[nodiscard]] SeedResult run_canary(std::uint64_t seed);

}  // namespace statefs::sim
