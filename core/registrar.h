// REGISTRAR: opens, resumes and closes sessions, and says what became of a mutation.
//
//   service.h -> REGISTRAR -> store.h (slots.h), audit records of sessions
//
// What it answers is durable before the answer leaves, in both durability modes. Which connection a session is used from
// is volatile and known only here: it decides whom an OPEN may evict. OPEN, RESUME, CLOSE and evictions have a rate for each
// peer (peer_rates.h), for each may be a record and a flush; beyond it the three are OVERLOADED.
#pragma once

#include <cstdint>
#include <map>

#include "core/audit.h"
#include "core/check.h"
#include "core/marks.h"
#include "core/peer_rates.h"
#include "core/policy.h"
#include "core/request.h"
#include "core/response.h"
#include "core/store.h"
#include "core/tally.h"
#include "core/time.h"

namespace statefs {

using ConnectionId = std::uint32_t;

// Who asks for a session event, at what rate, and over which connection.
struct Applicant {
  PeerRef peer;
  PeerRate& rate;
  ConnectionId connection = 0;
};

struct Registered {
  Status status = Status::ok;
  SessionResponse answer;
};

class Registrar {
 public:
  // All of it outlives the registrar. `sessions_per_key` is from 1 to limits::sessions_per_key.
  Registrar(Store& store, Tally& tally, Marks& marks, std::size_t sessions_per_key)
      : store_(store), tally_(tally), marks_(marks), sessions_per_key_(sessions_per_key) {
    STATEFS_CHECK(sessions_per_key >= 1 && sessions_per_key <= limits::sessions_per_key);
  }

  [[nodiscard]] Registered open(const OpenRequest& request, const Applicant& who, Now now);
  [[nodiscard]] Registered resume(const ResumeRequest& request, const Applicant& who, Now now);
  [[nodiscard]] Registered close(const CloseRequest& request, const Applicant& who, Now now);
  // Reads what the table says; an answer other than pending or beyond_horizon is final once it is durable.
  [[nodiscard]] OutcomeResponse outcome(const OutcomeRequest& request, const PeerRef& peer) const;

  void connection_ended(ConnectionId connection);
  // Whom it names keeps its sessions; those of others go where the store has no room for one more. It outlives the registrar.
  void policy_is(const Policy& policy) { policy_ = &policy; }

 private:
  [[nodiscard]] Status raise(const SlotSession& session, std::uint32_t generation, const Applicant& who, Now now);
  [[nodiscard]] Status append(const SlotChange& change, const PeerRef& peer, Op op, Now now);
  [[nodiscard]] Status evict(const SlotSession& session, const PeerRef& peer, Now now);
  [[nodiscard]] const SlotSession* least_used(const Owner& owner) const;
  [[nodiscard]] Status evict_former(Now now);
  [[nodiscard]] bool evict_one(const Owner& owner, const Applicant& who, Now now, Status& status);
  [[nodiscard]] bool make_room(const Owner& owner, const Applicant& who, Now now, Status& status);
  [[nodiscard]] Registered rate_refused(const Applicant& who, Now now) const;
  [[nodiscard]] Registered answer(Status status, const SlotSession* session) const;

  Store& store_;
  Tally& tally_;
  Marks& marks_;
  std::size_t sessions_per_key_;
  const Policy* policy_ = nullptr;  // null: it names everybody
  std::map<std::uint64_t, ConnectionId> used_from_;  // by session number; at most one for each live session
};

}  // namespace statefs
