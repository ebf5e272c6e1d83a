// EVENT RATE: a bucket of one peer, where it is known of each only between which two moments it was carried out.
//
//   history.h -> EVENT RATE -> session_causes.h, check_rates.cpp
//
// A server may open a request and carry it out later: it answers others first, or rests from a peer that is refused too much.
#pragma once

#include <vector>

#include "core/peer_rates.h"
#include "sim/history.h"

namespace statefs::sim {

class EventRate {
 public:
  EventRate() = default;  // of session events, as they are by default
  explicit EventRate(const RateLimit& limit) : limit_(limit) {}

  struct Spent {
    Place life = 0;          // of the server
    Time from, to;           // never: it was not answered
    std::int64_t count = 1;  // with those that follow from it
  };
  // In any order, all of them before anything is asked.
  void spend(const Spent& spent) { all_.push_back(spent); }
  void settle();

  // How many events, in thousandths, the bucket held at least at each moment between the two, of a server whose clock goes up to a tenth slow.
  [[nodiscard]] std::int64_t least_between(Place life, Time from, Time to) const;

 private:
  RateLimit limit_ = PeerRateLimits{}.session_events;
  std::vector<Spent> all_;  // by `to`
};

}  // namespace statefs::sim
