// MUTATIONS: carries out one PUT or DELETE of one peer: slot, verdict, state, one append, answer.
//
//   service.h -> MUTATIONS -> slots.h, key.h, policy.h, staging.h, store.h {effect, audit record, slot} -> response.h
//
// The verdict is known before the store is read. One that is done or refused appends exactly one audit record, in the commit of
// its effect and its slot. The slot is looked up first: what ran before is answered as it was, even where the policy has
// changed since. What cannot be recorded is not executed, and its key is not read.
#pragma once

#include <cstdint>

#include "core/audit.h"
#include "core/bytes.h"
#include "core/crypto.h"
#include "core/marks.h"
#include "core/peer_rates.h"
#include "core/policy.h"
#include "core/registrar.h"
#include "core/request.h"
#include "core/response.h"
#include "core/staging.h"
#include "core/store.h"
#include "core/tally.h"
#include "core/time.h"

namespace statefs {

// Who asks. `policy` and `rate` are the peer's own, and live as long as the peer is enrolled.
struct Caller {
  PeerRef peer;
  ConnectionId connection = 0;
  const PeerPolicy* policy = nullptr;
  PeerRate* rate = nullptr;
};

// How long a client waits before it tries again what had no room. Exporters free the log in less.
inline constexpr std::uint32_t retry_after_ms = 200;

class Mutations {
 public:
  // All of it outlives this. `mac_key` keys the HMAC of values in audit records and request digests.
  Mutations(Store& store, Tally& tally, Staging& staging, Marks& marks, const SecretKey& mac_key)
      : store_(store), tally_(tally), staging_(staging), marks_(marks), mac_(mac_key) {}

  // Both append the response to `out`.
  [[nodiscard]] Status put(const PutRequest& request, std::uint64_t id, const Caller& caller, Now now, Bytes& out);
  [[nodiscard]] Status erase(const DeleteRequest& request, std::uint64_t id, const Caller& caller, Now now, Bytes& out);

  // Whether a mutation would be executed, as far as its slot goes: only then may it be put off, for what ran before is answered so.
  [[nodiscard]] bool would_execute(const SlotRef& at, const Caller& caller) const;
  [[nodiscard]] std::uint64_t refusals_recorded() const { return refusals_recorded_; }

 private:
  struct Mutation;

  Status execute(Mutation& mutation, const Caller& caller, Now now, Bytes& out);
  // By the slot alone. True where the answer is known without executing.
  bool answered_by_slot(Mutation& mutation, const Caller& caller, Status& status);
  Status judge(Mutation& mutation, const RuleSet& rules);
  Status fetch_stage(Mutation& mutation, const Caller& caller, Now now);
  Status weigh(Mutation& mutation, const Caller& caller);
  void record(Mutation& mutation, const Caller& caller, Now now);
  Status append(Mutation& mutation, Status status, const PeerPolicy& policy);
  void mark(SlotVerdict verdict) const;

  Store& store_;
  Tally& tally_;
  Staging& staging_;
  Marks& marks_;
  HmacSha256 mac_;
  Sha256 sha_;
  Bytes asked_;  // what a request digest covers
  std::uint64_t refusals_recorded_ = 0;
};

}  // namespace statefs
