#include "sim/campaign/canary.h"

#include <algorithm>
#include <iterator>

namespace statefs::sim {
namespace {

constexpr int tries_max = 40;

struct Told {
  std::string_view check;
  bool (*tell)(History& history);  // false: nothing to lie about
};

bool hide_completion(History& history) {
  if (history.calls.empty()) return false;
  history.calls.back().completed = no_place;
  return true;
}

bool lose_middle_record(History& history) {
  if (history.records.size() < 3) return false;
  history.records.erase(history.records.begin() + static_cast<std::ptrdiff_t>(history.records.size() / 2));
  return true;
}

// Only the last record can go without a gap in the chain, and only one that a call was told the index of is missed.
bool lose_last_record(History& history) {
  if (history.records.empty()) return false;
  const std::uint64_t index = history.records.back().record.index;
  const bool was_told = std::any_of(history.calls.begin(), history.calls.end(), [index](const SeenCall& call) {
    return call.is_mutation() && call.answered() && call.index == index;
  });
  if (was_told) history.records.pop_back();
  return was_told;
}

bool refuse_allowed_get(History& history) {
  for (SeenCall& call : history.calls) {
    if (call.op != Op::get || !call.answered() || call.status != Status::ok) continue;
    call.status = Status::access_denied;
    return true;
  }
  return false;
}

bool change_byte_of_answer(History& history) {
  for (SeenCall& call : history.calls) {
    if (call.op != Op::get || !call.answered() || call.status != Status::ok || call.data.empty()) continue;
    call.data.back() = static_cast<std::uint8_t>(call.data.back() ^ 1);
    return true;
  }
  return false;
}

constexpr Told lies[] = {{"completed", hide_completion},
                         {"chain", lose_middle_record},
                         {"recorded", lose_last_record},
                         {"policy", refuse_allowed_get},
                         {"linearizable", change_byte_of_answer}};
static_assert(std::size(lies) == lie_count);

}  // namespace

SeedResult run_canary(std::uint64_t seed) {
  const Told& lie = lies[seed % lie_count];
  bool told = false;
  SeedResult result;
  for (int tries = 0; tries < tries_max && !told; ++tries, seed += lie_count) {
    const Plan plan = draw_plan(seed);
    result = result_of(plan, run(plan, {{}, [&](History& history) { told = lie.tell(history); }, nullptr, {}}));
  }
  // What others object to as well is not the question.
  std::erase_if(result.checks, [&lie](const CheckCount& each) { return each.name != lie.check; });
  result.notes = told ? "canary: " + std::string(lie.check) + " was told a lie\n" : "canary: nothing to lie about\n";
  return result;
}

}  // namespace statefs::sim
