#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "sim/checks.h"

namespace statefs::sim {
namespace {

std::string name_of(const SeenExport& seen) { return "exported " + std::to_string(seen.index) + " at entry " + std::to_string(seen.at); }

// Walks what was exported beside what was stored. Epoch records are the store's own: they are exported without being appended.
class Audit {
 public:
  explicit Audit(const Case& of) : of_(of) {}

  CheckResult judge() {
    auto event = of_.history().events.begin();
    for (const SeenExport& seen : of_.history().exports) {
      if (seen.node != of_.server()) continue;
      for (; event != of_.history().events.end() && event->at < seen.at; ++event) take(*event);
      ++result_.judged;
      const std::string what = objection(seen);
      if (!what.empty()) result_.fail(name_of(seen) + ": " + what);
    }
    for (; event != of_.history().events.end(); ++event) take(*event);
    judge_rest();
    judge_times();
    judge_answers();
    for (const SeenExchange& each : of_.history().exchanges) judge_said(each);
    judge_counts();
    return result_;
  }

 private:
  void take(const SeenEvent& event);
  [[nodiscard]] std::string objection(const SeenExport& seen);
  [[nodiscard]] std::string appended_objection(const SeenExport& seen);
  [[nodiscard]] std::string epoch_objection(const SeenExport& seen) const;
  [[nodiscard]] const SeenAppend* first_unexported(Place at);
  void judge_answers();
  void judge_head(const AuditHead& head, const std::string& whose);
  void judge_said(const SeenExchange& exchange);
  void judge_rest();
  void judge_times();
  void judge_counts();
  [[nodiscard]] Place last_commit() const;
  [[nodiscard]] const Digest* hash_of(std::uint64_t index);

