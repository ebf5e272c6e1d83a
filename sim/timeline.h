// TIMELINE: what the store held at each moment, as its own log tells it, and whether every answer fits some moment.
//
//   history.h -> TIMELINE -> checkers.h
//
// The order of effects is known from the audit, so nothing has to be searched: an answer is right if it shows the state
// after some record that lies between its call and its completion, or the state that the call found. Reads, conditions
// and revisions are judged so; a LIST page must show one single moment.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/history.h"

namespace statefs::sim {

struct CheckResult {
  std::string_view name;
  std::uint64_t judged = 0;
  std::string failure;  // the first one, with its place in the trace; empty: none
};

// `call_of_record`: which call each record belongs to, no_place where none is known.
[[nodiscard]] CheckResult check_order(const History& history, const std::vector<std::size_t>& call_of_record);

}  // namespace statefs::sim
