#include <algorithm>
#include <map>

#include "sim/checks.h"

namespace statefs::sim {
namespace {

bool is_verdict(Status status) {
  return status == Status::access_denied || status == Status::invalid_key || status == Status::key_too_long;
}

class Shadowed {
 public:
  explicit Shadowed(const Case& of) : of_(of) {}

  CheckResult judge() {
    for (const SeenCall& call : of_.history().calls) {
      if (!call.answered() || call.op == Op::sync || call.status == Status::overloaded) continue;
      ++result_.judged;
      object(place_of(call), answer_objection(call));
    }
    for (const SeenAppend& append : of_.history().appends) {
      if (append.record.peer.kind == PeerKind::none) continue;
      ++result_.judged;
      object(place_of(append), record_objection(append));
    }
    for (const SeenExchange& each : of_.history().exchanges) {
      const bool reads = each.op == static_cast<std::uint8_t>(Op::get) || each.op == static_cast<std::uint8_t>(Op::list);
      if (!reads || !each.is_answered() || !each.is_readable || each.form != SeenExchange::Form::request) continue;
      if (each.answer.status == Status::malformed || each.answer.status == Status::overloaded) continue;
      ++result_.judged;
      const SeenCall call = seen_call_of(each);
      object(place_of(call), answer_objection(call));
    }
    for (const SeenArrival& each : of_.history().arrivals) {
      ++result_.judged;
      object("node " + std::to_string(each.peer) + " at entry " + std::to_string(each.at), arrival_objection(each));
    }
    return result_;
  }

 private:
  void object(const std::string& where, const std::string& what) {
    if (!what.empty()) result_.fail(where + ": " + what);
  }
  [[nodiscard]] Status expected(const PolicyPlan& policy, const SeenCall& call) const;
  [[nodiscard]] std::string answer_objection(const SeenCall& call) const;
  [[nodiscard]] std::string read_objection(const SeenCall& call) const;
  [[nodiscard]] std::string arrival_objection(const SeenArrival& arrival) const;
  [[nodiscard]] bool is_version_of(const PolicyPlan& policy, const Digest& version) const;
  [[nodiscard]] std::string record_objection(const SeenAppend& append);
  [[nodiscard]] std::string mutation_objection(const SeenAppend& append, NodeId peer, const PolicyPlan& policy) const;

