// RATE MODEL: what a peer used of its rates, as far as its requests and answers tell, from above and from below.
//
//   history.h (exchanges) -> RATE MODEL -> check_rates.cpp, check_answers.cpp
//
// When a request was executed is not known, only that it was between its opening and the sealing of its answer. So there are two
// counts. RateMost adds up what was used for certain, in the longest time that it can have taken: more than a rate allows is a failure of
// whoever keeps it. What may have been used at most goes to an EventRate: what that holds at least must be there. Clocks drift by a tenth at most.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/peer_rates.h"
#include "sim/history.h"

namespace statefs::sim {

// What one request took of a rate.
struct RateUse {
  std::uint64_t certain = 0;
  std::uint64_t possible = 0;
};
[[nodiscard]] RateUse refusals_of(const SeenExchange& exchange, const PeerRateLimits& limits);
[[nodiscard]] RateUse requests_of(const SeenExchange& exchange);
[[nodiscard]] RateUse bytes_of(const SeenExchange& exchange);
[[nodiscard]] RateUse session_events_of(const SeenExchange& exchange);

// Whether it was answered OVERLOADED for the rate of requests or of bytes, and for nothing else that may be.
[[nodiscard]] bool was_put_off(const SeenExchange& exchange, const PeerRateLimits& limits);

// In the order of requests, of one peer in one life of its server. In milliseconds, and parts of a token.
class RateMost {
 public:
  explicit RateMost(const RateLimit& limit) : limit_(limit) {}
  // False where there is more than there can be. `after` is not counted before the next one: it was charged when it was done.
  [[nodiscard]] bool take(Time from, Time until, std::uint64_t before, std::uint64_t after = 0);

 private:
  RateLimit limit_;
  bool empty_ = true;
  std::int64_t sum_ = 0;        // of all so far
  std::int64_t best_ = 0;       // the highest of what the time before each one allows, less what was used before it
  std::int64_t until_ms_ = 0;   // of the latest answer
};

}  // namespace statefs::sim
