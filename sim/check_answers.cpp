#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "sim/checks.h"
#include "sim/rate_model.h"
#include "sim/session_causes.h"

namespace statefs::sim {
namespace {

// Where a mutation stands and what it asks, whichever of the two it is.
struct Asked {
  SlotRef at;
  std::optional<std::uint64_t> condition;
  std::string_view key;
  std::uint32_t value_size = 0;
  std::optional<ByteView> value;  // of a PUT that has it whole
  std::optional<StageCommit> stage = std::nullopt;
};

// How long to wait is said exactly where waiting helps.
bool hint_fits(const Response& answer) {
  constexpr Status waits[] = {Status::audit_unavailable, Status::no_space, Status::in_progress, Status::overloaded, Status::session_limit};
  const bool helps = std::find(std::begin(waits), std::end(waits), answer.status) != std::end(waits);
  return std::visit(
      [helps](const auto& body) {
        if constexpr (requires { body.retry_after_ms; }) return (body.retry_after_ms != 0) == helps;
        else return true;
      },
      answer.body);
}

std::optional<Asked> mutation_in(const SeenExchange& exchange) {
  if (exchange.form != SeenExchange::Form::request) return std::nullopt;
  if (const auto* del = std::get_if<DeleteRequest>(&exchange.request.body)) {
    return Asked{del->at, del->expected_revision, as_text(del->key), 0, std::nullopt};
  }
  const auto* const put = std::get_if<PutRequest>(&exchange.request.body);
  if (put == nullptr) return std::nullopt;
  if (put->stage) {
    const auto size = static_cast<std::uint32_t>(std::min<std::uint64_t>(put->stage->total_size, ~std::uint32_t{0}));
    return Asked{put->at, put->expected_revision, as_text(put->key), size, std::nullopt, put->stage};
  }
  Asked asked{put->at, put->expected_revision, as_text(put->key), put->value_size, std::nullopt};
  if (put->value.size() == put->value_size) asked.value = put->value;
  return asked;
}

class Answers {
 public:
  explicit Answers(const Case& of) : of_(of), grounds_(of), causes_(grounds_), mac_(of.store().mac_key) {}

  CheckResult judge() {
    for (const SeenExchange& each : of_.history().exchanges) {
      if (const auto asked = mutation_in(each)) asked_[slot_of(each.peer, asked->at)].push_back(&each);
    }
    note_order();
    for (const SeenExchange& each : of_.history().exchanges) {
      std::string what = take(each);
      if (each.is_answered()) ++result_.judged;
      if (!what.empty()) result_.fail(place_of(each) + ": " + what);
    }
    for (const SeenAppend& append : of_.history().appends) {
      if (append.is_mutation()) judge_origin(append);
    }
    return result_;
  }

 private:
  using Slot = std::tuple<NodeId, std::uint64_t, std::uint16_t, std::uint64_t>;  // peer, session, slot, sequence

  static Slot slot_of(NodeId peer, const SlotRef& at) { return {peer, at.session, at.slot, at.sequence}; }
  [[nodiscard]] static std::string place_of(const SeenExchange& exchange);
  void note_order();
  [[nodiscard]] std::string take(const SeenExchange& exchange);
  [[nodiscard]] std::string objection(const SeenExchange& exchange, bool is_first);
  [[nodiscard]] std::string request_objection(const SeenExchange& exchange);
  [[nodiscard]] std::string put_off_objection(const SeenExchange& exchange);
  [[nodiscard]] std::string mutation_objection(const SeenExchange& exchange, const Asked& asked);
  [[nodiscard]] std::string recorded_objection(const SeenExchange& exchange, const Asked& asked, const MutationResponse& answer);
  [[nodiscard]] bool slot_says(const SeenExchange& exchange, const Asked& asked, Place place);
  [[nodiscard]] bool is_same(const AuditRecord& record, Op op, const Asked& asked);
  [[nodiscard]] bool is_other_request(const SeenExchange& exchange, const Asked& asked, const SeenAppend& ran);
  [[nodiscard]] std::string read_objection(const SeenExchange& exchange) const;
  [[nodiscard]] std::string stage_objection(const SeenExchange& exchange) const;
  [[nodiscard]] std::string sync_objection(const SeenExchange& exchange) const;
  [[nodiscard]] std::string hello_objection(const SeenExchange& exchange) const;
  [[nodiscard]] std::string comparison_objection(const SeenExchange& exchange, const HelloResponse& answer) const;
  void judge_origin(const SeenAppend& append);

