// SERVICE: executes one request of one peer: verdict first, then the store, then the answer.
//
//   request.h -> key.h -> policy.h -> store.h {effect, audit record} -> response.h
//
// The verdict is known before the store is read. A PUT or DELETE that is done or refused appends exactly one audit
// record, in the commit of its effect; a refused read is counted (tally.h). A mutation that cannot be recorded is not
// executed, and its key is not read.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/audit.h"
#include "core/bytes.h"
#include "core/policy.h"
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
  const PeerPolicy* policy = nullptr;
};

struct Executed {
  Status status = Status::ok;
  bool waits_for_flush = false;  // a SYNC: the answer leaves when the store is durable so far, through finish_sync()
};

class Service {
 public:
  // `store` and `tally` outlive the service. `keepalive_interval` is told to clients.
  Service(Store& store, Tally& tally, Duration keepalive_interval);

  // Appends the response to `out`.
  Executed execute(const Request& request, const Caller& caller, Now now, Bytes& out);
  // Answers MALFORMED or UNSUPPORTED to a frame that is no request, and counts it. `caller` is authenticated.
  void refuse_frame(const FrameHeader& header, Status status, const Caller& caller, Bytes& out);

  // Rewrites the response at `at` (made by execute for a SYNC) with what is durable now.
  void finish_sync(std::span<std::uint8_t> at) const;

  [[nodiscard]] std::uint64_t answered_ok() const { return answered_ok_; }
  [[nodiscard]] std::uint64_t refusals() const { return refusals_; }

 private:
  struct Mutation;

  Executed mutate(Mutation& mutation, const Caller& caller, Now now, Bytes& out);
  Status judge(Mutation& mutation, const RuleSet& rules);
  Status weigh(Mutation& mutation, const Caller& caller);
  void record(Mutation& mutation, const Caller& caller, Now now);

  Executed put(const PutRequest& request, std::uint64_t id, const Caller& caller, Now now, Bytes& out);
  Executed erase(const DeleteRequest& request, std::uint64_t id, const Caller& caller, Now now, Bytes& out);
  Executed get(const GetRequest& request, std::uint64_t id, const Caller& caller, Bytes& out);
  Executed list(const ListRequest& request, std::uint64_t id, const Caller& caller, Bytes& out);
  Executed sync(const SyncRequest& request, std::uint64_t id, Bytes& out);
  Executed hello(const HelloRequest& request, std::uint64_t id, Bytes& out);
  Executed unsupported(Op op, std::uint64_t id, const Caller& caller, Bytes& out);
  void collect(const CanonicalPrefix& prefix, std::string_view after, const ListRequest& request, const RuleSet& rules,
               ListResponse& page) const;
  Executed finished(Status status);

  Store& store_;
  Tally& tally_;
  Duration keepalive_interval_;
  Sha256 sha_;  // of keys that are too long
  std::uint64_t answered_ok_ = 0;
  std::uint64_t refusals_ = 0;
};

}  // namespace statefs
