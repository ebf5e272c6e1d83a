// EVENT RATE: the bucket of one peer's session events, where it is known of each only between which two moments it was carried out.
//
//   history.h -> EVENT RATE -> session_causes.h
//
// A server may open a request and carry it out later: it answers others first, or rests from a peer that is refused too much.
#pragma once

#include <vector>

#include "sim/history.h"

namespace statefs::sim {

class EventRate {
 public:
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
  std::vector<Spent> all_;  // by `to`
};

}  // namespace statefs::sim
