// CHECKERS: what must hold of every run, judged from its history alone.
//
//   history.h, timeline.h -> CHECKERS -> verdicts, with how many observations each judged
//
//   completed     every call has exactly one completion
//   chain         records have ascending indices without a gap, and each names the hash of the one before
//   recorded      each PUT and DELETE that was answered with an index has that record, with its peer, key and status; each
//                 record belongs to one call that was answered so, or whose outcome is open; so none ran twice
//   policy        a shadow policy, written another way, agrees with every verdict; no effect and no byte leaves the grant
//   linearizable  each answer is what the store held at some moment between call and completion, in the store's own order
//
// A check that judged nothing found nothing out: whoever runs many seeds adds the numbers up and looks for zeros.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "core/crypto.h"
#include "core/memory_store.h"
#include "sim/shadow.h"
#include "sim/timeline.h"

namespace statefs::sim {

struct ServerContext {
  SecretKey mac_key;  // of values in its records
  Durability durability = Durability::sync;
};

// What checkers must know of a world besides its trace.
struct CheckContext {
  std::vector<PublicKey> keys;               // by node
  std::map<NodeId, ServerContext> servers;   // by their nodes
  std::map<NodeId, NodeId> server_of;        // of each node with a client whose calls are in the trace
  std::vector<PolicyPlan> policies;          // by number; 0 is in force from the start
  std::set<NodeId> unwatched;                // peers whose requests are not in the trace, such as hostile ones
};

// In a world of several servers each is judged by itself, and the results are added up.
[[nodiscard]] std::vector<CheckResult> check(const History& history, const CheckContext& context);

}  // namespace statefs::sim
