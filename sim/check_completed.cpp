#include "sim/checks.h"

namespace statefs::sim {
namespace {

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
    const std::string what = objection(call);
    if (!what.empty()) result.fail(place_of(call) + ": " + what);
  }
  return result;
}

}  // namespace statefs::sim
