#include "sim/plan.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace statefs::sim {
namespace {

constexpr std::array<std::string_view, hostile_kind_count> hostile_names{"stranger", "misled", "repeater", "garbage", "intruder",
                                                                         "flood",    "deaf",   "handshake_flood", "drip", "crowd",   "noisy"};

// The number of a node when the one of number `gone` is not there; none for that one.
std::optional<NodeId> renumbered(NodeId id, NodeId gone) {
  if (id == gone) return std::nullopt;
  return id > gone ? id - 1 : id;
}

void renumber(std::vector<NodeId>& nodes, NodeId gone) {
  std::erase(nodes, gone);
  for (NodeId& id : nodes) id = *renumbered(id, gone);
}

}  // namespace

std::string_view name_of(HostileKind kind) { return hostile_names[static_cast<std::size_t>(kind)]; }

std::vector<PlannedCall> Plan::calls_of(NodeId client) const {
  std::vector<PlannedCall> mine;
  for (const auto& [node, call] : calls) {
    if (node == client) mine.push_back(call);
  }
  return mine;
}

std::vector<std::uint32_t> Plan::operations_of(NodeId client) const {
  for (const auto& [node, numbers] : operations) {
    if (node == client) return numbers;
  }
  const std::size_t said = calls_of(client).size();
  std::vector<std::uint32_t> all(said > 0 ? said : workload.operation_count);
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

Plan with_operations_named(Plan plan) {
  std::vector<std::pair<NodeId, std::vector<std::uint32_t>>> named;
  for (NodeId id = plan.server_count; id < plan.server_count + plan.client_count; ++id) {
    std::vector<std::uint32_t> numbers = plan.operations_of(id);
    if (!numbers.empty()) named.emplace_back(id, std::move(numbers));
  }
  plan.operations = std::move(named);
  plan.workload.operation_count = 0;
  return plan;
}

Plan without_node(Plan plan, NodeId id) {
  const bool server = plan.is_server(id);
  if (server && plan.server_count == 1) return plan;
  std::erase_if(plan.operations, [id](const auto& each) { return each.first == id; });
  for (auto& [client, numbers] : plan.operations) client = *renumbered(client, id);
  for (PolicyPlan& policy : plan.policies) {
    for (auto* nodes : {&policy.strangers, &policy.readers, &policy.writers}) renumber(*nodes, id);
    for (auto& nodes : policy.without) renumber(nodes, id);
    if (policy.narrowed) policy.narrowed = renumbered(*policy.narrowed, id);
    if (policy.wide) policy.wide = renumbered(*policy.wide, id);
  }
  if (!server) {
    std::erase_if(plan.incidents, [id](const Incident& each) {
      return each.node == id || (has_two_nodes(each.kind) && each.other == id);
    });
  }
  for (Incident& each : plan.incidents) {
    each.node = renumbered(each.node, id).value_or(0);
    each.other = renumbered(each.other, id).value_or(0);
  }
  if (plan.nodes.size() > id) plan.nodes.erase(plan.nodes.begin() + id);
  if (plan.is_local(id)) --plan.local_count;
  if (server) {
    const std::uint32_t below = (1u << id) - 1;
    plan.store.journals = id >= 32 ? plan.store.journals : (plan.store.journals & below) | (plan.store.journals >> 1 & ~below);
    --plan.server_count;
  }
  else if (plan.is_client(id)) --plan.client_count;
  else plan.hostile.erase(plan.hostile.begin() + (id - plan.server_count - plan.client_count));
  return plan;
}

Plan without_policy(Plan plan, std::size_t number) {
  const auto gone = static_cast<std::int64_t>(number);
  plan.policies.erase(plan.policies.begin() + gone);
  std::erase_if(plan.incidents, [gone](const Incident& each) { return each.kind == IncidentKind::policy && each.amount == gone; });
  for (Incident& each : plan.incidents) {
    if (each.kind == IncidentKind::policy && each.amount > gone) --each.amount;
  }
  return plan;
}

Plan without_faults(Plan plan) {
  const Duration latency = plan.faults.link.latency;
  plan.faults = Faults{};
  plan.faults.link.latency = latency;
  plan.workload.breaks = {0, 1};
  plan.incidents.clear();
  plan.hostile.clear();
  plan.nodes.clear();
  plan.limits = ServerLimits{};
  plan.store.journals = 0;  // a journal has to be read first, and until then refuses streams
  return plan;
}

}  // namespace statefs::sim
