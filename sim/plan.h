// PLAN: everything that one run will do, as plain values: nodes, work, limits, faults, incidents, policies.
//
//   seed -> draw.h -> PLAN <-> text (a scenario file) -> episode.h;   minimize.h makes it smaller
//
// A plan is the whole of a run: the same plan gives the same run, and each part can be taken out without moving the draws
// of the others. As text it has one line for each thing that is not at its default, so a small plan is a short text.
//
// Nodes are numbered: servers first, then clients, then hostile ones. Client i calls server i % server_count. The last
// `local_count` clients are programs of their server's own machine.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/memory_store.h"
#include "core/result.h"
#include "core/server.h"
#include "sim/faults.h"
#include "sim/incident.h"
#include "sim/node.h"
#include "sim/repeater.h"
#include "sim/shadow.h"
#include "sim/workload.h"

namespace statefs::sim {

enum class HostileKind : std::uint8_t {
  stranger,         // a client whose key is not enrolled
  misled,           // a client that expects another server's key
  repeater,         // enrolled; sends each mutation more than once, and what no client would (repeater.h)
  garbage,          // enrolled; frames that are none, or nearly
  intruder,         // enrolled; other peers' sessions, sequences and generations out of nowhere
  flood,            // enrolled; denied reads as fast as it can
  deaf,             // enrolled; asks for much and reads nothing
  handshake_flood,  // first messages, good and bad, and never a third
  drip,             // enrolled; a record that never ends, byte by byte
  crowd,            // enrolled; as many connections at once as it gets
  noisy,            // enrolled; as much as it can of everything, refused or not (noise.h), also in the calm
};
inline constexpr std::size_t hostile_kind_count = static_cast<std::size_t>(HostileKind::noisy) + 1;
[[nodiscard]] std::string_view name_of(HostileKind kind);

// What a store on a disk may hold at most, whatever is planned: it must fit its disk, which should be small, since a log goes
// round only where it is, and each run has its disks in memory.
inline constexpr std::uint64_t journal_value_bytes_most = 600'000;
inline constexpr std::uint64_t journal_keys_most = 128;

struct StorePlan {
  bool commits = false;  // Durability::commit
  Duration flush_interval;
  Duration flush_delay;
  std::size_t audit_ring_size = 256 * 1024;
  std::uint64_t value_bytes_max = limits::store_value_bytes_default;
  std::uint64_t keys_max = limits::store_keys_default;
  std::uint32_t journals = 0;      // bit i: the store of server i is a journal on a disk; else it is in memory
  bool direct = true;              // of that disk (server_program.h), and so the others
  Duration request_time;
  Duration restart_after = milliseconds(100);  // of a server whose disk has failed
  std::uint64_t snapshot_after = 0;            // of a journal: a snapshot after so many bytes of log; 0: when half of it is full
  std::size_t snapshot_chunk_size = 32 * 1024;
  [[nodiscard]] bool is_journal(NodeId server) const { return server < 32 && (journals >> server & 1) != 0; }
  [[nodiscard]] std::uint64_t value_bytes_of(NodeId server) const {
    return is_journal(server) ? std::min(value_bytes_max, journal_value_bytes_most) : value_bytes_max;
  }
  [[nodiscard]] std::uint64_t keys_of(NodeId server) const { return is_journal(server) ? std::min(keys_max, journal_keys_most) : keys_max; }
};

struct Plan {
  std::uint64_t seed = 0;
  bool stand_in_cipher = false;  // instead of real cryptography; no figure comes of it
  std::uint32_t server_count = 1;
  std::uint32_t client_count = 1;
  std::uint32_t local_count = 0;  // of the clients
  std::vector<HostileKind> hostile;
  std::vector<NodeOptions> nodes;  // those beyond its end have default options

  StorePlan store;
  ServerLimits limits;
  Duration client_keepalive_interval = limits::keepalive_interval;
  Duration client_dead_peer_timeout = limits::dead_peer_timeout;
  Faults faults;
  WorkloadOptions workload;  // of each client
  RepeaterOptions repeater;  // of each repeater
  // Operations that are said and not drawn, in their order. A client that has any does no others but in the calm.
  std::vector<std::pair<NodeId, PlannedCall>> calls;
  // Which of its operations a client does; a client that is not named does all.
  std::vector<std::pair<NodeId, std::vector<std::uint32_t>>> operations;
  std::uint32_t calm_operations = 4;  // of each client that is left, after all faults stopped

  std::vector<PolicyPlan> policies{PolicyPlan{}};  // the first is in force at the start
  std::vector<Incident> incidents;                 // by time

