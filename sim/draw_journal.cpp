#include "sim/draw_journal.h"

#include <algorithm>

#include "sim/draw_sizes.h"

namespace statefs::sim {
namespace {

constexpr std::uint64_t sessions_most = 8;

Duration drawn(RandomStream& random, Duration max) {
  return nanoseconds(static_cast<std::int64_t>(random.skewed(static_cast<std::uint64_t>(max.ns))));
}

class DiskDraw {
 public:
  DiskDraw(RandomStream& random, Plan& plan, Duration horizon) : random_(random), plan_(plan), horizon_(horizon) {}

  void all() {
    const bool fills = plan_.workload.filling.part != 0;
    some(IncidentKind::disk_crash, fills ? 8 : 4, {1, fills ? 1u : 2u});
    if (plan_.store.snapshot_after != 0) some(IncidentKind::naming_crash, 6, {1, 2});
    if (fills) some(IncidentKind::edge_crash, 3, {1, 1});
    some(IncidentKind::disk_error, 3, {1, 2});
    some(IncidentKind::disk_rot, 2, {1, 8});
    some(IncidentKind::disk_misdirect, 2, {1, 8});
    some(IncidentKind::disk_swap, 2, {1, 4});
  }

 private:
  void some(IncidentKind kind, std::uint64_t count_max, Ratio exists) {
    if (!random_.chance(exists)) return;
    for (std::uint64_t left = random_.between(1, count_max); left > 0; --left) {
      Incident incident;
      incident.kind = kind;
      incident.node = static_cast<NodeId>(random_.below(plan_.server_count));
      incident.at = Time{static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(horizon_.ns) + 1))};
      incident.lasts = milliseconds(1) + drawn(random_, seconds(5));
      if (is_at_request(kind)) {
        incident.at = {};
        incident.event = 1 + random_.skewed(number_max(kind));
        incident.amount = loss();
      } else if (kind == IncidentKind::disk_error) {
        incident.lasts = {};
        incident.amount = static_cast<std::int64_t>(random_.below(3));
      } else if (kind == IncidentKind::disk_misdirect) {
        incident.lasts = {};
      } else if (kind == IncidentKind::disk_rot) {
        incident.amount = static_cast<std::int64_t>(random_.next() >> 1);
      }
      plan_.incidents.push_back(incident);
    }
  }

  // Of what such an incident waits for.
  [[nodiscard]] std::uint64_t number_max(IncidentKind kind) const {
    if (kind == IncidentKind::edge_crash) return 3;
    if (kind == IncidentKind::naming_crash) return 60;
    return plan_.workload.filling.part != 0 ? 150 : 600;
  }

  // What journal_store.h knows.
  std::int64_t loss() {
    if (random_.chance({1, 6})) return -1 - static_cast<std::int64_t>(random_.skewed(40));
    if (random_.chance({1, 6})) return -1'000 - static_cast<std::int64_t>(random_.skewed(6));
    return static_cast<std::int64_t>(random_.below(8));
  }

  RandomStream& random_;
  Plan& plan_;
  Duration horizon_;
};

}  // namespace

void draw_journals(Plan& plan, Duration horizon, bool has_faults) {
  RandomStream random(plan.seed, "plan/journal");
  for (NodeId server = 0; server < plan.server_count; ++server) {
    if (random.chance({2, 3})) plan.store.journals |= 1u << server;
  }
  if (plan.store.journals == 0) return;
  plan.store.direct = random.chance({1, 2});
  if (random.chance({2, 3})) plan.store.request_time = drawn(random, milliseconds(5));
  plan.store.restart_after = milliseconds(1) + drawn(random, seconds(2));
  plan.store.value_bytes_max = std::min(plan.store.value_bytes_max, journal_value_bytes_most);
  plan.store.keys_max = std::min(plan.store.keys_max, journal_keys_most);
  plan.limits.sessions_per_key = std::min<std::size_t>(plan.limits.sessions_per_key, sessions_most);
  RandomStream snapshots = random.split("snapshots");
  if (snapshots.chance({1, 2})) {
    plan.store.snapshot_after = 1 + snapshots.skewed(30'000);
    plan.store.snapshot_chunk_size = std::size_t{512} << snapshots.below(7);
  }
  RandomStream filling = random.split("filling");
  if (has_faults && filling.chance({1, 6})) draw_filling(filling, plan);
  if (has_faults) DiskDraw(random, plan, horizon).all();
}

}  // namespace statefs::sim