  const Case& of_;
  std::map<const PolicyPlan*, Digest> versions_;  // as records name them
  CheckResult result_{"policy", 0, {}};
};

Status Shadowed::expected(const PolicyPlan& policy, const SeenCall& call) const {
  const ShadowPeer who = of_.shadow_of(call.node);
  const Status status = shadow_verdict(policy, who, call.op, call.key);
  if (status != Status::ok) return status;
  if (call.is_mutation() && call.condition) return shadow_verdict(policy, who, Op::get, call.key);
  if (call.op != Op::list || call.cursor.empty()) return Status::ok;
  const Status cursor = shadow_key_check(call.cursor, false);
  if (cursor != Status::ok) return cursor;
  return call.cursor.starts_with(call.key) ? Status::ok : Status::invalid_key;
}

std::string Shadowed::answer_objection(const SeenCall& call) const {
  const bool tells = !call.data.empty() || !call.entries.empty() || call.has_more || call.revision != 0 || call.total_size != 0;
  if (is_verdict(call.status) && tells) return "a refusal that tells something";
  if (!call.is_mutation()) return read_objection(call);
  if (call.index == 0 && is_verdict(call.status)) return "a verdict without a record";
  const auto allows = [&](const PolicyPlan& policy) { return expected(policy, call) == Status::ok; };
  const bool is_behind = call.status == Status::stage_missing || call.status == Status::no_space;  // key and policy come first
  if (call.index == 0 && is_behind && !of_.some_policy(call.called, call.completed, allows)) return "looked at further than its verdict";
  if (call.index == 0) return {};
  // Its record has the verdict, of the policy that was in force there; here is what must not be told at any time in between.
  const bool tells_what_is = call.status == Status::not_found || call.status == Status::revision_conflict;
  const auto may_get = [&](const PolicyPlan& policy) { return shadow_verdict(policy, of_.shadow_of(call.node), Op::get, call.key) == Status::ok; };
  if (tells_what_is && !of_.some_policy(call.called, call.completed, may_get)) return "tells what is there to one who may not know";
  return {};
}

std::string Shadowed::read_objection(const SeenCall& call) const {
  const auto agrees = [&](const PolicyPlan& policy) {
    const Status status = expected(policy, call);
    return status == Status::ok ? !is_verdict(call.status) : call.status == status;
  };
  if (!of_.some_policy(call.called, call.completed, agrees)) {
    return "answered " + std::string(name_of(call.status)) + ", the shadow says " + std::string(name_of(expected(of_.policy_at(call.called), call)));
  }
  for (const SeenEntry& entry : call.entries) {
    // Each key for itself; that the page is of one moment and policy is another check's.
    const auto shows = [&](const PolicyPlan& policy) { return shadow_shows(policy, of_.shadow_of(call.node), entry.key); };
    if (!of_.some_policy(call.called, call.completed, shows)) return "lists what is outside the grant";
  }
  return {};
}

// A stranger is not read and gets not a byte beyond the handshake; one that becomes a stranger gets none from then on.
std::string Shadowed::arrival_objection(const SeenArrival& arrival) const {
  const auto is_strange = [&arrival](const PolicyPlan& policy) { return arrival.peer == no_node || !is_enrolled(policy, arrival.peer); };
  const bool speaks = arrival.last_said != no_place;
  const bool never_enrolled = arrival.peer != no_node && of_.context().strangers.contains(arrival.peer);
  if (never_enrolled || is_strange(of_.policy_at(arrival.at))) return speaks || arrival.is_heard ? "a stranger is served" : "";
  return speaks && of_.some_policy(arrival.at, arrival.last_said + 1, is_strange) ? "is served though it is enrolled no more" : "";
}

// Two policies have one version where they say the same to everybody, and only there.
bool Shadowed::is_version_of(const PolicyPlan& policy, const Digest& version) const {
  const auto says_same = [&](const PolicyPlan& other) {
    for (NodeId node = 0; node < of_.context().keys.size(); ++node) {
      const ShadowPeer who = of_.shadow_of(node);
      if (is_enrolled(policy, node) != is_enrolled(other, node)) return false;
      if (is_enrolled(policy, node) && rules_of(policy, who) != rules_of(other, who)) return false;
    }
    return policy.quota_keys == other.quota_keys && policy.quota_bytes == other.quota_bytes;
  };
  return std::all_of(versions_.begin(), versions_.end(), [&](const auto& each) {
    return each.first == &policy || (each.second == version) == says_same(*each.first);
  });
}

std::string Shadowed::record_objection(const SeenAppend& append) {
  const NodeId peer = of_.node_of(append.record.peer);
  const PolicyPlan& policy = of_.policy_at(append.at);
  if (peer == no_node) return "of nobody";
  if (append.record.peer.alias != alias_of(of_.shadow_of(peer))) return "names its peer otherwise";
  const bool acts = append.is_mutation() || append.record.kind == AuditKind::session || append.record.kind == AuditKind::eviction;
  if (!acts) return {};
  if (!is_enrolled(policy, peer)) return "of a peer that is not enrolled";
  const auto [version, fresh] = versions_.try_emplace(&policy, append.record.policy);
  if (fresh && !is_version_of(policy, append.record.policy)) return "names a policy that was in force before";
  if (version->second != append.record.policy) return "names another policy than is in force";
  return append.is_mutation() ? mutation_objection(append, peer, policy) : "";
}

std::string Shadowed::mutation_objection(const SeenAppend& append, NodeId peer, const PolicyPlan& policy) const {
  const AuditRecord& record = append.record;
  Status status = shadow_verdict(policy, of_.shadow_of(peer), static_cast<Op>(record.op), record.key);
  if (record.key_size > limits::key_size_max) status = Status::key_too_long;
  const SeenCall* const call = of_.call_of(append);
  const bool may_know = status == Status::ok && shadow_verdict(policy, of_.shadow_of(peer), Op::get, record.key) == Status::ok;
  // A condition is a read. Where the call is not known for certain, whether there was one is not known either.
  if (status == Status::ok && !may_know) {
    if (call != nullptr && of_.is_certain(append)) {
      if (call->condition) status = Status::access_denied;
    } else if (record.status == Status::access_denied) {
      status = Status::access_denied;
    }
  }
  if (append.effect != Effect::Kind::none && shadow_verdict(policy, of_.shadow_of(peer), static_cast<Op>(record.op), append.key) != Status::ok) {
    return "an effect outside the grant";
  }
  if (record.allowed != (status == Status::ok)) return record.allowed ? "allowed outside the grant" : "refused inside the grant";
  if (status == Status::ok ? is_verdict(record.status) : record.status != status) {
    return "recorded " + std::string(name_of(record.status)) + ", the shadow says " + std::string(name_of(status));
  }
  const Op asked = record.allowed || shadow_verdict(policy, of_.shadow_of(peer), static_cast<Op>(record.op), record.key) != Status::ok
                       ? static_cast<Op>(record.op)
                       : Op::get;  // for its condition
  const bool is_key = status == Status::ok || status == Status::access_denied;
  const std::uint16_t rule = is_key ? shadow_rule(policy, of_.shadow_of(peer), asked, record.key) : std::uint16_t{0};
  if (record.rule != rule) return "names rule " + std::to_string(record.rule) + ", the shadow says " + std::to_string(rule);
  const bool tells = record.status == Status::not_found || record.status == Status::revision_conflict;
  return tells && !may_know ? "tells what is there to one who may not know" : "";
}

}  // namespace

CheckResult check_policy(const Case& of) { return Shadowed(of).judge(); }

}  // namespace statefs::sim
