#include "tests/os/crash_judge.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "sim/search.h"

namespace statefs::test {
namespace {

using sim::Operation;
using sim::SeenCall;

constexpr unsigned epoch_shift = 40;  // an epoch's records begin at epoch * 2^40

class Judge {
 public:
  explicit Judge(const CrashEvidence& evidence) : evidence_(evidence), mac_(evidence.mac_key) {}

  CrashVerdict go() {
    if (!evidence_.trouble.empty()) object("the run: " + evidence_.trouble);
    counts().calls = evidence_.log.history.calls.size();
    chain();
    lost_writes();
    images();
    puts_and_deletes();
    foreign_records();
    heads_and_syncs();
    final_state();
    order();
    return std::move(verdict_);
  }

 private:
  CrashCounts& counts() { return verdict_.counts; }
  void object(const std::string& what) {
    constexpr std::size_t shown_max = 20;
    if (verdict_.objections.size() < shown_max) verdict_.objections.push_back(what);
  }
  static std::string name_of(const SeenCall& call) {
    return "call " + std::to_string(call.id) + " of client " + std::to_string(call.node) + " on " + call.key;
  }
  // Nothing that this epoch answered may be lost.
  [[nodiscard]] bool is_committed(std::uint64_t index) const {
    const auto epoch = evidence_.epochs.find(index >> epoch_shift);
    return epoch != evidence_.epochs.end() && epoch->second == Durability::commit;
  }
  [[nodiscard]] const ExportedRecord* record_at(std::uint64_t index) const {
    const auto found = records_.find(index);
    return found == records_.end() ? nullptr : found->second;
  }
  static bool is_effect(const ExportedRecord& exported) {
    return exported.record.kind == AuditKind::mutation && exported.record.status == Status::ok;
  }

  // Each record hashes to what its line says, follows the one before, and only an epoch leaves a gap.
  void chain() {
    for (const ExportedRecord& exported : evidence_.exported) {
      const auto [place, is_new] = records_.emplace(exported.record.index, &exported);
      if (!is_new && place->second->line != exported.line) object("one index, two records: " + exported.line);
      counts().repeated += is_new ? 0 : 1;
      if (hash_of(exported) != exported.hash) object("not what its hash says: " + exported.line);
    }
    counts().records = records_.size();
    const ExportedRecord* before = nullptr;
    for (const auto& [index, exported] : records_) {
      const bool is_epoch = exported->record.kind == AuditKind::epoch;
      if (before == nullptr && !is_epoch) object("the log does not begin with an epoch: " + exported->line);
      if (before != nullptr && exported->record.previous != before->hash)
        object("does not follow record " + std::to_string(before->record.index) + ": " + exported->line);
      if (before != nullptr && index != before->record.index + 1 && !is_epoch) object("a gap before " + exported->line);
      before = exported;
    }
    if (records_.empty()) object("nothing was exported");
  }

  void lost_writes() {
    for (const sim::SeenLostWrite& lost : evidence_.log.history.lost_writes) {
      if (!lost_.emplace(std::pair(lost.node, lost.call), &lost).second)
        object("client " + std::to_string(lost.node) + " lost call " + std::to_string(lost.call) + " twice");
      if (is_committed(lost.index))
        object("a write that was durable before its answer was lost: index " + std::to_string(lost.index));
    }
    counts().lost = lost_.size();
  }
  [[nodiscard]] const sim::SeenLostWrite* loss_of(const SeenCall& call) const {
    const auto found = lost_.find({call.node, call.id});
    return found == lost_.end() ? nullptr : found->second;
  }

  // Offline, each image holds a store that reaches what was promised, and the same log as its export.
  void images() {
    for (const FoundImage& image : evidence_.images) {
      counts().torn += image.cut_size != 0 ? 1 : 0;
      if (!image.recovered) {
        object("an image was not recovered");
        continue;
      }
      if (image.last.index < image.promised_index)
        object("an image ends at " + std::to_string(image.last.index) + ", and " + std::to_string(image.promised_index) +
               " was told to be durable");
      const ExportedRecord* const last = record_at(image.last.index);
      if (last == nullptr || last->hash != image.last.hash)
        object("the last record of an image, " + std::to_string(image.last.index) + ", is not in the export");
    }
    if (evidence_.images.empty()) return object("no image was read");
    if (!records_.empty() && evidence_.images.back().last.index != records_.rbegin()->first)
      object("the last image and the export end at different records");
  }

  void puts_and_deletes() {
    for (const auto& [index, exported] : records_) {
      if (exported->record.kind != AuditKind::mutation) continue;
      if (exported->record.op == static_cast<std::uint8_t>(Op::put)) by_mac_[exported->record.value_mac].push_back(exported);
      if (exported->key.starts_with(refused_folder)) refusals_[exported->key].push_back(exported);
    }
    for (const SeenCall& call : evidence_.log.history.calls) {
      if (call.completed_again != sim::no_place) object(name_of(call) + " completed twice");
      if (call.completed == sim::no_place) object(name_of(call) + " never completed");
      if (!call.is_mutation()) continue;
      if (call.op == Op::put) ids_once(call);
      if (call.answered()) answered(call);
    }
  }

