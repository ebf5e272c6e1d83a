#include "sim/incident.h"

#include <array>

namespace statefs::sim {
namespace {

constexpr std::array<std::string_view, incident_kind_count> names{
    "crash",  "power_loss", "pause",      "cut",         "partition",  "one_way",    "clog",       "tamper",
    "policy", "clock_step", "clock_drift", "store_fail", "store_full", "store_slow", "evict",
    "disk_crash", "disk_error", "disk_rot", "disk_misdirect", "disk_swap", "naming_crash", "edge_crash"};

}  // namespace

std::string_view name_of(IncidentKind kind) { return names[static_cast<std::size_t>(kind)]; }

std::optional<IncidentKind> incident_kind_of(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<IncidentKind>(i);
  }
  return std::nullopt;
}

bool has_two_nodes(IncidentKind kind) {
  switch (kind) {
    case IncidentKind::cut:
    case IncidentKind::partition:
    case IncidentKind::one_way:
    case IncidentKind::clog:
    case IncidentKind::tamper: return true;
    case IncidentKind::crash:
    case IncidentKind::power_loss:
    case IncidentKind::pause:
    case IncidentKind::policy:
    case IncidentKind::clock_step:
    case IncidentKind::clock_drift:
    case IncidentKind::store_fail:
    case IncidentKind::store_full:
    case IncidentKind::store_slow:
    case IncidentKind::evict:
    case IncidentKind::disk_crash:
    case IncidentKind::disk_error:
    case IncidentKind::disk_rot:
    case IncidentKind::disk_misdirect:
    case IncidentKind::disk_swap:
    case IncidentKind::naming_crash:
    case IncidentKind::edge_crash: return false;
  }
  return false;
}

bool is_stop(IncidentKind kind) {
  return kind == IncidentKind::crash || kind == IncidentKind::power_loss || kind == IncidentKind::disk_rot || is_at_request(kind);
}

}  // namespace statefs::sim
