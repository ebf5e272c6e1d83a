#include <algorithm>
#include <map>
#include <tuple>

#include "sim/checks.h"

namespace statefs::sim {
namespace {

class Once {
 public:
  explicit Once(const Case& of) : of_(of) {}

  CheckResult judge() {
    for (const SeenAppend& append : of_.history().appends) {
      if (!append.is_mutation()) continue;
      ++result_.judged;
      const SeenCall* const call = of_.call_of(append);
      if (call != nullptr) {
        runs_[{call->node, incarnation_of(call->id)}].push_back(append.at);
      } else if (!of_.context().unwatched.contains(of_.node_of(append.record.peer))) {
        result_.fail(place_of(append) + ": of no call, or of one that ran already");
      }
    }
    for (const SeenLostWrite& lost : of_.history().lost_writes) judge_report(lost);
    for (const SeenCall& call : of_.history().calls) {
      if (call.is_mutation()) judge_call(call);
    }
    judge_names();
    return result_;
  }

 private:
  using Client = std::pair<NodeId, std::uint64_t>;  // node and incarnation

  void judge_report(const SeenLostWrite& lost);
  void judge_call(const SeenCall& call);
  void judge_done(const SeenCall& call, const SeenAppend& append);
  void judge_names();

  const Case& of_;
  std::map<Client, std::vector<Place>> runs_;                            // where its mutations were recorded
  std::map<std::pair<NodeId, CallId>, const SeenLostWrite*> reported_;  // by call
  CheckResult result_{"exactly_once", 0, {}};
};

void Once::judge_report(const SeenLostWrite& lost) {
  ++result_.judged;
  const std::string name = "node " + std::to_string(lost.node) + " call " + std::to_string(lost.call) + " reported lost at entry " +
                           std::to_string(lost.at);
  if (!reported_.emplace(std::pair{lost.node, lost.call}, &lost).second) return result_.fail(name + ": twice");
  const auto& calls = of_.history().calls;
  const auto call = std::find_if(calls.begin(), calls.end(), [&](const SeenCall& each) { return each.node == lost.node && each.id == lost.call; });
  const bool was_done = call != calls.end() && call->is_mutation() && call->answered() && call->status == Status::ok && call->index == lost.index;
  if (!was_done || call->completed > lost.at) return result_.fail(name + ": was not answered OK with that index before");
  const SeenAppend* const append = of_.append_of_index(lost.index);
  if (append == nullptr || append->lost <= lost.at) return;
  if (lost.certain) return result_.fail(name + ": for certain, but it is there");
  // What is not certain has a cause all the same: there is no session any more that could tell.
  const auto& appends = of_.history().appends;
  const bool ended = std::any_of(appends.begin(), appends.end(), [&](const SeenAppend& each) {
    const bool ends = each.record.kind == AuditKind::eviction ||
                      (each.record.kind == AuditKind::session && each.record.op == static_cast<std::uint8_t>(Op::close));
    return ends && each.at < lost.at && owner_of(each.record.peer) == owner_of(append->record.peer) &&
           each.record.at.session == append->record.at.session;
  });
  if (!ended && !of_.reported_rollback(lost.node, 0, lost.at)) result_.fail(name + ": though its session is there and has it");
}

void Once::judge_call(const SeenCall& call) {
  std::vector<const SeenAppend*> runs = of_.appends_of(call);
  std::sort(runs.begin(), runs.end(), [](const SeenAppend* a, const SeenAppend* b) { return a->at < b->at; });
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i]->at < call.called) result_.fail(place_of(call) + ": ran before it was called");
    if (i > 0 && runs[i - 1]->lost > runs[i]->at) result_.fail(place_of(call) + ": ran twice, last as " + place_of(*runs[i]));
  }
  if (call.completed == no_place) return;
  const SeenAppend* const last = runs.empty() ? nullptr : runs.back();
  if (call.result == CallResult::timed_out || (call.answered() && call.index == 0)) {
    if (call.answered() && call.status == Status::ok) result_.fail(place_of(call) + ": answered OK without a record");
    if (last != nullptr && last->lost > call.completed) {
      result_.fail(place_of(call) + ": has an effect or a record after it was said to have none: " + place_of(*last));
    }
  }
  if (!call.answered() || call.index == 0) return;
  const SeenAppend* const own = of_.append_of_index(call.index);
  if (own == nullptr || of_.call_of(*own) != &call) return;  // the audit's to judge
  if (own->at > call.completed) result_.fail(place_of(call) + ": recorded after its answer");
  if (last != own) result_.fail(place_of(call) + ": ran again after it was answered: " + place_of(*last));
  if (call.status == Status::ok && own->lost != no_place) judge_done(call, *own);
}

// A client that loses its session's tail learns so when it joins a session again, before it sends the next mutation. So where
// a later mutation of the same client was recorded after the loss and the answer, the loss was reported before it. A client
// that never got so far owes nothing.
void Once::judge_done(const SeenCall& call, const SeenAppend& append) {
  const auto& runs = runs_[{call.node, incarnation_of(call.id)}];
  const auto next = std::upper_bound(runs.begin(), runs.end(), std::max(append.lost, call.completed));
  if (next == runs.end()) return;
  if (of_.is_rollback(append.lost)) {
    // Who speaks the protocol without the library compares no heads and cannot know.
    if (!of_.context().clients.contains(call.node) || of_.reported_rollback(call.node, append.lost, *next)) return;
  }
  const auto report = reported_.find({call.node, call.id});
  if (report == reported_.end() || report->second->at > *next) {
    result_.fail(place_of(call) + ": answered OK and lost at entry " + std::to_string(append.lost) + " without a word by entry " +
                 std::to_string(*next));
  }
}

// Who was answered with a record asks for nothing else under that session, slot and sequence, be the record lost or not. What it
// asked in an earlier generation, and gave up, may still come.
void Once::judge_names() {
  struct Answered {
    const SeenCall* call = nullptr;
    std::uint32_t generation = 0;
  };
  std::map<std::tuple<NodeId, std::uint64_t, std::uint16_t, std::uint64_t>, Answered> answered;
  for (const SeenCall& call : of_.history().calls) {
    const SeenAppend* const own = call.is_mutation() && call.answered() && call.index != 0 ? of_.append_of_index(call.index) : nullptr;
    if (own == nullptr) continue;
    const SlotRef& at = own->record.at;
    answered[{call.node, at.session, at.slot, at.sequence}] = {&call, at.generation};
  }
  for (const SeenExchange& each : of_.history().exchanges) {
    if (each.form != SeenExchange::Form::request || !of_.context().clients.contains(each.peer)) continue;
    const auto* const put = std::get_if<PutRequest>(&each.request.body);
    const auto* const del = std::get_if<DeleteRequest>(&each.request.body);
    if (put == nullptr && del == nullptr) continue;
    const SlotRef& at = put != nullptr ? put->at : del->at;
    const auto before = answered.find({each.peer, at.session, at.slot, at.sequence});
    if (before == answered.end() || before->second.call->completed > each.asked || at.generation < before->second.generation) continue;
    ++result_.judged;
    const SeenCall& call = *before->second.call;
    const bool is_same = call.op == static_cast<Op>(each.op) && call.key == as_text(put != nullptr ? put->key : del->key);
    if (is_same) continue;
    result_.fail(place_of(call) + ": was answered, and its number is used for something else behind entry " + std::to_string(each.asked));
  }
}

}  // namespace

CheckResult check_exactly_once(const Case& of) { return Once(of).judge(); }

}  // namespace statefs::sim