  // Each id has at most one effect, and none where it was refused, lost or never sent.
  void ids_once(const SeenCall& call) {
    const Digest mac = mac_.of(call.value);
    macs_.insert(mac);
    std::size_t effects = 0;
    for (const ExportedRecord* exported : by_mac_[mac]) {
      effects += is_effect(*exported) ? 1 : 0;
      if (exported->key != call.key) object(name_of(call) + " is recorded for another key: " + exported->line);
    }
    if (by_mac_[mac].size() > 1) object(name_of(call) + " has " + std::to_string(by_mac_[mac].size()) + " records");
    const sim::SeenLostWrite* const lost = loss_of(call);
    if (call.result == CallResult::timed_out && effects > 0) object(name_of(call) + " was never sent, and has an effect");
    if (!call.answered()) return;
    const bool certainly_lost = lost != nullptr && lost->certain;
    if (call.status != Status::ok && effects > 0) object(name_of(call) + " was refused, and has an effect");
    if (call.status == Status::ok && certainly_lost && effects > 0)
      object(name_of(call) + " was reported lost, and is in the audit");
    if (call.status == Status::ok && lost == nullptr && effects != 1)
      object(name_of(call) + " was answered OK and has " + std::to_string(effects) + " effects");
    if (call.key.starts_with(refused_folder)) {
      const std::size_t recorded = refusals_[call.key].size();
      const bool must = is_committed(call.index);
      if (recorded > 1 || (must && recorded == 0))
        object(name_of(call) + " was refused and is recorded " + std::to_string(recorded) + " times");
      if (call.status != Status::access_denied && call.status != Status::overloaded)
        object(name_of(call) + " is beyond the policy and was answered " + std::to_string(static_cast<int>(call.status)));
    }
  }

  // What was answered is what is recorded at its index, unless the record was lost with its answer.
  void answered(const SeenCall& call) {
    if (call.index == 0) return;
    const ExportedRecord* const exported = record_at(call.index);
    const bool is_ok = call.status == Status::ok;
    if (exported == nullptr) {
      if (is_committed(call.index)) object(name_of(call) + " was durable before its answer, and is not in the audit");
      if (is_ok && loss_of(call) == nullptr)
        object(name_of(call) + " was answered OK, not reported lost, and is not in the audit");
      return;
    }
    const AuditRecord& record = exported->record;
    const bool agrees = record.kind == AuditKind::mutation && record.op == static_cast<std::uint8_t>(call.op) &&
                        record.status == call.status && exported->key == call.key;
    if (!agrees)
      object(name_of(call) + " was answered index " + std::to_string(call.index) +
             ", which is another record: " + exported->line);
    if (is_ok && call.op == Op::put && record.new_revision != call.revision)
      object(name_of(call) + " was answered another revision than was recorded");
    if (is_ok && call.op == Op::del && !deletes_.insert(call.index).second)
      object(name_of(call) + " shares its index with another DELETE");
    (is_ok ? counts().applied : counts().refused) += 1;
  }

  // A value of nobody would be an effect that nobody asked for.
  void foreign_records() {
    for (const auto& [mac, exported] : by_mac_) {
      if (exported.empty() || mac == Digest{} || macs_.contains(mac)) continue;
      object("a value of nobody: " + exported.front()->line);
    }
  }

  // A head that was told as durable stays in the chain; what a SYNC covered is not lost.
  void heads_and_syncs() {
    for (const SeenCall& call : evidence_.log.history.calls) {
      if (!call.answered() || call.head.index == 0) continue;
      const ExportedRecord* const exported = record_at(call.head.index);
      if (exported == nullptr || exported->hash != call.head.hash)
        object("the durable head of " + name_of(call) + ", " + std::to_string(call.head.index) + ", is not in the chain");
      ++counts().heads;
    }
    for (const SeenCall& call : evidence_.log.history.calls) {
      if (call.op == Op::sync && call.answered() && call.status == Status::ok) syncs_[call.node].push_back(&call);
      counts().syncs += call.op == Op::sync && call.answered() && call.status == Status::ok ? 1 : 0;
    }
    for (const SeenCall& write : evidence_.log.history.calls) {
      const sim::SeenLostWrite* const lost = write.is_mutation() ? loss_of(write) : nullptr;
      if (lost == nullptr) continue;
      for (const SeenCall* sync : syncs_[write.node]) {
        if (write.completed < sync->called && sync->completed < lost->at)
          object(name_of(write) + " was lost behind a SYNC that covers it");
      }
    }
  }

