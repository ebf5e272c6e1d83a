#include "sim/search.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "sim/script.h"

namespace statefs::sim {
namespace {

using Verdict = KeySearch::Verdict;

constexpr std::uint64_t blame_steps_max = 50'000;

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok: return "ok";
    case Verdict::violation: return "violation";
    case Verdict::undecided: return "undecided";
  }
  STATEFS_CHECK(false);
}

}  // namespace

SearchResult search_order(std::span<const Operation> history, std::uint64_t steps_max) {
  SearchResult result;
  std::map<std::string_view, std::vector<std::size_t>> keys;
  std::vector<std::size_t> restarts;
  for (std::size_t at = 0; at < history.size(); ++at) {
    const bool is_restart = history[at].kind == Operation::Kind::restart;
    (is_restart ? restarts : keys[history[at].key]).push_back(at);
    result.judged += !is_restart && history[at].result != Operation::Result::open ? 1 : 0;
  }
  for (auto& [key, members] : keys) {
    members.insert(members.end(), restarts.begin(), restarts.end());
    KeySearch search(history, members, KeySearch::Aim::verdict);
    const Verdict verdict = search.run(steps_max);
    result.steps += search.steps();
    if (verdict == Verdict::ok || verdict == result.verdict) continue;
    result.verdict = verdict;
    result.key = std::string(key);
    // What was under way where this one stopped is told, even if it stopped too early.
    KeySearch blame(history, members, KeySearch::Aim::blame);
    (void)blame.run(std::min(steps_max, blame_steps_max));
    result.placed = blame.placed();
    result.unplaced = blame.unplaced();
    if (verdict == Verdict::violation) break;
  }
  return result;
}

std::string describe(const SearchResult& result, std::span<const Operation> history) {
  constexpr std::size_t shown_max = 8;
  std::string text = std::string(name_of(result.verdict)) + " judged=" + std::to_string(result.judged) +
                     " steps=" + std::to_string(result.steps);
  if (result.verdict == Verdict::ok) return text;
  text += " key=" + printable(result.key);
  const std::size_t skipped = result.placed.size() > shown_max ? result.placed.size() - shown_max : 0;
  if (skipped != 0) text += "\n  " + std::to_string(skipped) + " placed before these";
  for (std::size_t i = skipped; i < result.placed.size(); ++i) text += "\n  placed    " + describe(history[result.placed[i]]);
  for (const std::size_t at : result.unplaced) text += "\n  no place  " + describe(history[at]);
  return text;
}

}  // namespace statefs::sim
