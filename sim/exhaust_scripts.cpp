#include "sim/exhaust_scripts.h"

#include <utility>

#include "sim/machine_store.h"

namespace statefs::sim {
namespace {

constexpr NodeId server = 0;
constexpr NodeId client = 1;
constexpr NodeId other = 2;  // a second client, or a repeater
constexpr Duration wait = milliseconds(4);      // longer than a round trip
constexpr Duration outage = milliseconds(60);   // longer than the first pause of a client that comes back
constexpr Duration long_outage = milliseconds(200);
using If = PlannedCall::If;

Plan small_plan() {
  Plan plan;
  plan.seed = 1;
  plan.stand_in_cipher = true;
  plan.store.flush_interval = milliseconds(3);
  plan.store.flush_delay = milliseconds(2);
  plan.store.audit_ring_size = 2 * limits::audit_reserve_size;
  plan.calm_operations = 1;
  plan.workload.timeout = seconds(5);
  plan.workload.outside = {0, 1};
  return plan;
}

Incident fault(IncidentKind kind, NodeId node, Duration lasts, std::int64_t amount = 0) {
  Incident incident;
  incident.kind = kind;
  incident.node = node;
  incident.lasts = lasts;
  incident.amount = amount;
  return incident;
}
Incident fault_between(IncidentKind kind, NodeId from, NodeId to, Duration lasts = {}) {
  Incident incident = fault(kind, from, lasts);
  incident.other = to;
  return incident;
}

using Alphabet = std::vector<Incident>;

Alphabet operator+(Alphabet some, const Alphabet& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

Alphabet cut(NodeId node) { return {fault_between(IncidentKind::cut, node, server)}; }
// What one side sends waits, so that what others send overtakes it.
Alphabet order_of(NodeId node) {
  return {fault_between(IncidentKind::clog, node, server, wait), fault_between(IncidentKind::clog, server, node, wait)};
}
// Of what was not flushed nothing, one record, or all is kept.
Alphabet server_crashes() {
  return {fault(IncidentKind::crash, server, wait), fault(IncidentKind::crash, server, wait, 1),
          fault(IncidentKind::crash, server, wait, nothing_lost)};
}
Alphabet client_crash() { return {fault(IncidentKind::crash, client, wait)}; }
// The policy of this number, for a while; the first fault of two may be the way there and the second the way back.
Alphabet policy(std::int64_t number) { return {fault(IncidentKind::policy, server, outage, number)}; }

void say(Plan& plan, NodeId node, Op op, std::string key = {}, If condition = If::always, Duration after = {}) {
  plan.calls.push_back({node, {op, std::move(key), condition, after}});
}

void add_policies(Plan& plan) {
  PolicyPlan stranger, reader;
  stranger.strangers = {client};
  reader.readers = {client};
  plan.policies = {PolicyPlan{}, stranger, reader};
}

Plan with_repeater(Plan plan) {
  plan.hostile = {HostileKind::repeater};
  plan.repeater.call_count = 2;
  plan.repeater.key_count = 1;
  plan.repeater.pause_max = {};
  plan.repeater.outside = {0, 1};
  plan.repeater.cut = {0, 1};
  plan.repeater.repeat = {1, 1};
  plan.repeater.probe = {0, 1};
  return plan;
}

ExhaustScript retry_script() {
  Plan two_slots = small_plan();
  say(two_slots, client, Op::put, "k0", If::absent);
  say(two_slots, client, Op::put, "k1");
  say(two_slots, client, Op::del, "k1");
  add_policies(two_slots);
  Plan repeated = with_repeater(small_plan());
  say(repeated, client, Op::get, "r0");
  return {"retry", "", {{two_slots, cut(client) + order_of(client) + server_crashes() + policy(2)},
                        {repeated, cut(other) + order_of(other) + server_crashes()}}};
}

ExhaustScript resume_script() {
  Plan plan = small_plan();
  add_policies(plan);
  say(plan, client, Op::put, "k0");
  say(plan, client, Op::put, "k0");
  say(plan, client, Op::put, "k0", If::last);
  say(plan, client, Op::get, "k0");
  return {"resume", "", {{plan, cut(client) + order_of(client) + client_crash() + policy(1) + policy(2) +
                                   Alphabet{fault(IncidentKind::pause, server, outage)}}}};
}

ExhaustScript evict_script() {
  Plan plan = small_plan();
  plan.limits.sessions_per_key = 2;
  say(plan, client, Op::put, "k0");
  say(plan, client, Op::put, "k1");
  say(plan, client, Op::put, "k0", If::last, outage);  // last is of k1: a conflict, whose verdict has to outlive the session
  say(plan, client, Op::del, "k1", If::last);
  const Alphabet evictions{fault(IncidentKind::evict, client, outage, 2), fault(IncidentKind::evict, client, outage, 1)};
  return {"evict", "", {{plan, evictions + cut(client) + order_of(client) + server_crashes()}}};
}

// The same on a disk, every request of which takes a while. Its crashes leave of what no flush covers nothing, everything, the first
// sector alone, or everything but the first write.
SmallWorld on_disk(Plan plan, Alphabet more) {
  plan.store.journals = 1;
  plan.store.direct = false;
  plan.store.request_time = microseconds(300);
  plan.store.restart_after = wait;
  plan.store.value_bytes_max = 2'000;
  plan.store.keys_max = 4;
  plan.limits.sessions_per_key = 2;
  const Alphabet crashes{fault(IncidentKind::crash, server, wait), fault(IncidentKind::crash, server, wait, nothing_lost),
                         fault(IncidentKind::crash, server, wait, -1), fault(IncidentKind::crash, server, wait, -1'000)};
  return {std::move(plan), crashes + more};
}

ExhaustScript crash_script() {
  Plan plan = small_plan();
  say(plan, client, Op::put, "k0");
  say(plan, client, Op::put, "k1");
  say(plan, client, Op::del, "k0");
  say(plan, client, Op::get, "k0", If::always, wait);
  Plan commits = plan;
  commits.store.commits = true;
  const Alphabet faults = server_crashes() + client_crash() + cut(client) + Alphabet{fault(IncidentKind::power_loss, server, outage)};
  return {"crash", "", {{plan, faults}, {commits, faults}, on_disk(plan, {}), on_disk(commits, {})}};
}

ExhaustScript sync_script() {
  Plan plan = small_plan();
  plan.workload.in_flight_max = 1;
  say(plan, client, Op::put, "k0");
  say(plan, client, Op::sync);
  say(plan, client, Op::put, "k0", If::last);
  say(plan, client, Op::sync);
  Plan commits = plan;
  commits.store.commits = true;
  const Alphabet faults = server_crashes() + cut(client) +
                         Alphabet{fault(IncidentKind::store_slow, server, outage, outage.ns), fault(IncidentKind::store_fail, server, wait, 1)};
  const Alphabet errors{fault(IncidentKind::disk_error, server, {}, 1), fault(IncidentKind::disk_error, server, {}, 2)};
  return {"sync", "", {{plan, faults}, {commits, faults}, on_disk(plan, errors), on_disk(commits, errors)}};
}

ExhaustScript fence_script() {
  // Each end hears of a break in its own time, so the old connection outlives the one that fences it.
  Plan late = small_plan();
  late.store.commits = true;
  late.store.flush_delay = long_outage;
  late.faults.stream.late_error = {1, 1};
  late.faults.stream.error_delay_max = long_outage;
  say(late, client, Op::put, "k0");
  say(late, client, Op::put, "k1");
  say(late, client, Op::del, "k0");
  Plan probing = with_repeater(small_plan());
  probing.repeater.probe = {1, 1};
  say(probing, client, Op::get, "r0");
  const Alphabet apart{fault(IncidentKind::pause, server, outage), fault_between(IncidentKind::one_way, server, client, outage),
                       fault_between(IncidentKind::one_way, client, server, outage)};
  return {"fence", "", {{late, cut(client) + order_of(client) + apart},
                        {probing, cut(other) + order_of(other) + server_crashes()}}};
}

}  // namespace

const std::vector<ExhaustScript>& exhaust_scripts() {
  static const std::vector<ExhaustScript> scripts{retry_script(), resume_script(), evict_script(), crash_script(), sync_script(), fence_script()};
  return scripts;
}

const ExhaustScript* exhaust_script_of(std::string_view name) {
  for (const ExhaustScript& each : exhaust_scripts()) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

}  // namespace statefs::sim
