#include <algorithm>

#include "sim/checks.h"

namespace statefs::sim {
namespace {

// A client's clock may run a tenth faster than the world's.
bool is_early(const Case& of, const SeenCall& call) {
  return (call.completed_time - call.called_time).ns < of.context().call_timeout.ns / 10 * 9;
}

// Whether a session of the peer may have ended by then: evicted, closed by another, or closed by itself because a crash took its tail.
bool lost_a_session(const Case& of, const SeenCall& call) {
  for (const SeenAppend& append : of.history().appends) {
    if (append.at > call.completed) return false;
    const bool ends = append.record.kind == AuditKind::eviction ||
                      (append.record.kind == AuditKind::session && append.record.op == static_cast<std::uint8_t>(Op::close));
    if (ends && of.node_of(append.record.peer) == call.node) return true;
  }
  return false;
}

// Whether the server told that client of an outcome meanwhile: before that the library gives up nothing that a session may have done.
bool asked_for_outcomes(const Case& of, const SeenCall& call) {
  const auto& all = of.history().exchanges;
  return std::any_of(all.begin(), all.end(), [&call](const SeenExchange& each) {
    return each.peer == call.node && each.op == static_cast<std::uint8_t>(Op::outcome) && each.asked >= call.called &&
           each.is_answered() && each.answered <= call.completed;
  });
}

std::string verdict_objection(const Case& of, const SeenCall& call) {
  if (call.result == CallResult::timed_out && is_early(of, call)) return "timed out before its time";
  if (call.result != CallResult::outcome_unknown || of.context().call_timeout == Duration{}) return {};
  if (!is_early(of, call) || of.was_rolled_back(call.completed)) return {};
  if (!lost_a_session(of, call)) return "of unknown outcome though no session ended";
  const bool may_not_ask = !of.context().clients.contains(call.node) || of.history().arrivals.empty();
  return may_not_ask || asked_for_outcomes(of, call) ? "" : "of unknown outcome though nobody asked for it";
}

std::string objection(const SeenCall& call) {
  if (call.completed == no_place) return call.crashed == no_place ? "no completion" : "";
  if (call.completed_again != no_place) return "two completions";
  if (call.crashed != no_place) return "completed after its client went down";
  if (call.result > CallResult::timed_out) return "a result that is none";
  if (!call.is_mutation() && call.result == CallResult::outcome_unknown) return "a read of unknown outcome";
  if (call.result == CallResult::answered && call.answered_op != call.op) return "the answer to another op";
  return {};
}

}  // namespace

CheckResult check_completed(const Case& of) {
  CheckResult result{"completed", of.history().calls.size(), {}};
  if (of.history().unreadable) result.fail(*of.history().unreadable);
  for (const SeenCall& call : of.history().calls) {
    std::string what = objection(call);
    if (what.empty() && call.completed != no_place) what = verdict_objection(of, call);
    if (!what.empty()) result.fail(place_of(call) + ": " + what);
  }
  return result;
}

}  // namespace statefs::sim