  const Case& of_;
  Sha256 sha_;
  std::map<std::uint64_t, const SeenExport*> exported_;
  const SeenExport* last_ = nullptr;      // of the chain
  std::size_t next_append_ = 0;           // the first that is not exported
  std::uint64_t durable_ = 0;
  bool crashed_ = false;
  std::map<std::uint64_t, Digest> hashes_;  // of records that heads name
  CheckResult result_{"audit", 0, {}};
};

void Audit::take(const SeenEvent& event) {
  if (event.node != of_.server()) return;
  if (event.kind == TraceKind::durable) durable_ = event.argument;
  if (event.kind != TraceKind::store_lost) return;
  crashed_ = true;
  if (of_.is_rollback(event.at)) {
    exported_.erase(exported_.upper_bound(event.argument), exported_.end());
    last_ = exported_.empty() ? nullptr : exported_.rbegin()->second;
  }
  if (last_ != nullptr && event.argument < last_->index) result_.fail("entry " + std::to_string(event.at) + ": a crash took back what was exported");
}

const SeenAppend* Audit::first_unexported(Place at) {
  const auto& appends = of_.history().appends;
  for (; next_append_ < appends.size() && appends[next_append_].at < at; ++next_append_) {
    if (appends[next_append_].alive_at(at)) return &appends[next_append_];
  }
  return nullptr;
}

std::string Audit::objection(const SeenExport& seen) {
  if (seen.record.index != seen.index) return "is another record";
  const auto known = exported_.find(seen.index);
  if (known != exported_.end()) return equal(known->second->encoded, seen.encoded) ? "" : "was exported with other bytes before";
  exported_.emplace(seen.index, &seen);
  const SeenExport* const before = std::exchange(last_, &seen);
  if (before != nullptr && seen.index <= before->index) return "out of order";
  const Digest previous = before == nullptr ? Digest{} : sha_.of(before->encoded);
  std::string what = seen.record.kind == AuditKind::epoch ? epoch_objection(seen) : appended_objection(seen);
  if (what.empty() && seen.record.previous != previous) what = "another hash before it";
  if (what.empty() && before != nullptr && seen.record.kind != AuditKind::epoch && seen.index != before->index + 1) what = "a gap before it";
  return what;
}

std::string Audit::appended_objection(const SeenExport& seen) {
  const SeenAppend* const own = of_.append_of_index(seen.index);
  if (own == nullptr || own->at > seen.at) return "was not appended";
  if (!equal(own->encoded, seen.encoded)) return "other bytes than were appended";
  if (own->lost != no_place && !of_.is_rollback(own->lost)) return "was lost at entry " + std::to_string(own->lost);
  if (seen.index > durable_) return "is not durable";
  if (first_unexported(seen.at) != own) return "there is a record before it that was not exported";
  ++next_append_;
  return {};
}

std::string Audit::epoch_objection(const SeenExport& seen) const {
  if (seen.index != seen.record.epoch << 40) return "an epoch of another index";
  const auto& appends = of_.history().appends;
  for (std::size_t i = next_append_; i < appends.size() && appends[i].index < seen.index; ++i) {
    if (appends[i].alive_at(seen.at)) return "there is a record before the epoch that was not exported";
  }
  return {};
}

// While a machine runs its clock goes on; what it appends says when.
void Audit::judge_times() {
  std::uint64_t epoch = 0;
  std::int64_t latest = 0;
  for (const SeenAppend& append : of_.history().appends) {
    if (append.index >> 40 == epoch && append.record.monotonic_ns < latest) result_.fail(place_of(append) + ": recorded before the one before it");
    epoch = append.index >> 40;
    latest = append.record.monotonic_ns;
  }
}

// A bijection: each sequenced decision that was answered with an index has its record, and no two have one.
void Audit::judge_answers() {
  std::map<std::uint64_t, const SeenCall*> decided;
  for (const SeenCall& call : of_.history().calls) {
    if (!call.answered()) continue;
    if (call.head.index != 0) judge_head(call.head, place_of(call));
    if (!call.is_mutation() || call.index == 0) continue;
    ++result_.judged;
    const SeenAppend* const append = of_.append_of_index(call.index);
    if (append == nullptr || !append->is_mutation()) result_.fail(place_of(call) + ": answered with a record that is not there");
    const auto [other, fresh] = decided.emplace(call.index, &call);
    if (!fresh) result_.fail(place_of(call) + ": answered with the record of " + place_of(*other->second));
  }
}

const Digest* Audit::hash_of(std::uint64_t index) {
  const auto known = hashes_.find(index);
  if (known != hashes_.end()) return &known->second;
  const auto exported = exported_.find(index);
  const SeenAppend* const append = of_.append_of_index(index);
  if (exported == exported_.end() && append == nullptr) return nullptr;
  return &hashes_.emplace(index, sha_.of(append != nullptr ? append->encoded : exported->second->encoded)).first->second;
}

// The head of an epoch's own record is not known before that was exported.
void Audit::judge_head(const AuditHead& head, const std::string& whose) {
  ++result_.judged;
  const Digest* const hash = hash_of(head.index);
  const bool is_epoch = (head.index & ((std::uint64_t{1} << 40) - 1)) == 0;
  if (hash == nullptr && !is_epoch) result_.fail(whose + ": holds the head of a record that is not there");
  if (hash != nullptr && *hash != head.hash) result_.fail(whose + ": holds a head that is not of the chain");
}

void Audit::judge_said(const SeenExchange& exchange) {
  const auto take = [&](const auto* answer) {
    if (answer != nullptr && answer->head.index != 0) judge_head(answer->head, "an answer behind entry " + std::to_string(exchange.asked));
  };
  take(std::get_if<MutationResponse>(&exchange.answer.body));
  take(std::get_if<SyncResponse>(&exchange.answer.body));
  take(std::get_if<HelloResponse>(&exchange.answer.body));
}

// In the end, where the faults have stopped and the server is up, nothing is left that was not exported.
void Audit::judge_rest() {
  bool is_calm = false, is_up = true;
  for (const SeenEvent& event : of_.history().events) {
    is_calm |= event.kind == TraceKind::calm;
    if (event.node != of_.server()) continue;
    if (event.kind == TraceKind::node_down) is_up = false;
    if (event.kind == TraceKind::node_up) is_up = true;
    if (event.kind == TraceKind::store_refused) is_up = false;
  }
  if (!is_calm || !is_up) return;
  const SeenAppend* const rest = first_unexported(of_.history().end);
  if (rest != nullptr) result_.fail(place_of(*rest) + ": was not exported by the end");
}

// Where the last mutation was recorded the log had room, and the next flush shows that its wake-up is over.
Place Audit::last_commit() const {
  Place flushed = 0;
  for (const SeenEvent& event : of_.history().events) {
    if (event.kind == TraceKind::durable && event.node == of_.server()) flushed = event.at;
  }
  for (auto append = of_.history().appends.rbegin(); append != of_.history().appends.rend(); ++append) {
    if (append->is_mutation() && append->at < flushed) return append->at;
  }
  return 0;
}

// Reads that were refused are counted. A crash takes numbers with it that were not written yet, so without one they must
// suffice; a read that was cut is sent again, so there may be more.
void Audit::judge_counts() {
  using Name = std::tuple<NodeId, Op, Status>;
  std::map<Name, std::uint64_t> recorded, answered;
  std::set<std::pair<NodeId, Op>> asked;
  for (const SeenAppend& append : of_.history().appends) {
    if (append.record.kind != AuditKind::refusals) continue;
    recorded[{of_.node_of(append.record.peer), static_cast<Op>(append.record.op), append.record.status}] += append.record.count;
  }
  const Place commit = last_commit();
  for (const SeenCall& call : of_.history().calls) {
    if (call.op == Op::get || call.op == Op::list) asked.insert({call.node, call.op});
    const bool refused = call.status == Status::access_denied || call.status == Status::invalid_key || call.status == Status::key_too_long;
    if (!call.is_mutation() && call.answered() && refused && call.completed < commit) ++answered[{call.node, call.op, call.status}];
  }
  for (const auto& [name, count] : answered) {
    ++result_.judged;
    const auto& [node, op, status] = name;
    if (!crashed_ && recorded[name] < count) {
      result_.fail("node " + std::to_string(node) + ": " + std::to_string(count) + " reads answered " + std::string(statefs::name_of(status)) +
                   ", fewer recorded");
    }
  }
  for (const auto& [name, count] : recorded) {
    const auto& [node, op, status] = name;
    const bool is_read = op == Op::get || op == Op::list;
    if (is_read && of_.context().server_of.contains(node) && !asked.contains({node, op})) {
      result_.fail("node " + std::to_string(node) + ": refusals recorded of what it never asked");
    }
  }
}

}  // namespace

CheckResult check_audit(const Case& of) { return Audit(of).judge(); }

}  // namespace statefs::sim
