// SEARCH: whether some order of operations explains every answer, found without knowing the store's own order.
//
//   operation.h -> SEARCH: key_search.h for each key -> ok | violation | undecided
//
// Keys do not depend on each other, so each is searched alone. timeline.h judges the same promise the other way: it is told
// the order of effects by the audit, verifies it in one pass, and sees LIST; it needs a trace. This needs no more than what
// clients asked and got, so it can judge a run over real streams, and it does not believe the log. An answer that the timeline
// accepts has a place in the order that the audit tells, so the search accepts it too; tests hold the two against each other.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/key_search.h"

namespace statefs::sim {

struct SearchResult {
  KeySearch::Verdict verdict = KeySearch::Verdict::ok;  // a violation of one key counts more than another's undecided
  std::size_t judged = 0;             // operations that an order has to explain: open ones left aside
  std::uint64_t steps = 0;            // of all keys, for the verdict
  std::string key;                    // unless ok; and then, as places in the history:
  std::vector<std::size_t> placed;    // the order that explains most answers of the key
  std::vector<std::size_t> unplaced;  // what was under way behind it, where no order goes on
};

// One key takes about `steps_max` steps at most, each of them a way to go on that was tried. Memory is bounded by them too: a
// step keeps some 200 bytes, and a bit for each operation of the key.
[[nodiscard]] SearchResult search_order(std::span<const Operation> history, std::uint64_t steps_max = 1'000'000);

// Several lines: the verdict, the end of the order, and the operations that have no place behind it.
[[nodiscard]] std::string describe(const SearchResult& result, std::span<const Operation> history);

}  // namespace statefs::sim
