#include "sim/session_causes.h"

#include <algorithm>

#include "sim/rate_model.h"

namespace statefs::sim {
namespace {

constexpr std::int64_t margin = 8'000;  // of requests that were opened in another order than they were executed in

const SessionInstance* instance_in(const RequestBody& body) {
  if (const auto* open = std::get_if<OpenRequest>(&body)) return &open->instance;
  if (const auto* resume = std::get_if<ResumeRequest>(&body)) return &resume->instance;
  return nullptr;
}

bool is_session_verb(const RequestBody& body) { return instance_in(body) != nullptr || std::holds_alternative<CloseRequest>(body); }

std::uint32_t generation_in(const RequestBody& body) {
  if (const auto* open = std::get_if<OpenRequest>(&body)) return open->generation;
  if (const auto* resume = std::get_if<ResumeRequest>(&body)) return resume->generation;
  return std::get<CloseRequest>(body).generation;
}

// Of what a slot says; a conflict's revision is told by the linearizable check.
bool slot_fits(const SlotState& said, const UsedSlot& used) {
  if (used.append == nullptr) return said.sequence == 0 && said.index == 0 && said.revision == 0;
  const AuditRecord& record = used.append->record;
  if (said.sequence != used.sequence || said.index != used.append->index || said.status != record.status) return false;
  if (record.status == Status::revision_conflict) return true;
  const bool made = record.status == Status::ok && record.op == static_cast<std::uint8_t>(Op::put);
  return said.revision == (made ? used.append->index : 0);
}

}  // namespace

std::string SessionCauses::objection_to_verb(const SeenExchange& exchange) {
  const auto* const answer = std::get_if<SessionResponse>(&exchange.answer.body);
  if (answer == nullptr) return "an answer of another op";
  const std::string rate = rate_objection(exchange);
  if (!rate.empty()) return rate;
  return exchange.answer.status == Status::ok ? verb_done(exchange, *answer) : verb_refused(exchange, *answer);
}

// Each event that a peer's bucket paid for, evictions with the OPEN that they made room for.
SessionCauses::SessionCauses(const Grounds& grounds) : grounds_(grounds), log_(grounds.sessions()) {
  const Case& of = grounds.of();
  for (const SeenAppend& append : of.history().appends) {
    if (append.record.kind == AuditKind::eviction) evictions_[of.node_of(append.record.peer)].push_back(append.at);
  }
  for (const SeenExchange& each : of.history().exchanges) {
    if (each.form != SeenExchange::Form::request || !is_session_verb(each.request.body)) continue;
    if (each.is_answered() && each.answer.status == Status::overloaded) continue;
    const std::int64_t follow = std::holds_alternative<OpenRequest>(each.request.body) ? evictions_between(each.peer, each.asked, each.answered) : 0;
    EventRate& rate = rates_.try_emplace(each.peer, of.store().rates.session_events).first->second;
    rate.spend({grounds.up_since(each.asked), each.asked_time, each.is_answered() ? each.answered_time : never, 1 + follow});
  }
  for (auto& [peer, rate] : rates_) rate.settle();
}

std::int64_t SessionCauses::evictions_between(NodeId peer, Place from, Place to) const {
  const auto known = evictions_.find(peer);
  if (known == evictions_.end()) return 0;
  const auto first = std::upper_bound(known->second.begin(), known->second.end(), from);
  return std::upper_bound(first, known->second.end(), to) - first;
}

// Over the whole life of a server there are no more than a tenth above the rate. What an OPEN evicts is paid for afterwards.
std::string SessionCauses::rate_objection(const SeenExchange& exchange) {
  const Place life = grounds_.up_since(exchange.asked);
  const RateLimit& limit = grounds_.of().store().rates.session_events;
  const auto burst = static_cast<std::int64_t>(limit.burst) * 1000;
  const auto per_second = static_cast<std::int64_t>(limit.per_second);
  if (exchange.answer.status == Status::overloaded) {
    if (was_put_off(exchange, grounds_.of().store().rates)) return {};  // perhaps: that it had to be is not told
    return rates_.try_emplace(exchange.peer, limit).first->second.least_between(life, exchange.asked_time, exchange.answered_time) >= margin
               ? "below its rate"
               : "";
  }
  Taken& taken = taken_.try_emplace({exchange.peer, life}, Taken{exchange.asked_time, 0}).first->second;
  taken.count += 1000;
  const std::int64_t life_ms = (exchange.answered_time - taken.began).ns / milliseconds(1).ns + 1'000;
  const std::int64_t most = burst + margin + life_ms * per_second * 11 / 10;
  const std::int64_t evicted = 1000 * std::max<std::int64_t>(evictions_between(exchange.peer, life, exchange.asked) - 1, 0);
  return taken.count + evicted > most && exchange.answer.status != Status::io_error ? "beyond the rate of session events" : "";
}

// An instance that is live, or has ended and is kept, is of no other session.
bool SessionCauses::is_known_otherwise(const SeenExchange& exchange, const SessionLife& life) const {
  if (life.number <= 1 || !std::holds_alternative<OpenRequest>(exchange.request.body)) return false;
  const SeenAppend* const opened = grounds_.of().append_of_index(life.number);
  if (opened == nullptr || opened->at <= exchange.asked || opened->at == 0) return false;
  const Place before = opened->at - 1;
  for (const auto& [number, other] : log_.of_peer(exchange.peer)) {
    if (number == life.number || other.instance != *instance_in(exchange.request.body)) continue;
    if (other.at(before).live || (other.at(before).ended && log_.is_kept(exchange.peer, other, before))) return true;
  }
  return false;
}

// Its record came in between, or, for a session that has ended, before.
std::string SessionCauses::verb_done(const SeenExchange& exchange, const SessionResponse& answer) const {
  const SessionLife* const life = log_.find(exchange.peer, answer.session);
  if (life == nullptr) return "a session that its peer does not have";
  const auto* const close = std::get_if<CloseRequest>(&exchange.request.body);
  if (close != nullptr && close->session != answer.session) return "another session than was named";
  const auto fits = [&](Place place) {
    const SessionVersion& now = life->at(place);
    if (answer.generation != now.generation) return false;
    if (close != nullptr) return now.ended;
    return now.live && now.last_event->at > exchange.asked && now.generation == generation_in(exchange.request.body);
  };
  const auto some_moment = [&](auto what) { return log_.at_some_moment(exchange.peer, exchange.asked, exchange.answered, what); };
  if (!some_moment(fits)) return "done without a record";
  if (is_known_otherwise(exchange, *life)) return "opens an instance once more";
  const SessionInstance* const instance = instance_in(exchange.request.body);
  if (instance != nullptr && life->instance != *instance) return "the session of another instance";
  const std::uint64_t durable = grounds_.durable_at(exchange.answered);
  if (!some_moment([&](Place place) { return fits(place) && life->at(place).last_event->index <= durable; })) return "before it was durable";
  return table_objection(exchange, answer);
}

std::string SessionCauses::table_objection(const SeenExchange& exchange, const SessionResponse& answer) const {
  if (answer.slots.size() != limits::slots_per_session) return "a table of another size";
  const SessionLife& life = *log_.find(exchange.peer, answer.session);
  const auto fits = [&](Place place) {
    const SessionVersion& now = life.at(place);
    for (std::size_t i = 0; i < answer.slots.size(); ++i) {
      if (!slot_fits(answer.slots[i], now.slots[i])) return false;
    }
    return true;
  };
  if (!log_.at_some_moment(exchange.peer, exchange.asked, exchange.answered, fits)) return "a table that was never so";
  const std::uint64_t durable = grounds_.durable_at(exchange.answered);
  const bool waits = std::any_of(answer.slots.begin(), answer.slots.end(), [durable](const SlotState& slot) { return slot.index > durable; });
  return waits ? "tells of what is not durable" : "";
}

bool SessionCauses::is_unknown(const SeenExchange& exchange, Place place) const {
  const NodeId peer = exchange.peer;
  if (const auto* close = std::get_if<CloseRequest>(&exchange.request.body)) {
    const SessionLife* const life = log_.find(peer, close->session);
    return life == nullptr || (!life->at(place).live && !log_.is_kept(peer, *life, place));
  }
  const SessionLife* const known = present(peer, *instance_in(exchange.request.body), place);
  if (std::holds_alternative<ResumeRequest>(exchange.request.body)) return known == nullptr || !known->at(place).live;
  if (known != nullptr) return !known->at(place).live;
  return some_nameless(peer, [&](const SessionLife& life) { return log_.is_kept(peer, life, place); });
}

bool SessionCauses::is_fenced(const SeenExchange& exchange, const SessionResponse& answer, Place place) const {
  const SessionLife* const life = log_.find(exchange.peer, answer.session);
  if (life == nullptr || !life->at(place).live || life->at(place).generation != answer.generation) return false;
  const std::uint32_t asked = generation_in(exchange.request.body);
  if (const auto* close = std::get_if<CloseRequest>(&exchange.request.body)) return close->session == answer.session && asked != answer.generation;
  const bool may_be = !life->instance || *life->instance == *instance_in(exchange.request.body);
  return may_be && asked <= answer.generation;
}

std::string SessionCauses::verb_refused(const SeenExchange& exchange, const SessionResponse& answer) const {
  const NodeId peer = exchange.peer;
  const auto some_moment = [&](auto fits) { return log_.at_some_moment(peer, exchange.asked, exchange.answered, fits); };
  const Status status = exchange.answer.status;
  if (status == Status::session_unknown) {
    return some_moment([&](Place place) { return is_unknown(exchange, place); }) ? "" : "of a session that is there";
  }
  if (status == Status::fenced) {
    return some_moment([&](Place place) { return is_fenced(exchange, answer, place); }) ? "" : "though its generation is good";
  }
  if (status == Status::io_error) return grounds_.failed_by(exchange.answered) ? "" : "though the store is well";
  if (status == Status::audit_unavailable) {
    return grounds_.log_free_least(exchange.asked, exchange.answered) < Grounds::room_for_session ? "" : "though the log has room";
  }
  if (status == Status::overloaded) return {};
  if (status != Status::session_limit || !std::holds_alternative<OpenRequest>(exchange.request.body)) return "which it never is";
  const Place up = grounds_.up_since(exchange.asked);
  const auto is_full = [&](Place place) { return log_.joined_count(peer, place, up) >= grounds_.of().store().sessions_per_key; };
  return some_moment(is_full) ? "" : "with room for a session";
}

const SessionLife* SessionCauses::present(NodeId peer, const SessionInstance& instance, Place place) const {
  const SessionLife* best = nullptr;
  for (const auto& [number, life] : log_.of_peer(peer)) {
    if (life.instance != instance) continue;
    const SessionVersion& now = life.at(place);
    if (now.live) return &life;
    if (!log_.is_kept(peer, life, place)) continue;
    if (best == nullptr || now.last_event->index > best->at(place).last_event->index) best = &life;
  }
  return best;
}

bool SessionCauses::life_tells(const SeenExchange& exchange, const SessionLife& life, Place place) const {
  const auto& asked = std::get<OutcomeRequest>(exchange.request.body);
  const auto& answer = std::get<OutcomeResponse>(exchange.answer.body);
  const SessionVersion& now = life.at(place);
  if (!now.live && !log_.is_kept(exchange.peer, life, place)) return false;
  const bool asked_well = asked.slot < limits::slots_per_session && asked.sequence > 0;
  if (!asked_well || asked.sequence < now.slots[asked.slot].sequence) return answer.outcome == Outcome::beyond_horizon;
  const UsedSlot& slot = now.slots[asked.slot];
  if (asked.sequence > slot.sequence) {
    if (now.live) return answer.outcome == Outcome::pending;
    return answer.outcome == Outcome::never_executed && now.last_event->index <= grounds_.durable_at(exchange.answered);
  }
  const Status status = slot.append->record.status;
  const bool is_right = answer.outcome == (status == Status::ok ? Outcome::applied : Outcome::refused);
  const SlotState said{asked.sequence, answer.index, answer.revision, answer.recorded};
  return is_right && slot_fits(said, slot) && answer.index <= grounds_.durable_at(exchange.answered);
}

bool SessionCauses::outcome_fits(const SeenExchange& exchange, Place place) const {
  const auto& asked = std::get<OutcomeRequest>(exchange.request.body);
  if (const SessionLife* const known = present(exchange.peer, asked.instance, place)) return life_tells(exchange, *known, place);
  if (std::get<OutcomeResponse>(exchange.answer.body).outcome == Outcome::beyond_horizon) return true;
  return some_nameless(exchange.peer, [&](const SessionLife& life) { return life_tells(exchange, life, place); });
}

std::string SessionCauses::objection_to_outcome(const SeenExchange& exchange) {
  const auto& asked = std::get<OutcomeRequest>(exchange.request.body);
  const auto* const answer = std::get_if<OutcomeResponse>(&exchange.answer.body);
  if (answer == nullptr) return "an answer of another op";
  if (exchange.answer.status == Status::io_error) return grounds_.failed_by(exchange.answered) ? "" : "though the store is well";
  if (exchange.answer.status != Status::ok) return "an answer that there is not";
  const auto fits = [&](Place place) { return outcome_fits(exchange, place); };
  if (!log_.at_some_moment(exchange.peer, exchange.asked, exchange.answered, fits)) return "an outcome that the log does not have";
  if (answer->outcome == Outcome::pending || answer->outcome == Outcome::beyond_horizon) return {};
  const SessionLife* const life = present(exchange.peer, asked.instance, exchange.answered);
  if (life == nullptr || grounds_.of().has_rollbacks()) return {};
  const auto [said, fresh] = final_outcomes_.try_emplace({exchange.peer, life->number, asked.slot, asked.sequence}, *answer);
  const OutcomeResponse& first = said->second;
  const bool same_verdict = first.outcome == answer->outcome && first.recorded == answer->recorded;
  return same_verdict && first.index == answer->index && first.revision == answer->revision ? "" : "another final outcome than before";
}

}  // namespace statefs::sim
