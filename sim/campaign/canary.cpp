#include "sim/campaign/canary.h"

#include <algorithm>
#include <iterator>

namespace statefs::sim {
namespace {

constexpr int tries_max = 40;

struct Told {
  std::string_view check;
  bool (*tell)(History& history);  // false: nothing to lie about; null: it is about a nonce
};

bool hide_completion(History& history) {
  if (history.calls.empty()) return false;
  history.calls.back().completed = no_place;
  return true;
}

SeenAppend* last_done_put(History& history) {
  for (auto append = history.appends.rbegin(); append != history.appends.rend(); ++append) {
    if (append->is_mutation() && append->effect == Effect::Kind::put) return &*append;
  }
  return nullptr;
}

bool change_recorded_value(History& history) {
  SeenAppend* const append = last_done_put(history);
  if (append != nullptr) append->record.value_mac[0] ^= 1;
  return append != nullptr;
}

// The same value is stored once more, as a retry that was not recognised would.
bool run_twice(History& history) {
  const SeenAppend* const append = last_done_put(history);
  if (append == nullptr) return false;
  SeenAppend again = *append;
  again.at = history.end++;
  again.index = history.appends.back().index + 1;
  history.appends.push_back(again);
  return true;
}

bool skip_sequence(History& history) {
  SeenAppend* const append = last_done_put(history);
  if (append != nullptr) ++append->record.at.sequence;
  return append != nullptr;
}

bool lose_everything(History& history) {
  const auto durable = std::find_if(history.events.begin(), history.events.end(), [](const SeenEvent& event) {
    return event.kind == TraceKind::durable;
  });
  if (durable == history.events.end()) return false;
  SeenEvent loss = *durable;
  loss.at = history.end++;
  loss.kind = TraceKind::store_lost;
  loss.argument = 0;
  history.events.push_back(loss);
  return true;
}

bool lose_middle_record(History& history) {
  if (history.exports.size() < 3) return false;
  history.exports.erase(history.exports.begin() + static_cast<std::ptrdiff_t>(history.exports.size() / 2));
  return true;
}

bool record_damage(History& history) {
  const SeenAppend* const append = last_done_put(history);
  if (append == nullptr) return false;
  SeenAppend damage = *append;
  damage.at = history.end++;
  damage.index = history.appends.back().index + 1;
  damage.record.kind = AuditKind::damaged;
  damage.record.count = 1'000'000;
  history.appends.push_back(damage);
  return true;
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

bool refuse_without_a_cause(History& history) {
  for (SeenExchange& each : history.exchanges) {
    auto* const answer = std::get_if<MutationResponse>(&each.answer.body);
    if (!each.is_answered() || answer == nullptr || each.answer.status != Status::ok) continue;
    each.answer.status = Status::overloaded;
    *answer = MutationResponse{};
    return true;
  }
  return false;
}

bool count_once_too_often(History& history) {
  for (SeenAppend& append : history.appends) {
    if (append.record.kind != AuditKind::refusals) continue;
    append.record.count += 1'000'000;
    return true;
  }
  return false;
}

bool exceed_no_quota(History& history) {
  SeenAppend* const append = last_done_put(history);
  if (append != nullptr) append->record.status = Status::quota_exceeded;
  return append != nullptr;
}

bool leave_a_connection(History& history) {
  if (history.loads.empty()) return false;
  ++history.loads.front().connections_left;
  return true;
}

bool hang_in_the_calm(History& history) {
  const auto calm = std::find_if(history.events.begin(), history.events.end(), [](const SeenEvent& each) { return each.kind == TraceKind::calm; });
  if (calm == history.events.end() || history.calls.empty() || history.calls.back().called < calm->at) return false;
  history.calls.back().result = CallResult::timed_out;
  return true;
}

bool cry_rollback(History& history) {
  if (history.calls.empty()) return false;
  static const Bytes payload(16);
  SeenEvent report;
  report.at = history.end++;
  report.node = history.calls.back().node;
  report.kind = TraceKind::rolled_back;
  report.argument = ~std::uint64_t{0} >> 1;
  report.payload = payload;
  history.events.push_back(report);
  return true;
}

// A local door has no records, so nothing there has an age.
bool read_after_an_age(History& history) {
  static SpokenLine line;
  const auto last = std::find_if(history.arrivals.rbegin(), history.arrivals.rend(), [](const SeenArrival& each) { return !each.is_local; });
  if (last == history.arrivals.rend()) return false;
  line = {{}, {{0, 0, {}, 0, Time{} + seconds(1'000'000)}}, 1, nullptr, false};
  last->requests = &line;
  return true;
}

bool stage_beyond_the_end(History& history) {
  for (SeenExchange& each : history.exchanges) {
    auto* const answer = std::get_if<StageResponse>(&each.answer.body);
    if (!each.is_answered() || !each.is_readable || answer == nullptr || each.answer.status != Status::ok) continue;
    answer->staged_size = ~std::uint64_t{0};
    return true;
  }
  return false;
}

bool wait_for_nothing(History& history) {
  if (history.calls.empty()) return false;
  history.waits.push_back({history.calls.back().node, {}, {}, 3, {}, false});
  return true;
}

// Of a peer that was refused nothing that would explain it.
bool rest_without_a_refusal(History& history) {
  if (history.arrivals.empty()) return false;
  const SeenArrival& first = history.arrivals.front();
  if (first.peer == no_node) return false;
  history.rests.insert(history.rests.begin(), SeenRest{0, first.node, first.peer, Time{}, Time{} + seconds(1)});
  return true;
}

constexpr Told lies[] = {{"completed", hide_completion},       {"recorded", change_recorded_value}, {"exactly_once", run_twice},
                         {"sessions", skip_sequence},         {"linearizable", change_byte_of_answer}, {"durability", lose_everything},
                         {"audit", lose_middle_record},       {"policy", refuse_allowed_get},      {"channel", record_damage},
                         {"answers", refuse_without_a_cause}, {"counted", count_once_too_often}, {"quota", exceed_no_quota},
                         {"links", read_after_an_age},        {"waits", wait_for_nothing},           {"bounds", leave_a_connection},
                         {"liveness", hang_in_the_calm},      {"rollback", cry_rollback},            {"staged", stage_beyond_the_end},
                         {"rates", rest_without_a_refusal},   {"nonces", nullptr}};
static_assert(std::size(lies) == lie_count);

}  // namespace

SeedResult run_canary(std::uint64_t seed) {
  const Told& lie = lies[seed % lie_count];
  bool told = false;
  SeedResult result;
  for (int tries = 0; tries < tries_max && !told; ++tries, seed += lie_count) {
    const Plan plan = draw_plan(seed);
    Watch watch;
    watch.repeats_nonce = told = lie.tell == nullptr;
    if (!told) watch.lie = [&](History& history) { told = lie.tell(history); };
    result = result_of(plan, run(plan, watch));
  }
  // What others object to as well is not the question.
  std::erase_if(result.checks, [&lie](const CheckCount& each) { return each.name != lie.check; });
  result.notes = told ? "canary: " + std::string(lie.check) + " was told a lie\n" : "canary: nothing to lie about\n";
  return result;
}

}  // namespace statefs::sim
