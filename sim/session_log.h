// SESSION LOG: the sessions of a server at each place of the trace, as its records and crashes tell them.
//
//   case.h -> SESSION LOG -> answer_causes.h, session_causes.h
//
// Records say everything of a session but its instance, which only OPEN and RESUME name: it is known of each session that one of
// them was answered with. A number is never used twice, so it names one instance for ever.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "sim/case.h"

namespace statefs::sim {

struct UsedSlot {
  std::uint64_t sequence = 0;
  const SeenAppend* append = nullptr;  // null: never used
};

struct SessionVersion {
  Place from = 0;
  bool live = false;
  bool ended = false;  // neither: a crash took back that it was opened
  std::uint32_t generation = 0;
  const SeenAppend* last_event = nullptr;  // of the session itself
  std::array<UsedSlot, limits::slots_per_session> slots{};
};

struct SessionLife {
  std::uint64_t number = 0;
  std::optional<SessionInstance> instance;  // where it is known
  std::vector<SessionVersion> versions;     // by place, ascending

  [[nodiscard]] const SessionVersion& at(Place place) const;
};

class SessionLog {
 public:
  explicit SessionLog(const Case& of);

  using Lives = std::map<std::uint64_t, SessionLife>;  // by number
  [[nodiscard]] const Lives& of_peer(NodeId peer) const;
  [[nodiscard]] const SessionLife* find(NodeId peer, std::uint64_t number) const;

  // How many sessions of the peer are live there, and how many of them were opened or resumed since the server came up.
  [[nodiscard]] std::size_t live_count(NodeId peer, Place place) const;
  [[nodiscard]] std::size_t joined_count(NodeId peer, Place place, Place up_since) const;
  // Whether so few ended after it that its slots are still kept there.
  [[nodiscard]] bool is_kept(NodeId peer, const SessionLife& life, Place place) const;

  // Whether fits(place) at some moment between the two: there, and wherever a session of the peer changed.
  template <typename Fits>
  [[nodiscard]] bool at_some_moment(NodeId peer, Place from, Place to, Fits fits) const {
    if (fits(from)) return true;
    const auto known = changes_.find(peer);
    if (known == changes_.end()) return false;
    auto change = std::upper_bound(known->second.begin(), known->second.end(), from);
    for (; change != known->second.end() && *change <= to; ++change) {
      if (fits(*change)) return true;
    }
    return false;
  }

 private:
  struct Change {
    std::uint64_t index = 0;
    NodeId peer = 0;
    std::uint64_t number = 0;
    SessionVersion before;
  };
  void take(const SeenAppend& append);
  void take_back(const SeenEvent& loss);
  void name_instances(const Case& of);

  std::map<NodeId, Lives> peers_;
  std::map<NodeId, std::vector<Place>> changes_;
  std::vector<Change> kept_;  // that no crash took back
};

}  // namespace statefs::sim
