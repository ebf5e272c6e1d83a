// PEER RATES: what one peer, or one uid, may ask for in the long run, over all its connections.
//
//   rate.h, owner.h -> PEER RATES -> registrar.h, service.h (what is refused), session.h (what is not read)
//
// Kept by peer, not by connection: a new connection gets no fresh rate. Four buckets: session events and requests beyond theirs are
// answered OVERLOADED with the time to wait; so are requests while the bytes of earlier ones are not paid for. Refusals have no
// answer of their own: a peer that has used up what it may be refused is not read, on any connection, until an eighth of a second's
// worth is there again, so that its stream pushes back and nothing goes uncounted.
// Invariant: nothing here is shared between peers, and there is one entry for each that a policy may name, at most.
#pragma once

#include <cstdint>
#include <map>

#include "core/limits.h"
#include "core/marks.h"
#include "core/owner.h"
#include "core/rate.h"
#include "core/time.h"

namespace statefs {

struct PeerRateLimits {
  RateLimit session_events{limits::session_events_per_second, limits::session_events_burst};
  RateLimit refusals{limits::refusals_per_second, limits::refusals_burst};
  RateLimit requests;  // none by default, as of bytes
  RateLimit bytes;     // of requests and their answers, as frames

  // At so much a second, and limits::rate_burst_seconds of that at once.
  [[nodiscard]] static RateLimit at(std::uint64_t per_second) { return {per_second, per_second * limits::rate_burst_seconds}; }
};

// Of one peer.
class PeerRate {
 public:
  PeerRate(const PeerRateLimits& limits, Time now);

  // Takes one of each; false, and nothing taken, where there is none.
  [[nodiscard]] bool take_session_event(Time now);
  [[nodiscard]] bool take_request(Time now);
  // What cannot be helped any more: an event that follows from another, what a request moved, a refusal.
  void charge_session_event(Time now) { session_events_.take(1, now); }
  void charge_bytes(std::uint64_t count, Time now) { bytes_.take(count, now); }
  void charge_refusals(std::uint64_t count, Time now) { refusals_.take(count, now); }

  // How long until what was just refused may go: from 1 to limits::retry_after_ms_max.
  [[nodiscard]] std::uint32_t session_retry_ms(Time now) const;
  [[nodiscard]] std::uint32_t request_retry_ms(Time now) const;

  // Whether its connections may be read. Once they may not, they may again at read_again_at(), if nothing is charged until then.
  [[nodiscard]] bool may_read(Time now);
  [[nodiscard]] Time read_again_at() const { return refusals_.has_at(rest_); }

 private:
  Rate session_events_, refusals_, requests_, bytes_;
  std::uint64_t rest_ = 1;  // refusals that must be there before it is read again
  bool resting_ = false;
};

// Of all peers.
class PeerRates {
 public:
  explicit PeerRates(const PeerRateLimits& limits) : limits_(limits) {}

  // Of a peer or uid that the policy names. It stays where it is until retain() drops it.
  [[nodiscard]] PeerRate& of(const Owner& owner, Time now);
  // Peers for whom `keep` is false are forgotten: no connection of theirs may use its rate any more.
  template <typename Keep>
  void retain(Keep keep) {
    std::erase_if(rates_, [&keep](const auto& each) { return !keep(each.first); });
  }
  [[nodiscard]] std::size_t count() const { return rates_.size(); }

 private:
  PeerRateLimits limits_;
  std::map<Owner, PeerRate> rates_;  // at most limits::rated_peers_max
};

}  // namespace statefs
