#include "sim/plan_rules.h"

#include <algorithm>
#include <cstdlib>
#include <type_traits>

namespace statefs::sim {
namespace {

constexpr Duration longest = seconds(1'000'000);

bool is_too_long(Duration value) { return value < Duration{} || value > longest; }
template <typename Other>
bool is_too_long(const Other&) {
  return false;
}

std::string_view objection(const Incident& incident) {
  constexpr std::int64_t drift_ppb_max = 99'999'999;  // NodeClock's bound
  constexpr std::int64_t sessions_max = 1'000;
  const bool may_be_for_good = is_stop(incident.kind) && incident.lasts == for_good;
  if (incident.at > Time{longest.ns} || (is_too_long(incident.lasts) && !may_be_for_good)) return "a time that is too long";
  const bool is_clock = incident.kind == IncidentKind::clock_step || incident.kind == IncidentKind::clock_drift;
  const bool is_signed = is_clock || incident.kind == IncidentKind::evict || incident.kind == IncidentKind::tamper ||
                         (is_stop(incident.kind) && incident.kind != IncidentKind::disk_rot);
  if (is_at_request(incident.kind) && incident.event == 0) return "the number of a request";
  if (incident.kind == IncidentKind::disk_error && incident.amount > 2) return "a kind of request that is none";
  if (incident.amount < 0 && !is_signed) return "an amount below 0";
  if (incident.kind == IncidentKind::clock_drift && std::abs(incident.amount) > drift_ppb_max) return "a clock that drifts too far";
  if (incident.kind == IncidentKind::clock_step && (incident.amount > longest.ns || incident.amount < -longest.ns)) return "a step that is too far";
  if (incident.kind == IncidentKind::evict && std::abs(incident.amount) > sessions_max) return "too many sessions";
  return {};
}

}  // namespace

std::string_view objection(const Plan& plan) {
  constexpr std::uint32_t nodes_max = 1'000;
  constexpr std::uint32_t operations_max = 100'000;
  constexpr std::size_t lines_max = 10'000;
  if (plan.hostile.size() > nodes_max || plan.incidents.size() > lines_max || plan.policies.size() > lines_max) return "too many";
  if (plan.workload.operation_count > operations_max || plan.calm_operations > operations_max) return "too many operations";
  if (plan.workload.in_flight_max > limits::client_calls_max / 2) return "more calls than a client takes";
  if (plan.workload.value_size_max > limits::value_size_max + 1'024) return "values that fit no frame";
  if (plan.store.audit_ring_size > (64u << 20)) return "a ring that is too large";
  if (plan.faults.link.retransmissions_max > 64) return "more retransmissions than can be waited for";
  if (!plan.incidents.empty()) {
    if (const std::string_view wrong = objection(plan.incidents.back()); !wrong.empty()) return wrong;
  }
  bool good = true;
  for_each_number(plan, [&good](std::string_view, const auto& member) { good = good && !is_too_long(member); });
  for (const NodeOptions& node : plan.nodes) {
    good = good && node.wake_delay_max >= Duration{} && node.wake_delay_max <= longest && node.clock.monotonic_origin_ns >= 0 &&
           node.clock.drift_ppb > -100'000'000 && node.clock.drift_ppb < 100'000'000;
  }
  if (!good) return "a time or drift out of range";
  if (plan.server_count == 0 || plan.server_count > nodes_max || plan.client_count > nodes_max) return "too few or too many nodes";
  if (plan.limits.sessions_per_key == 0 || plan.limits.sessions_per_key > limits::sessions_per_key) return "more or less sessions than can be";
  const bool is_huge = plan.store.value_bytes_max > limits::store_value_bytes_default || plan.store.keys_max > limits::store_keys_default;
  if (plan.store.journals != 0 && is_huge) return "more than a journal's disk here holds";
  if (plan.local_count > plan.client_count || plan.local_count > limits::local_uids_max) return "more locals than clients, or than a policy can name";
  const std::size_t piece = plan.store.snapshot_chunk_size;
  if (piece < 512 || piece > 64 * 1024) return "pieces of a snapshot that are too small or too large";
  if (plan.store.audit_ring_size < 2 * limits::audit_reserve_size) return "a ring that is too small";
  if (plan.workload.value_size_max > 2 * limits::value_size_max) return "longer values than a message can carry";
  const StagingLimits& staging = plan.limits.staging;
  const bool is_stageable = staging.value_size_max >= 1 && staging.value_size_max <= limits::total_value_size_ceiling &&
                            staging.bytes_per_peer_max >= staging.value_size_max && staging.bytes_per_peer_max <= staging.bytes_max &&
                            staging.stages_per_peer_max >= 1;
  if (!is_stageable) return "no room for one value of the largest size";
  if (plan.workload.large_size_max > (1u << 20)) return "larger values than a run is for";
  if (plan.workload.key_count == 0 || plan.workload.in_flight_max == 0) return "at least 1";
  const ServerLimits& most = plan.limits;
  for (const std::size_t count : {most.connections_max, most.connections_per_peer_max, most.half_open_max, most.local_connections_per_uid_max,
                                  most.waiting_size_per_peer_max, most.waiting_size_max, most.handshakes_per_wakeup,
                                  plan.faults.stream.send_window}) {
    if (count == 0) return "at least 1, or nobody is ever served";
  }
  if (most.output_size_max < limits::frame_size_max) return "less than one answer";
  return {};
}

std::optional<PlanObjection> objection_to_whole(const Plan& plan) {
  using About = PlanObjection::About;
  if (plan.nodes.size() > plan.node_count()) return PlanObjection{About::node, plan.nodes.size() - 1, "names a node that is not there"};
  for (std::size_t i = 0; i < plan.incidents.size(); ++i) {
    const Incident& each = plan.incidents[i];
    if (each.node >= plan.node_count() || each.other >= plan.node_count()) return PlanObjection{About::incident, i, "names a node that is not there"};
    const bool loads_none = each.kind == IncidentKind::policy && (each.amount < 0 || static_cast<std::size_t>(each.amount) >= plan.policies.size());
    if (loads_none) return PlanObjection{About::incident, i, "loads a policy that is not there"};
  }
  for (std::size_t i = 0; i < plan.operations.size(); ++i) {
    if (!plan.is_client(plan.operations[i].first)) return PlanObjection{About::operations, i, "names a node that is no client"};
  }
  for (std::size_t i = 0; i < plan.calls.size(); ++i) {
    if (!plan.is_client(plan.calls[i].first)) return PlanObjection{About::call, i, "names a node that is no client"};
  }
  for (const PolicyPlan& policy : plan.policies) {
    const std::uint64_t shares = plan.node_count() + 1;
    const bool is_wide = policy.quota_bytes > limits::store_value_bytes_default / shares || policy.quota_keys > limits::store_keys_default / shares;
    if (is_wide) return PlanObjection{About::plan, 0, "policy: quotas that no store has room for"};
  }
  const PeerRateLimits& rates = plan.limits.rates;
  for (const RateLimit& rate : {rates.session_events, rates.refusals, rates.requests, rates.bytes}) {
    constexpr std::uint64_t rate_max = std::uint64_t{1} << 30;
    const bool is_wrong = rate.per_second > rate_max || rate.burst > rate_max || (rate.limits() && rate.burst == 0);
    if (is_wrong) return PlanObjection{About::plan, 0, "limits: a rate of a peer that nobody could use"};
  }
  if (!rates.session_events.limits()) return PlanObjection{About::plan, 0, "limits.session_events_per_second: none, and it has to be some"};
  const std::size_t remote = (plan.client_count - plan.local_count + plan.server_count - 1) / plan.server_count;
  if (plan.limits.connections_max < remote) {
    return PlanObjection{About::plan, 0, "limits.connections_max: fewer connections than clients, some of whom would never get in"};
  }
  return std::nullopt;
}

}  // namespace statefs::sim