  [[nodiscard]] std::uint32_t node_count() const {
    return server_count + client_count + static_cast<std::uint32_t>(hostile.size());
  }
  [[nodiscard]] bool is_server(NodeId id) const { return id < server_count; }
  [[nodiscard]] bool is_client(NodeId id) const { return id >= server_count && id < server_count + client_count; }
  [[nodiscard]] bool is_local(NodeId id) const { return is_client(id) && id + local_count >= server_count + client_count; }
  [[nodiscard]] NodeId server_of(NodeId id) const { return (id - server_count) % server_count; }
  [[nodiscard]] std::vector<PlannedCall> calls_of(NodeId client) const;
  [[nodiscard]] std::vector<std::uint32_t> operations_of(NodeId client) const;
};

// The same work with nothing going wrong.
[[nodiscard]] Plan without_faults(Plan plan);

// The same run, with every client that does something named in `operations`, and no other operations.
[[nodiscard]] Plan with_operations_named(Plan plan);
// Those after it have a number less, and so other draws. What names it goes too; incidents of a server are those of the first.
// The last server stays.
[[nodiscard]] Plan without_node(Plan plan, NodeId id);
// Not the first; the incidents that load it go too.
[[nodiscard]] Plan without_policy(Plan plan, std::size_t number);

// Calls visit(name, member) for every single number of a plan, in one order.
template <typename P, typename Visit>
void for_each_number(P& plan, Visit visit);

// One line for each thing that is not at its default.
[[nodiscard]] std::string print(const Plan& plan);
// The reverse: every line that print() writes, in any order; `#` begins a comment. The error names line and cause.
[[nodiscard]] Result<Plan, std::string> parse_plan(std::string_view text);

template <typename P, typename Visit>
void for_each_number(P& plan, Visit visit) {
  visit("seed", plan.seed);
  visit("stand_in_cipher", plan.stand_in_cipher);
  visit("servers", plan.server_count);
  visit("clients", plan.client_count);
  visit("locals", plan.local_count);
  visit("store.commits", plan.store.commits);
  visit("store.flush_interval", plan.store.flush_interval);
  visit("store.flush_delay", plan.store.flush_delay);
  visit("store.audit_ring_size", plan.store.audit_ring_size);
  visit("store.value_bytes_max", plan.store.value_bytes_max);
  visit("store.keys_max", plan.store.keys_max);
  visit("store.journals", plan.store.journals);
  visit("store.direct", plan.store.direct);
  visit("store.request_time", plan.store.request_time);
  visit("store.restart_after", plan.store.restart_after);
  visit("store.snapshot_after", plan.store.snapshot_after);
  visit("store.snapshot_chunk_size", plan.store.snapshot_chunk_size);
  visit("limits.connections_max", plan.limits.connections_max);
  visit("limits.connections_per_peer_max", plan.limits.connections_per_peer_max);
  visit("limits.half_open_max", plan.limits.half_open_max);
  visit("limits.local_connections_per_uid_max", plan.limits.local_connections_per_uid_max);
  visit("limits.handshakes_per_wakeup", plan.limits.handshakes_per_wakeup);
  visit("limits.output_size_max", plan.limits.output_size_max);
  visit("limits.waiting_size_per_peer_max", plan.limits.waiting_size_per_peer_max);
  visit("limits.waiting_size_max", plan.limits.waiting_size_max);
  visit("limits.sessions_per_key", plan.limits.sessions_per_key);
  visit("limits.total_value_size_max", plan.limits.staging.value_size_max);
  visit("limits.staged_size_per_peer_max", plan.limits.staging.bytes_per_peer_max);
  visit("limits.stages_per_peer_max", plan.limits.staging.stages_per_peer_max);
  visit("limits.stage_idle_max", plan.limits.staging.idle_max);
  visit("limits.stage_yield_after", plan.limits.staging.yield_after);
  visit("limits.handshake_timeout", plan.limits.handshake_timeout);
  visit("limits.keepalive_interval", plan.limits.keepalive_interval);
  visit("limits.dead_peer_timeout", plan.limits.dead_peer_timeout);
  visit("limits.connection_age_max", plan.limits.connection_age_max);
  visit("limits.drain_timeout", plan.limits.drain_timeout);
  visit("limits.session_events_per_second", plan.limits.rates.session_events.per_second);
  visit("limits.session_events_burst", plan.limits.rates.session_events.burst);
  visit("limits.refusals_per_second", plan.limits.rates.refusals.per_second);
  visit("limits.refusals_burst", plan.limits.rates.refusals.burst);
  visit("limits.requests_per_second", plan.limits.rates.requests.per_second);
  visit("limits.requests_burst", plan.limits.rates.requests.burst);
  visit("limits.bytes_per_second", plan.limits.rates.bytes.per_second);
  visit("limits.bytes_burst", plan.limits.rates.bytes.burst);
  visit("client.keepalive_interval", plan.client_keepalive_interval);
  visit("client.dead_peer_timeout", plan.client_dead_peer_timeout);
  for_each_field(plan.faults, visit);
  visit("work.operations", plan.workload.operation_count);
  visit("work.in_flight_max", plan.workload.in_flight_max);
  visit("work.keys", plan.workload.key_count);
  visit("work.value_size_max", plan.workload.value_size_max);
  visit("work.pause_max", plan.workload.pause_max);
  visit("work.timeout", plan.workload.timeout);
  visit("work.put", plan.workload.put);
  visit("work.get", plan.workload.get);
  visit("work.del", plan.workload.del);
  visit("work.list", plan.workload.list);
  visit("work.sync", plan.workload.sync);
  visit("work.upload", plan.workload.upload);
  visit("work.download", plan.workload.download);
  visit("work.stray", plan.workload.stray);
  visit("work.large_size_max", plan.workload.large_size_max);
  visit("work.outside", plan.workload.outside);
  visit("work.conditional", plan.workload.conditional);
  visit("work.ranged", plan.workload.ranged);
  visit("work.paged", plan.workload.paged);
  visit("work.breaks", plan.workload.breaks);
  visit("work.filling", plan.workload.filling);
  visit("repeater.calls", plan.repeater.call_count);
  visit("repeater.keys", plan.repeater.key_count);
  visit("repeater.pause_max", plan.repeater.pause_max);
  visit("repeater.outside", plan.repeater.outside);
  visit("repeater.cut", plan.repeater.cut);
  visit("repeater.repeat", plan.repeater.repeat);
  visit("repeater.probe", plan.repeater.probe);
  visit("calm.operations", plan.calm_operations);
}

}  // namespace statefs::sim
