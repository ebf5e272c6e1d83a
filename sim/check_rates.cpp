#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "sim/checks.h"
#include "sim/event_rate.h"
#include "sim/grounds.h"
#include "sim/rate_model.h"

namespace statefs::sim {
namespace {

// Of a call in the calm, beside what its peer's own rates make it wait: with one answer at a time over a link of 10 kB/s it may take 15 s.
constexpr Duration service_time_max = seconds(20);

std::uint64_t rest_of(const RateLimit& refusals) { return std::clamp<std::uint64_t>(refusals.per_second / 8, 1, refusals.burst); }

// The time that so many take to come in.
Duration time_of(const RateLimit& limit, std::uint64_t count) {
  return limit.limits() ? nanoseconds(static_cast<std::int64_t>(count * 1'000'000'000 / limit.per_second)) : Duration{};
}

class Rates {
 public:
  explicit Rates(const Case& of) : of_(of), grounds_(of), limits_(of.store().rates) {}

  CheckResult judge() {
    for (const SeenExchange& each : of_.history().exchanges) spend(each);
    for (auto& [name, use] : uses_) {
      for (EventRate* const least : {&use.refusals_least, &use.requests_least, &use.bytes_least}) least->settle();
    }
    for (const SeenExchange& each : of_.history().exchanges) take(each);
    for (const SeenRest& rest : of_.history().rests) judge_rest(rest);
    judge_calm();
    return result_;
  }

 private:
  // A rate begins anew where its server does, and where its peer was not enrolled for a while.
  using Name = std::tuple<NodeId, Place>;
  struct Use {
    RateMost refusals, requests, bytes, session_events;
    EventRate refusals_least, requests_least, bytes_least;
    std::uint64_t put_offs = 0;
  };

  [[nodiscard]] Use& use_of(NodeId peer, Place place);
  void spend(const SeenExchange& each);
  void take(const SeenExchange& each);
  [[nodiscard]] std::uint64_t evicted_by(const SeenExchange& each) const;
  void judge_put_off(const SeenExchange& each, Use& use);
  void judge_rest(const SeenRest& rest);
  [[nodiscard]] bool has_unanswered(NodeId peer, Place at) const;
  void judge_calm();
  void fail(const SeenExchange& each, const std::string& what) {
    result_.fail("node " + std::to_string(each.peer) + " request " + std::to_string(each.id) + " behind entry " + std::to_string(each.asked) +
                 " op " + std::to_string(each.op) + " answered " + (each.is_answered() ? std::string(name_of(each.answer.status)) : "nothing") +
                 ": " + what);
  }

  const Case& of_;
  Grounds grounds_;
  PeerRateLimits limits_;
  std::map<Name, Use> uses_;
  CheckResult result_{"rates", 0, {}};
};

Rates::Use& Rates::use_of(NodeId peer, Place place) {
  Place since = grounds_.up_since(place);
  for (const auto& [at, policy] : of_.policies()) {
    if (at <= place && !is_enrolled(*policy, peer)) since = std::max(since, at);
  }
  const Use fresh{RateMost(limits_.refusals),       RateMost(limits_.requests),  RateMost(limits_.bytes),
                  RateMost(limits_.session_events), EventRate(limits_.refusals), EventRate(limits_.requests),
                  EventRate(limits_.bytes)};
  return uses_.try_emplace({peer, since}, fresh).first->second;
}

void Rates::spend(const SeenExchange& each) {
  if (each.form == SeenExchange::Form::none) return;
  Use& use = use_of(each.peer, each.asked);
  const auto spend_on = [&each](EventRate& least, const RateUse& what) {
    const auto count = static_cast<std::int64_t>(what.possible);
    if (count != 0) least.spend({0, each.asked_time, each.is_answered() ? each.answered_time : never, count});
  };
  spend_on(use.refusals_least, refusals_of(each, limits_));
  spend_on(use.requests_least, requests_of(each));
  spend_on(use.bytes_least, bytes_of(each));
}

void Rates::take(const SeenExchange& each) {
  if (each.form == SeenExchange::Form::none) return;
  Use& use = use_of(each.peer, each.asked);
  if (was_put_off(each, limits_)) judge_put_off(each, use);
  const RateUse refusals = refusals_of(each, limits_), requests = requests_of(each), bytes = bytes_of(each);
  const RateUse events = session_events_of(each);
  ++result_.judged;
  const auto within = [&](RateMost& most, const RateUse& what) {
    return what.certain == 0 || most.take(each.asked_time, each.answered_time, what.certain);
  };
  if (!within(use.refusals, refusals)) fail(each, "refused more often than its rate allows, and read on");
  if (!within(use.requests, requests)) fail(each, "beyond its rate of requests, and executed");
  const bool paid_events = events.certain == 0 || use.session_events.take(each.asked_time, each.answered_time, events.certain, evicted_by(each));
  if (!paid_events) fail(each, "beyond its rate of session events");
  const bool paid = bytes.certain == 0 || use.bytes.take(each.asked_time, each.answered_time, 0, bytes.certain);
  if (!paid) fail(each, "beyond its rate of bytes, and executed");
}

// How many sessions an OPEN evicted: the record of that is right before its own.
std::uint64_t Rates::evicted_by(const SeenExchange& each) const {
  const auto* const answer = std::get_if<SessionResponse>(&each.answer.body);
  const bool opened = answer != nullptr && each.answer.status == Status::ok && std::holds_alternative<OpenRequest>(each.request.body);
  const SeenAppend* const own = opened ? of_.append_of_index(answer->session) : nullptr;
  if (own == nullptr || own == of_.history().appends.data() || own->at < each.asked) return 0;
  const SeenAppend& before = own[-1];
  return before.record.kind == AuditKind::eviction && before.record.peer.key == own->record.peer.key && before.index + 1 == own->index ? 1 : 0;
}

// Of many one in sixteen, or a flood would be judged for as long as all else.
void Rates::judge_put_off(const SeenExchange& each, Use& use) {
  const bool other_reason = session_events_of(each).possible != 0 || std::holds_alternative<StageRequest>(each.request.body);
  if (other_reason) return;
  constexpr std::uint64_t judged_all = 100;
  if (++use.put_offs > judged_all && use.put_offs % 16 != 0) return;
  ++result_.judged;
  const auto is_there = [&each](const RateLimit& limit, const EventRate& least) {
    return !limit.limits() || least.least_between(0, each.asked_time, each.answered_time) > 1'000;
  };
  if (is_there(limits_.requests, use.requests_least) && is_there(limits_.bytes, use.bytes_least)) fail(each, "put off below its rates");
}

// On the connection that it had last: who waits for what the store has not completed may have no room for more answers.
bool Rates::has_unanswered(NodeId peer, Place at) const {
  std::uint32_t connection = 0;
  bool waits = false;
  for (const SeenExchange& each : of_.history().exchanges) {
    if (each.asked > at) break;
    if (each.peer != peer || each.connection < connection) continue;
    if (each.connection > connection) waits = false;
    connection = each.connection;
    waits |= !each.is_answered() || each.answered > at;
  }
  return waits;
}

void Rates::judge_rest(const SeenRest& rest) {
  if (rest.is_pressed || rest.is_edge) return;
  const std::string who = "node " + std::to_string(rest.peer) + behind(rest.at);
  if (!limits_.refusals.limits()) return result_.fail(who + ": not read, without a rate");
  const Use& use = use_of(rest.peer, rest.at);
  ++result_.judged;
  const std::int64_t least = use.refusals_least.least_between(0, rest.from, rest.from) / 1'000;
  if (least <= static_cast<std::int64_t>(rest_of(limits_.refusals)) || has_unanswered(rest.peer, rest.at)) return;
  const std::string time = std::to_string((rest.until - rest.from).ns / 1'000) + " us";
  result_.fail(who + ": not read for " + time + ", though it was refused no more often than its rate allows");
}

// Whoever makes noise goes on with it while the others finish.
void Rates::judge_calm() {
  Place calm = no_place;
  for (const SeenEvent& event : of_.history().events) {
    if (event.kind == TraceKind::calm) calm = event.at;
  }
  const Duration own = time_of(limits_.requests, 4) + time_of(limits_.bytes, 2 * limits::frame_size_max) +
                       (limits_.refusals.limits() ? time_of(limits_.refusals, rest_of(limits_.refusals) + 4) : Duration{});
  std::set<NodeId> connected;
  for (const SeenCall& call : of_.history().calls) {
    if (calm == no_place || call.called < calm || !call.answered()) continue;
    if (connected.insert(call.node).second) continue;  // with its first it finds its way back
    ++result_.judged;
    const Duration took = call.completed_time - call.called_time;
    if (took <= service_time_max + own) continue;
    result_.fail(place_of(call) + ": took " + std::to_string(took.ns / 1'000'000) + " ms after the faults had stopped");
  }
}

}  // namespace

CheckResult check_rates(const Case& of) { return Rates(of).judge(); }

}  // namespace statefs::sim
