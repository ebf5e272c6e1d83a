// EXHAUST SCRIPTS: the named conversations that are enumerated, each of at most four operations a client, and their faults.
//
//   EXHAUST SCRIPTS -> exhaust.h;  main.h (--exhaust NAME)
//
//   retry   an answer is lost: two calls under way on two slots, and a peer that sends everything again, answered or not
//   resume  the session is taken up again on a new connection, behind pauses, refusals and late answers
//   evict   sessions of the same key push the session out while its client is away
//   crash   the machine stops, with nothing, one record or everything of what was not flushed kept, in both durability modes
//   sync    SYNC is the boundary of what a crash takes back; flushes that are slow or fail, in both durability modes
//   fence   an old connection is still there when the new one resumes; requests of old generations and sequences
//
// Which faults a script has is what its promise depends on; a stream between two clients and one server cannot be reordered, so
// order is that between connections and directions: one of them waits for a while.
#pragma once

#include "sim/exhaust.h"

namespace statefs::sim {

[[nodiscard]] const std::vector<ExhaustScript>& exhaust_scripts();
[[nodiscard]] const ExhaustScript* exhaust_script_of(std::string_view name);  // null: there is none

}  // namespace statefs::sim