  const Case& of_;
  Grounds grounds_;
  SessionCauses causes_;
  HmacSha256 mac_;
  std::map<Slot, std::vector<const SeenExchange*>> asked_;
  std::map<const SeenExchange*, Place> done_by_;         // of those behind which their connection asked for something that ran
  std::set<std::uint32_t> greeted_, over_;               // connections
  std::set<std::uint64_t> told_;                         // records whose call was answered as having run just now
  std::map<std::uint64_t, std::uint64_t> conflicts_;     // the revision that was told, by record
  CheckResult result_{"answers", 0, {}};
};

std::string Answers::place_of(const SeenExchange& exchange) {
  return "node " + std::to_string(exchange.peer) + " request " + std::to_string(exchange.id) + " (op " + std::to_string(exchange.op) +
         ") behind entry " + std::to_string(exchange.asked) + " answered " +
         (exchange.is_answered() ? std::string(name_of(exchange.answer.status)) : std::string("nothing"));
}

// A connection's requests are worked on in their order, so one was done by when a later one was recorded.
void Answers::note_order() {
  std::map<std::uint32_t, Place> next;  // by connection
  const auto& all = of_.history().exchanges;
  for (auto each = all.rbegin(); each != all.rend(); ++each) {
    const auto later = next.find(each->connection);
    if (later != next.end()) done_by_[&*each] = later->second;
    const auto* const answer = each->is_answered() ? std::get_if<MutationResponse>(&each->answer.body) : nullptr;
    const SeenAppend* const ran = answer == nullptr || answer->replayed ? nullptr : of_.append_of_index(answer->index);
    if (ran != nullptr) next[each->connection] = ran->at;
  }
}

std::string Answers::take(const SeenExchange& exchange) {
  const bool is_first = exchange.form != SeenExchange::Form::none && greeted_.insert(exchange.connection).second;
  if (!exchange.is_answered()) return {};
  if (exchange.form == SeenExchange::Form::none) return "which nobody asked";
  if (!exchange.is_readable) return "which cannot be read";
  if (over_.contains(exchange.connection)) return "behind the end of its connection";
  if (!hint_fits(exchange.answer)) return "with a wrong word on when to try again";
  const bool failed = grounds_.failed_by(exchange.answered);
  if (of_.durability() == Durability::commit && !failed && grounds_.last_index_at(exchange.asked) > grounds_.durable_at(exchange.answered)) {
    return "before what was there is durable";
  }
  return objection(exchange, is_first);
}

// By the form alone; what is good is looked at.
std::string Answers::objection(const SeenExchange& exchange, bool is_first) {
  const auto* const hello = std::get_if<HelloRequest>(&exchange.request.body);
  const bool greets = exchange.form == SeenExchange::Form::request && hello != nullptr;
  Status expected = Status::ok;
  if (exchange.form == SeenExchange::Form::malformed || (is_first && !greets)) expected = Status::malformed;
  else if (exchange.form == SeenExchange::Form::unknown_op || (greets && hello->version != 1)) expected = Status::unsupported;
  if (expected == Status::malformed || (is_first && expected == Status::unsupported)) over_.insert(exchange.connection);
  if (expected != Status::ok) return exchange.answer.status == expected ? "" : "in place of " + std::string(name_of(expected));
  return request_objection(exchange);
}

// Whether it was beyond its rates is another check's (check_rates.cpp). What ran before is never put off, and HELLO neither.
std::string Answers::put_off_objection(const SeenExchange& exchange) {
  if (std::holds_alternative<HelloRequest>(exchange.request.body)) return "which no HELLO is";
  const auto* const mutation = std::get_if<MutationResponse>(&exchange.answer.body);
  if (mutation == nullptr) return {};
  if (mutation->index != 0 || mutation->replayed || mutation->revision != 0) return "which tells something without a record";
  const SlotRef at = mutation_in(exchange)->at;
  const auto is_next = [&](Place place) {
    const SessionLife* const life = grounds_.sessions().find(exchange.peer, at.session);
    if (life == nullptr || !life->at(place).live || at.slot >= life->at(place).slots.size()) return false;
    return life->at(place).generation == at.generation && life->at(place).slots[at.slot].sequence + 1 == at.sequence;
  };
  return grounds_.sessions().at_some_moment(exchange.peer, exchange.asked, exchange.answered, is_next) ? "" : "which its slot never said";
}

std::string Answers::request_objection(const SeenExchange& exchange) {
  const bool is_verb = std::holds_alternative<SessionResponse>(exchange.answer.body);
  const bool is_stage = std::holds_alternative<StageResponse>(exchange.answer.body);
  if (!is_verb && !is_stage && was_put_off(exchange, of_.store().rates)) return put_off_objection(exchange);
  if (const auto asked = mutation_in(exchange)) return mutation_objection(exchange, *asked);
  switch (op_of(exchange.request.body)) {
    case Op::get:
    case Op::list: return read_objection(exchange);
    case Op::sync: return sync_objection(exchange);
    case Op::hello: return hello_objection(exchange);
    case Op::open:
    case Op::resume:
    case Op::close: return causes_.objection_to_verb(exchange);
    case Op::outcome: return causes_.objection_to_outcome(exchange);
    case Op::stage: return stage_objection(exchange);
    case Op::put:
    case Op::del: break;
  }
  STATEFS_CHECK(false);  // mutations were judged above
}

// Whether a stage was there, and room, is another check's (check_staged.cpp).
std::string Answers::stage_objection(const SeenExchange& exchange) const {
  const Status status = exchange.answer.status;
  if (status == Status::io_error) return grounds_.failed_by(exchange.answered) ? "" : "though the store is well";
  const bool is_verdict = status == Status::access_denied || status == Status::invalid_key || status == Status::key_too_long;
  if (is_verdict || status == Status::value_too_large) {
    const auto* const answer = std::get_if<StageResponse>(&exchange.answer.body);
    return answer != nullptr && answer->staged_size == 0 ? "" : "which tells something of a stage";
  }
  return status == Status::ok || status == Status::stage_missing || status == Status::overloaded ? "" : "which no chunk is";
}

std::string Answers::mutation_objection(const SeenExchange& exchange, const Asked& asked) {
  const auto* const answer = std::get_if<MutationResponse>(&exchange.answer.body);
  if (answer == nullptr) return "an answer of another op";
  if (answer->index != 0) return recorded_objection(exchange, asked, *answer);
  if (answer->replayed || answer->revision != 0) return "which tells something without a record";
  const Status status = exchange.answer.status;
  if (status == Status::io_error) return grounds_.failed_by(exchange.answered) ? "" : "though the store is well";
  if (status == Status::audit_unavailable) {
    return grounds_.log_free_least(exchange.asked, exchange.answered) < Grounds::room_for_mutation ? "" : "though the log has room";
  }
  if (status == Status::no_space) {
    const bool is_put = exchange.op == static_cast<std::uint8_t>(Op::put);
    return is_put && grounds_.lacked_space(asked.key, asked.value_size, exchange.asked, exchange.answered) ? "" : "though there is space";
  }
  if (status == Status::stage_missing) {
    if (!asked.stage) return "of a PUT that brings its value";
    return asked.stage->total_size > of_.store().staging.value_size_max ? "of a value over its limit" : "";
  }
  const auto fits = [&](Place place) { return slot_says(exchange, asked, place); };
  return grounds_.sessions().at_some_moment(exchange.peer, exchange.asked, exchange.answered, fits) ? "" : "which its slot never said";
}

// As the table of section 7 of the protocol has it, first row first.
bool Answers::slot_says(const SeenExchange& exchange, const Asked& asked, Place place) {
  const Status said = exchange.answer.status;
  const SessionLife* const life = grounds_.sessions().find(exchange.peer, asked.at.session);
  if (life == nullptr || !life->at(place).live) return said == Status::session_unknown;
  const SessionVersion& now = life->at(place);
  if (now.generation != asked.at.generation) return said == Status::fenced;
  if (asked.at.slot >= now.slots.size()) return said == Status::sequence_gap;
  const UsedSlot& slot = now.slots[asked.at.slot];
  if (asked.at.sequence > slot.sequence + 1) return said == Status::sequence_gap;
  if (asked.at.sequence < slot.sequence || asked.at.sequence == 0) return said == Status::sequence_old;
  if (asked.at.sequence != slot.sequence) return false;  // the next one: it executes
  if (is_other_request(exchange, asked, *slot.append)) {
    if (said == Status::false_retry) return true;
    if (!is_same(slot.append->record, static_cast<Op>(exchange.op), asked)) return false;
  }
  if (said != Status::in_progress) return false;
  if (of_.durability() == Durability::commit) return slot.append->index > grounds_.durable_at(exchange.asked);
  return slot.append->at > exchange.asked || slot.append->time == exchange.asked_time;
}

bool Answers::is_same(const AuditRecord& record, Op op, const Asked& asked) {
  if (record.op != static_cast<std::uint8_t>(op) || record.key_size != asked.key.size() || record.value_size != asked.value_size) return false;
  if (record.key != asked.key.substr(0, limits::key_size_max)) return false;
  return !asked.value || op != Op::put || record.value_mac == mac_.of(*asked.value);
}

// Whether it may be another request than the one that ran: a condition is in no record, so that of any request of the slot counts.
bool Answers::is_other_request(const SeenExchange& exchange, const Asked& asked, const SeenAppend& ran) {
  if (!is_same(ran.record, static_cast<Op>(exchange.op), asked) || ran.record.key_size > limits::key_size_max) return true;
  for (const SeenExchange* const each : asked_[slot_of(exchange.peer, asked.at)]) {
    if (each->asked < ran.at && mutation_in(*each)->condition != asked.condition) return true;
  }
  return false;
}

std::string Answers::recorded_objection(const SeenExchange& exchange, const Asked& asked, const MutationResponse& answer) {
  const SeenAppend* const append = of_.append_of_index(answer.index);
  if (append == nullptr || !append->is_mutation() || append->at > exchange.answered) return "with a record that is not there";
  const AuditRecord& record = append->record;
  if (of_.node_of(record.peer) != exchange.peer || slot_of(exchange.peer, record.at) != slot_of(exchange.peer, asked.at)) {
    return "with the record of another request";
  }
  if (!is_same(record, static_cast<Op>(exchange.op), asked)) return "with the record of another key or value";
  if (!append->alive_at(exchange.answered)) return "with a record that was lost";
  if (record.status != exchange.answer.status) return "and recorded " + std::string(name_of(record.status));
  if (of_.durability() == Durability::commit && answer.index > grounds_.durable_at(exchange.answered)) return "before it was durable";
  if (!answer.replayed) {
    if (append->at <= exchange.asked || record.at.generation != asked.at.generation) return "as if it had run just now";
    if (!told_.insert(answer.index).second) return "as if it had run twice";
  } else {
    const SessionLife* const life = grounds_.sessions().find(exchange.peer, asked.at.session);
    const auto fits = [&](Place place) { return life->at(place).live && life->at(place).generation == asked.at.generation; };
    if (!grounds_.sessions().at_some_moment(exchange.peer, exchange.asked, exchange.answered, fits)) return "to a generation that is fenced";
    const auto done = done_by_.find(&exchange);
    const bool is_known = of_.durability() == Durability::commit && done != done_by_.end();
    if (is_known && answer.index > grounds_.durable_at(done->second)) return "out of a commit that was under way";
  }
  if (record.status == Status::revision_conflict) {
    return conflicts_.emplace(answer.index, answer.revision).first->second == answer.revision ? "" : "with another revision than before";
  }
  const bool made = record.status == Status::ok && exchange.op == static_cast<std::uint8_t>(Op::put);
  return answer.revision == (made ? answer.index : 0) ? "" : "with another revision";
}

// What a read found is for others to judge; here is why it found nothing at all.
std::string Answers::read_objection(const SeenExchange& exchange) const {
  const Status status = exchange.answer.status;
  if (status == Status::io_error) return grounds_.failed_by(exchange.answered) ? "" : "though the store is well";
  const bool is_get = exchange.op == static_cast<std::uint8_t>(Op::get);
  if (status == Status::not_found || status == Status::revision_changed) return is_get ? "" : "which no list is";
  const bool is_verdict = status == Status::access_denied || status == Status::invalid_key || status == Status::key_too_long;
  return status == Status::ok || is_verdict ? "" : "which no read is";
}

std::string Answers::sync_objection(const SeenExchange& exchange) const {
  const auto* const answer = std::get_if<SyncResponse>(&exchange.answer.body);
  if (answer == nullptr) return "an answer of another op";
  const std::uint64_t epoch = grounds_.epoch_at(exchange.asked);
  if (exchange.answer.status == Status::io_error) return grounds_.failed_by(exchange.answered) ? "" : "though the store is well";
  if (answer->epoch != epoch) return "of another epoch";
  const bool same = std::get<SyncRequest>(exchange.request.body).epoch == epoch;
  if (exchange.answer.status == Status::epoch_changed) return same ? "though it did not" : "";
  if (exchange.answer.status != Status::ok) return "which no SYNC is";
  if (!same) return "though the epoch changed";
  if (answer->durable_index > grounds_.durable_at(exchange.answered)) return "of what is not durable";
  return answer->durable_index < grounds_.last_index_at(exchange.asked) ? "before what was there is durable" : "";
}

// What a crash took back differs, and what is there does not.
std::string Answers::comparison_objection(const SeenExchange& exchange, const HelloResponse& answer) const {
  const auto& asked = std::get<HelloRequest>(exchange.request.body);
  if (asked.store != answer.store || asked.head.index == 0) return answer.comparison == HeadComparison::none ? "" : "compares what was not named";
  if (answer.comparison == HeadComparison::none) return "compares nothing";
  const bool differs = answer.comparison == HeadComparison::differs;
  const bool is_ahead = asked.head.index > grounds_.last_index_at(exchange.answered) || asked.epoch > grounds_.epoch_at(exchange.answered);
  if (is_ahead) return differs ? "" : "does not tell that it is behind";
  const SeenAppend* const append = of_.append_of_index(asked.head.index);
  if (append == nullptr) return {};
  if (append->lost <= exchange.asked && !differs) return "does not tell what it lost";
  const bool is_same = Sha256().of(append->encoded) == asked.head.hash;
  if (append->lost > exchange.answered && is_same && differs) return "tells of a loss that was none";
  return !is_same && answer.comparison == HeadComparison::same ? "takes another history for its own" : "";
}

std::string Answers::hello_objection(const SeenExchange& exchange) const {
  const auto* const answer = std::get_if<HelloResponse>(&exchange.answer.body);
  if (answer == nullptr || exchange.answer.status != Status::ok) return "which no HELLO is";
  if (answer->epoch != grounds_.epoch_at(exchange.asked)) return "of another epoch";
  const bool has_limits = answer->sessions_per_key == of_.store().sessions_per_key && answer->slots_per_session == limits::slots_per_session;
  if (!has_limits || answer->total_value_size_max != of_.store().staging.value_size_max) return "with other limits";
  if (answer->features != (feature_sessions | feature_staging)) return "with other features";
  if (answer->head.index != answer->durable_index) return "with a head of another index";
  if (answer->durable_index < grounds_.durable_at(exchange.asked) || answer->durable_index > grounds_.durable_at(exchange.answered)) {
    return "with another durable index";
  }
  const std::string wrong = comparison_objection(exchange, *answer);
  if (!wrong.empty()) return wrong;
  const std::uint64_t least = grounds_.last_index_at(exchange.asked), most = grounds_.last_index_at(exchange.answered);
  return answer->last_index >= least && answer->last_index <= most ? "" : "with another last index";
}

// Whoever it is of: a mutation is recorded because it was asked, by that peer, with these bytes, and was not answered before.
void Answers::judge_origin(const SeenAppend& append) {
  if (of_.history().arrivals.empty()) return;
  ++result_.judged;
  const NodeId peer = of_.node_of(append.record.peer);
  for (const SeenExchange* const each : asked_[slot_of(peer, append.record.at)]) {
    if (each->asked >= append.at || each->answered < append.at) continue;
    const auto asked = mutation_in(*each);
    if (asked->at.generation == append.record.at.generation && is_same(append.record, static_cast<Op>(each->op), *asked)) return;
  }
  result_.fail(sim::place_of(append) + ": nobody asked for it");
}

}  // namespace

CheckResult check_answers(const Case& of) { return Answers(of).judge(); }

}  // namespace statefs::sim
