// SERVICE: executes one request of one peer, whatever it asks for.
//
//   request.h -> SERVICE -> mutations.h, lookup.h, registrar.h, staging.h -> response.h
//
// PUT and DELETE are mutations.h, GET and LIST lookup.h, sessions registrar.h; here are HELLO, SYNC and STAGE. A refused read or
// chunk is counted (tally.h), for it changes nothing and has no record of its own. What comes beyond its peer's rate of requests is
// put off with OVERLOADED; what is refused is charged to its peer's rate of refusals (peer_rates.h).
#pragma once

#include <cstdint>
#include <span>

#include "core/audit.h"
#include "core/bytes.h"
#include "core/lookup.h"
#include "core/marks.h"
#include "core/mutations.h"
#include "core/policy.h"
#include "core/registrar.h"
#include "core/request.h"
#include "core/response.h"
#include "core/staging.h"
#include "core/store.h"
#include "core/tally.h"
#include "core/time.h"

namespace statefs {

inline constexpr std::uint16_t protocol_version = 1;

// Told to clients in HELLO.
struct ServiceLimits {
  Duration keepalive_interval;
  std::size_t sessions_per_key = limits::sessions_per_key;  // at most that
  StagingLimits staging;
};

struct Executed {
  Status status = Status::ok;
  bool waits_for_flush = false;  // the answer leaves when the store is durable so far, through finish()
};

class Service {
 public:
  // `store`, `tally` and `marks` outlive the service. `mac_key` keys the HMAC of values in audit records and request digests.
  Service(Store& store, Tally& tally, Marks& marks, const SecretKey& mac_key, const ServiceLimits& limits);

  // Appends the response to `out`. `size` is that of the request's frame.
  Executed execute(const Request& request, std::size_t size, const Caller& caller, Now now, Bytes& out);
  // Answers MALFORMED or UNSUPPORTED to a frame that is no request, and counts it. `caller` is authenticated.
  void refuse_frame(const FrameHeader& header, Status status, const Caller& caller, Now now, Bytes& out);

  // The response at `at` waited for the flush: a SYNC's is rewritten with what is durable now.
  void finish(std::span<std::uint8_t> at) const;
  void connection_ended(ConnectionId connection) { registrar_.connection_ended(connection); }
  // Staged bytes of peers that are no longer enrolled go; their sessions may. `policy` outlives the service.
  void policy_changed(const Policy& policy);
  void advance(Now now) { staging_.advance(now); }
  [[nodiscard]] Time deadline() const { return staging_.deadline(); }

  [[nodiscard]] std::uint64_t answered_ok() const { return answered_ok_; }
  [[nodiscard]] std::uint64_t answered_ok_local() const { return answered_ok_local_; }  // of those, of local callers
  [[nodiscard]] std::uint64_t refusals() const { return refusals_; }
  [[nodiscard]] std::uint64_t overloaded() const { return overloaded_; }  // put off for the rate of requests or bytes
  [[nodiscard]] std::uint64_t staged_size() const { return staging_.reserved_size(); }

 private:
  Executed answer(const Request& request, const Caller& caller, Now now, Bytes& out);
  [[nodiscard]] bool may_put_off(const RequestBody& body, const Caller& caller) const;
  Executed put_off(const Request& request, const Caller& caller, Now now, Bytes& out);
  Status stage(const StageRequest& request, std::uint64_t id, const Caller& caller, Now now, Bytes& out);
  Executed sync(const SyncRequest& request, std::uint64_t id, Bytes& out);
  Executed hello(const HelloRequest& request, std::uint64_t id, const Caller& caller, Bytes& out);
  Executed session_verb(const RequestBody& body, std::uint64_t id, const Caller& caller, Now now, Bytes& out);
  Executed outcome(const OutcomeRequest& request, std::uint64_t id, const Caller& caller, Bytes& out);
  Executed finished(Status status);

  Store& store_;
  Tally& tally_;
  Marks& marks_;
  Lookup lookup_;
  Registrar registrar_;
  Staging staging_;
  Mutations mutations_;
  ServiceLimits limits_;
  std::uint64_t answered_ok_ = 0;
  std::uint64_t answered_ok_local_ = 0;
  std::uint64_t refusals_ = 0;
  std::uint64_t overloaded_ = 0;
};

}  // namespace statefs
