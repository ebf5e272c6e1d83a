// SESSION CAUSES: whether what a server says to OPEN, RESUME, CLOSE and OUTCOME follows from its sessions.
//
//   grounds.h -> SESSION CAUSES -> check_answers.cpp
//
// Each answer must be right at some moment between its request and itself. Of a session whose instance never was answered it is
// not known which instance it has: it may be any.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "sim/event_rate.h"
#include "sim/grounds.h"

namespace statefs::sim {

class SessionCauses {
 public:
  // `grounds` outlives it.
  explicit SessionCauses(const Grounds& grounds);

  // What is wrong with the answer; empty: nothing.
  [[nodiscard]] std::string objection_to_verb(const SeenExchange& exchange);
  [[nodiscard]] std::string objection_to_outcome(const SeenExchange& exchange);

 private:
  using Asked = std::tuple<NodeId, std::uint64_t, std::uint16_t, std::uint64_t>;  // peer, session, slot, sequence
  struct Taken {
    Time began;
    std::int64_t count = 0;  // in thousandths
  };

  [[nodiscard]] bool is_known_otherwise(const SeenExchange& exchange, const SessionLife& life) const;
  [[nodiscard]] std::int64_t evictions_between(NodeId peer, Place from, Place to) const;
  [[nodiscard]] std::string verb_done(const SeenExchange& exchange, const SessionResponse& answer) const;
  [[nodiscard]] std::string verb_refused(const SeenExchange& exchange, const SessionResponse& answer) const;
  [[nodiscard]] std::string table_objection(const SeenExchange& exchange, const SessionResponse& answer) const;
  [[nodiscard]] bool is_unknown(const SeenExchange& exchange, Place place) const;
  [[nodiscard]] bool is_fenced(const SeenExchange& exchange, const SessionResponse& answer, Place place) const;
  [[nodiscard]] std::string rate_objection(const SeenExchange& exchange);
  [[nodiscard]] bool outcome_fits(const SeenExchange& exchange, Place place) const;
  [[nodiscard]] bool life_tells(const SeenExchange& exchange, const SessionLife& life, Place place) const;
  // The peer's session of that instance: the live one, or the last that ended and is kept. Null: none that is known.
  [[nodiscard]] const SessionLife* present(NodeId peer, const SessionInstance& instance, Place place) const;
  // Whether some session whose instance is not known fits.
  template <typename Fits>
  [[nodiscard]] bool some_nameless(NodeId peer, Fits fits) const {
    for (const auto& [number, life] : log_.of_peer(peer)) {
      if (!life.instance && fits(life)) return true;
    }
    return false;
  }

  const Grounds& grounds_;
  const SessionLog& log_;
  std::map<NodeId, std::vector<Place>> evictions_;
  std::map<NodeId, EventRate> rates_;                  // of OPEN, RESUME, CLOSE and evictions
  std::map<std::pair<NodeId, Place>, Taken> taken_;    // by peer and life of the server
  std::map<Asked, OutcomeResponse> final_outcomes_;
};

}  // namespace statefs::sim