  // What is read in the end is what the audit says was written last.
  void final_state() {
    std::map<std::string, const ExportedRecord*> last;
    for (const auto& [index, exported] : records_) {
      if (is_effect(*exported)) last[exported->key] = exported;
    }
    for (auto call = evidence_.log.history.calls.rbegin(); call != evidence_.log.history.calls.rend() && call->op == Op::get;
         ++call) {
      const auto found = last.find(call->key);
      const bool is_there = found != last.end() && found->second->record.op == static_cast<std::uint8_t>(Op::put);
      const bool agrees = is_there ? call->status == Status::ok && mac_.of(call->data) == found->second->record.value_mac &&
                                         call->revision == found->second->record.new_revision
                                   : call->status == Status::not_found;
      if (!agrees) object("in the end " + call->key + " is not what the audit says");
    }
  }

  // Key by key, with the restarts that can have taken something of it.
  void order() {
    std::map<std::string, std::vector<Operation>> keys;
    std::map<std::string, sim::Place> last_change;
    for (const SeenCall& call : evidence_.log.history.calls) {
      sim::History one;
      one.calls.push_back(call);
      const sim::SeenLostWrite* const lost = loss_of(call);
      if (call.is_mutation())
        last_change[call.key] = std::max({last_change[call.key], may_run_until(call), lost == nullptr ? 0 : lost->at});
      for (Operation& operation : sim::operations_of(one)) {
        if (lost != nullptr) operation.loss = lost->certain ? Operation::Loss::yes : Operation::Loss::maybe;
        counts().open += operation.result == Operation::Result::open ? 1 : 0;
        keys[call.key].push_back(std::move(operation));
      }
    }
    for (auto& [key, operations] : keys) {
      add_first_runs(operations);
      for (const Operation& restart : evidence_.restarts) {
        if (restart.called < last_change[key]) operations.push_back(restart);
      }
      const sim::SearchResult found = sim::search_order(operations);
      counts().judged += found.judged;
      counts().steps += found.steps;
      if (found.verdict != sim::KeySearch::Verdict::ok) object("no order explains the answers: " + describe(found, operations));
    }
  }
  // What its client gave up may run once more behind the next restart, and be lost with the one after that.
  [[nodiscard]] sim::Place may_run_until(const SeenCall& call) const {
    if (call.answered() || call.completed == sim::no_place) return call.completed;
    std::size_t later = 0;
    for (const Operation& restart : evidence_.restarts) {
      if (restart.called > call.completed && ++later == 2) return restart.called + 1;
    }
    return sim::no_place;
  }
  // What had no answer before a kill may have run, and been lost, and then runs once more because the table says that it did not.
  // A PUT gets such a first run only where somebody may have seen it: a revision that no PUT was told, or something to delete.
  void add_first_runs(std::vector<Operation>& operations) const {
    std::set<std::uint64_t> told, seen_values, seen, read;
    for (const Operation& each : operations) {
      if (each.kind == Operation::Kind::put && each.result == Operation::Result::ok && each.revision) told.insert(*each.revision);
    }
    for (const Operation& each : operations) {
      if (!each.revision || *each.revision == 0 || told.contains(*each.revision)) continue;
      const bool is_read = each.kind == Operation::Kind::get && each.result == Operation::Result::ok;
      (is_read ? read : seen).insert(*each.revision);
      if (is_read) seen_values.insert(each.value);
    }
    const bool deleted = std::any_of(operations.begin(), operations.end(), [](const Operation& each) {
      return each.kind == Operation::Kind::del && each.result == Operation::Result::ok;
    });
    const bool any_value = deleted || !std::includes(read.begin(), read.end(), seen.begin(), seen.end());
    const std::size_t count = operations.size();
    for (std::size_t i = 0; i < count; ++i) {
      const bool may_be_seen =
          operations[i].kind == Operation::Kind::del || any_value || seen_values.contains(operations[i].value);
      if (operations[i].kind != Operation::Kind::get && may_be_seen && was_sent_again(operations[i]))
        operations.push_back(first_run_of(operations[i]));
    }
  }
  [[nodiscard]] bool was_sent_again(const Operation& operation) const {
    return std::any_of(evidence_.restarts.begin(), evidence_.restarts.end(), [&](const Operation& restart) {
      return operation.called < restart.called &&
             (operation.result == Operation::Result::open || restart.called < operation.answered);
    });
  }
  static Operation first_run_of(Operation operation) {
    operation.result = Operation::Result::open;
    operation.loss = Operation::Loss::yes;
    operation.answered = 0;
    operation.revision.reset();
    return operation;
  }

  const CrashEvidence& evidence_;
  HmacSha256 mac_;
  CrashVerdict verdict_;
  std::map<std::uint64_t, const ExportedRecord*> records_;
  std::map<std::pair<sim::NodeId, CallId>, const sim::SeenLostWrite*> lost_;
  std::map<sim::NodeId, std::vector<const SeenCall*>> syncs_;
  std::map<Digest, std::vector<const ExportedRecord*>> by_mac_;
  std::map<std::string, std::vector<const ExportedRecord*>> refusals_;
  std::set<Digest> macs_;
  std::set<std::uint64_t> deletes_;
};

}  // namespace

CrashVerdict judge_crashes(const CrashEvidence& evidence) { return Judge(evidence).go(); }

}  // namespace statefs::test
