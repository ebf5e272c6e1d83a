#include "sim/plan.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace statefs::sim {
namespace {

constexpr std::array<std::string_view, hostile_kind_count> hostile_names{"stranger", "misled", "repeater", "garbage", "intruder",
                                                                         "flood",    "deaf",   "handshake_flood"};

}  // namespace

std::string_view name_of(HostileKind kind) { return hostile_names[static_cast<std::size_t>(kind)]; }

std::vector<std::uint32_t> Plan::operations_of(NodeId client) const {
  for (const auto& [node, numbers] : operations) {
    if (node == client) return numbers;
  }
  std::vector<std::uint32_t> all(workload.operation_count);
  std::iota(all.begin(), all.end(), 0u);
  return all;
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
  return plan;
}

}  // namespace statefs::sim
