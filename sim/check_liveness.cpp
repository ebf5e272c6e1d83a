#include <algorithm>
#include <map>

#include "sim/checks.h"

namespace statefs::sim {
namespace {

// What there is no room for may be refused for ever; whether there was is for other checks.
bool is_good(const SeenCall& call, const PolicyPlan& policy) {
  if (!call.answered()) return false;
  if (call.status == Status::ok) return true;
  const bool has_quota = policy.quota_keys != 0 || policy.quota_bytes != 0;
  if (call.op == Op::put) return call.status == Status::no_space || (has_quota && call.status == Status::quota_exceeded);
  return call.op != Op::sync && call.status == Status::not_found;
}

class Liveness {
 public:
  explicit Liveness(const Case& of) : of_(of) {}

  CheckResult judge() {
    find_calm();
    if (calm_ != no_place) judge_calm();
    for (const SeenLoad& load : of_.history().loads) {
      if (load.idle_timers == 0) continue;
      result_.fail("node " + std::to_string(load.node) + behind(load.at.idle_timers) + ": wakes up again and again for nothing");
    }
    return result_;
  }

 private:
  void find_calm();
  void judge_calm();
  [[nodiscard]] bool was_evicted(const SeenCall& call) const;

  const Case& of_;
  Place calm_ = no_place;
  std::map<NodeId, bool> up_;  // at the calm
  CheckResult result_{"liveness", 0, {}};
};

void Liveness::find_calm() {
  for (const auto& [node, server] : of_.context().server_of) {
    if (server == of_.server()) up_[node] = true;
  }
  for (const SeenEvent& event : of_.history().events) {
    if (event.node == of_.server() && event.kind == TraceKind::store_refused) return;  // damaged, and nobody can mend that
    if (event.kind == TraceKind::calm) calm_ = event.at;
    if (calm_ != no_place) return;
    const auto known = up_.find(event.node);
    if (known == up_.end()) continue;
    if (event.kind == TraceKind::node_down) known->second = false;
    if (event.kind == TraceKind::node_up) known->second = true;
  }
}

bool Liveness::was_evicted(const SeenCall& call) const {
  const auto& appends = of_.history().appends;
  return std::any_of(appends.begin(), appends.end(), [&](const SeenAppend& each) {
    return each.at < call.completed && each.record.kind == AuditKind::eviction && of_.node_of(each.record.peer) == call.node;
  });
}

void Liveness::judge_calm() {
  std::map<NodeId, std::uint32_t> done;
  for (const SeenCall& call : of_.history().calls) {
    if (call.called < calm_) continue;
    ++result_.judged;
    const bool waits = call.answered() && (call.status == Status::overloaded || (call.is_mutation() && call.status == Status::audit_unavailable));
    if (waits) continue;  // it is asked again
    // One that was sent before its client heard that its session was evicted, or the store rolled back, is of unknown outcome.
    const bool may_lack_session = done[call.node] == 0 && (was_evicted(call) || of_.was_rolled_back(call.completed));
    const bool is_doubtful = may_lack_session || of_.reported_rollback(call.node, call.called, call.completed);
    const bool in_doubt = call.result == CallResult::outcome_unknown && is_doubtful;
    if (in_doubt || is_good(call, of_.context().policies.front())) ++done[call.node];
    else result_.fail(place_of(call) + ": not done after the faults had stopped" + (call.answered() ? ": " + std::string(name_of(call.status)) : ""));
  }
  for (const auto& [node, up] : up_) {
    if (!up || done[node] >= of_.context().calm_operations) continue;
    result_.fail("node " + std::to_string(node) + behind(calm_) + ": " + std::to_string(done[node]) +
                 " of " + std::to_string(of_.context().calm_operations) +
                 " calls were done after the faults had stopped");
  }
}

}  // namespace

CheckResult check_liveness(const Case& of) { return Liveness(of).judge(); }

}  // namespace statefs::sim
