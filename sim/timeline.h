// TIMELINE: what a store held at each place of the trace, as its own appends and losses tell it.
//
//   case.h -> TIMELINE -> check_linearizable.cpp
//
// The store's real order is known, so nothing has to be searched. A crash that takes records back gives each of their
// keys the version back that it had before.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "sim/case.h"

namespace statefs::sim {

struct Version {
  Place from = 0;
  std::uint64_t revision = 0;  // 0: absent
  ByteView value;
};

class Timeline {
 public:
  using Versions = std::vector<Version>;  // by place, ascending

  explicit Timeline(const Case& of);

  [[nodiscard]] const std::map<std::string_view, Versions>& keys() const { return keys_; }
  [[nodiscard]] Version at(std::string_view key, Place place) const;
  [[nodiscard]] static Version at(const Versions& versions, Place place);
  // What the key was when this append began.
  [[nodiscard]] Version before(const SeenAppend& append) const { return at(append.record.key, append.at - 1); }

  // Whether some moment between the two places satisfies `fits(place)`; those where a key or the policy changed are tried.
  template <typename Fits>
  [[nodiscard]] bool at_some_moment(Place from, Place to, Fits fits) const {
    if (fits(from)) return true;
    for (auto change = after(from); change != changes_.end() && *change < to; ++change) {
      if (fits(*change)) return true;
    }
    return false;
  }

 private:
  [[nodiscard]] std::vector<Place>::const_iterator after(Place place) const;
  void take(const SeenAppend& append);
  void take_back(const SeenEvent& loss);

  struct Change {
    std::uint64_t index = 0;
    std::string_view key;
    Version before;
  };
  std::map<std::string_view, Versions> keys_;
  std::vector<Place> changes_;
  std::vector<Change> kept_;  // that no crash took back
};

}  // namespace statefs::sim
