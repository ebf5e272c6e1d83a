// SERVICE: executes one request of one peer: verdict first, then the store, then the answer.
//
//   request.h -> key.h -> policy.h -> store.h {effect, audit record} -> response.h
//
// The verdict is known before the store is read. A PUT or DELETE that is done or refused appends exactly one audit
// record, in the commit of its effect and its slot; a refused read is counted (tally.h). The slot is looked up first: what
// ran before is answered as it was, even where the policy has changed since. A mutation that cannot be recorded is not
// executed, and its key is not read.
#pragma once

#include <cstdint>
#include <span>

#include "core/audit.h"
#include "core/bytes.h"
#include "core/lookup.h"
#include "core/marks.h"
#include "core/policy.h"
#include "core/registrar.h"
#include "core/request.h"
#include "core/response.h"
#include "core/store.h"
#include "core/tally.h"
#include "core/time.h"

namespace statefs {

inline constexpr std::uint16_t protocol_version = 1;

// Who asks. `policy` is the peer's own, and lives as long as the peer is enrolled.
struct Caller {
  PeerRef peer;
  ConnectionId connection = 0;
  const PeerPolicy* policy = nullptr;
};

// Told to clients in HELLO.
struct ServiceLimits {
  Duration keepalive_interval;
  std::size_t sessions_per_key = limits::sessions_per_key;  // at most that
};

struct Executed {
  Status status = Status::ok;
  bool waits_for_flush = false;  // the answer leaves when the store is durable so far, through finish()
};

class Service {
 public:
  // `store`, `tally` and `marks` outlive the service. `mac_key` keys the HMAC of values in audit records and request digests.
  Service(Store& store, Tally& tally, Marks& marks, const SecretKey& mac_key, const ServiceLimits& limits);

  // Appends the response to `out`.
  Executed execute(const Request& request, const Caller& caller, Now now, Bytes& out);
  // Answers MALFORMED or UNSUPPORTED to a frame that is no request, and counts it. `caller` is authenticated.
  void refuse_frame(const FrameHeader& header, Status status, const Caller& caller, Bytes& out);

  // The response at `at` waited for the flush: a SYNC's is rewritten with what is durable now.
  void finish(std::span<std::uint8_t> at) const;
  void connection_ended(ConnectionId connection) { registrar_.connection_ended(connection); }

  [[nodiscard]] std::uint64_t answered_ok() const { return answered_ok_; }
  [[nodiscard]] std::uint64_t answered_ok_local() const { return answered_ok_local_; }  // of those, of local callers
  [[nodiscard]] std::uint64_t refusals() const { return refusals_; }

 private:
  struct Mutation;

  Executed answer(const Request& request, const Caller& caller, Now now, Bytes& out);
  Executed mutate(Mutation& mutation, const Caller& caller, Now now, Bytes& out);
  // By the slot alone. True where the answer is known without executing.
  bool answered_by_slot(Mutation& mutation, const Caller& caller, Status& status);
  Status judge(Mutation& mutation, const RuleSet& rules);
  Status weigh(Mutation& mutation, const Caller& caller);
  void record(Mutation& mutation, const Caller& caller, Now now);

  Executed put(const PutRequest& request, std::uint64_t id, const Caller& caller, Now now, Bytes& out);
  Executed erase(const DeleteRequest& request, std::uint64_t id, const Caller& caller, Now now, Bytes& out);
  Executed sync(const SyncRequest& request, std::uint64_t id, Bytes& out);
  Executed hello(const HelloRequest& request, std::uint64_t id, Bytes& out);
  Executed session_verb(const RequestBody& body, std::uint64_t id, const Caller& caller, Now now, Bytes& out);
  Executed outcome(const OutcomeRequest& request, std::uint64_t id, const Caller& caller, Bytes& out);
  Executed unsupported(Op op, std::uint64_t id, const Caller& caller, Bytes& out);
  Executed finished(Status status);
  void mark(SlotVerdict verdict) const;

  Store& store_;
  Tally& tally_;
  Marks& marks_;
  Lookup lookup_;
  Registrar registrar_;
  HmacSha256 mac_;
  ServiceLimits limits_;
  Sha256 sha_;
  Bytes asked_;  // what a request digest covers
  std::uint64_t answered_ok_ = 0;
  std::uint64_t answered_ok_local_ = 0;
  std::uint64_t refusals_ = 0;
};

}  // namespace statefs
