#include "sim/draw.h"

#include <algorithm>

#include "sim/draw_journal.h"
#include "sim/draw_rates.h"
#include "sim/draw_sizes.h"

namespace statefs::sim {
namespace {

Duration drawn(RandomStream& random, Duration max) {
  return nanoseconds(static_cast<std::int64_t>(random.skewed(static_cast<std::uint64_t>(max.ns))));
}

Time moment(RandomStream& random, Duration horizon) {
  return Time{static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(horizon.ns) + 1))};
}

bool exists(RandomStream& random) { return random.chance({1, 2}); }

Ratio ratio(RandomStream& random, std::uint64_t whole_min, std::uint64_t whole_max) {
  return {1, static_cast<std::uint32_t>(random.between(whole_min, whole_max))};
}

void draw_link(RandomStream& random, LinkOptions& link) {
  if (exists(random)) link.jitter = drawn(random, milliseconds(50));
  if (exists(random)) link.bytes_per_second = 10'000 + random.skewed(100'000'000);
  if (exists(random)) {
    link.loss = ratio(random, 3, 300);
    link.rto_min = milliseconds(20) + drawn(random, milliseconds(200));
    link.retransmissions_max = random.between(1, 8);
  }
  link.give_up_after = seconds(1) + drawn(random, seconds(60));
  link.connect_timeout = seconds(1) + drawn(random, seconds(30));
}

void draw_stream(RandomStream& random, StreamOptions& stream) {
  if (exists(random)) {
    stream.cuts = {static_cast<std::uint32_t>(random.below(8)), static_cast<std::uint32_t>(random.below(4)),
                   static_cast<std::uint32_t>(random.below(3)), static_cast<std::uint32_t>(random.below(4))};
  }
  if (exists(random)) stream.send_window = static_cast<std::size_t>(64 + random.skewed(64 * 1024));
  if (exists(random)) stream.short_write = ratio(random, 1, 20);
  if (exists(random)) stream.blocked_write = ratio(random, 2, 20);
  if (exists(random)) stream.short_read = ratio(random, 1, 20);
  if (exists(random)) stream.refused = ratio(random, 2, 20);
  if (exists(random)) stream.broken_unread = ratio(random, 1, 4);
  if (exists(random)) {
    stream.slow_close = ratio(random, 1, 8);
    stream.close_delay_max = drawn(random, seconds(5));
  }
  if (exists(random)) {
    stream.stalled_read = ratio(random, 4, 200);
    stream.stall_max = drawn(random, seconds(2));
  }
  if (exists(random)) {
    stream.late_error = ratio(random, 1, 4);
    stream.error_delay_max = drawn(random, seconds(5));
  }
}

WorkloadOptions draw_workload(RandomStream& random, Duration horizon) {
  WorkloadOptions options;
  options.operation_count = static_cast<std::uint32_t>(random.between(20, 120));
  options.in_flight_max = static_cast<std::uint32_t>(1 + random.skewed(7));
  options.key_count = static_cast<std::uint32_t>(random.between(1, 8));
  options.value_size_max = static_cast<std::uint32_t>(random.skewed(20'000));
  if (random.chance({1, 16})) options.value_size_max = limits::value_size_max + 100;
  options.pause_max = nanoseconds(2 * horizon.ns / options.operation_count);
  options.timeout = nanoseconds(200'000'000 + drawn(random, seconds(60)).ns);
  options.put = static_cast<std::uint32_t>(random.between(1, 8));
  options.get = static_cast<std::uint32_t>(random.between(1, 8));
  options.del = static_cast<std::uint32_t>(random.below(5));
  options.list = static_cast<std::uint32_t>(random.below(5));
  options.sync = static_cast<std::uint32_t>(random.below(3));
  if (exists(random)) options.breaks = ratio(random, 4, 60);
  if (exists(random)) {
    options.upload = static_cast<std::uint32_t>(random.between(1, 4));
    options.download = static_cast<std::uint32_t>(random.below(4));
    options.large_size_max = static_cast<std::uint32_t>(random.chance({1, 6}) ? 150'000 : random.skewed(30'000));
  }
  if (exists(random)) options.stray = static_cast<std::uint32_t>(random.between(1, 10));
  return options;
}

// Only a whole record is a sign of life, and the largest must get through in time.
Duration draw_dead_peer_timeout(RandomStream& random, const LinkOptions& link) {
  const std::uint64_t rate = link.bytes_per_second;
  const std::uint64_t carrying_ms = rate == 0 ? 0 : 4 * 1000 * limits::record_plaintext_size_max / rate;
  return seconds(1) + drawn(random, seconds(10)) + milliseconds(static_cast<std::int64_t>(carrying_ms));
}

// Every client that stays must find room in the end, or there is no liveness to ask for.
void draw_limits(RandomStream& random, std::uint32_t node_count, const LinkOptions& link, ServerLimits& limits) {
  const auto rarely = [&random] { return random.chance({1, 5}); };
  if (rarely()) limits.handshakes_per_wakeup = 1;
  if (rarely()) limits.half_open_max = random.between(1, 3);
  if (rarely()) limits.connections_max = node_count + random.below(4);
  if (rarely()) limits.connections_per_peer_max = random.between(1, 3);
  if (random.chance({1, 3})) limits.sessions_per_key = random.between(1, 3);
  if (rarely()) limits.output_size_max = 2 * limits::frame_size_max + random.skewed(10'000);
  if (rarely()) limits.keepalive_interval = milliseconds(200);
  if (rarely()) limits.handshake_timeout = milliseconds(200) + drawn(random, seconds(5));
  if (random.chance({1, 3})) {
    limits.staging.value_size_max = 300 + random.skewed(100'000);
    limits.staging.bytes_per_peer_max = limits.staging.value_size_max * random.between(1, 2);
    limits.staging.stages_per_peer_max = random.between(1, 3);
    limits.staging.yield_after = drawn(random, seconds(1));
    limits.staging.idle_max = milliseconds(1) + limits.staging.yield_after + drawn(random, seconds(4));
  }
  if (rarely()) limits.dead_peer_timeout = draw_dead_peer_timeout(random, link);
  if (rarely()) limits.connection_age_max = milliseconds(300) + drawn(random, seconds(20));
  RandomStream waiting = random.split("waiting");
  if (waiting.chance({1, 5})) limits.waiting_size_per_peer_max = 1 + waiting.skewed(200'000);
  if (waiting.chance({1, 5})) limits.waiting_size_max = 1 + waiting.skewed(500'000);
  if (random.split("drain").chance({1, 2})) limits.drain_timeout = milliseconds(100);
}

void draw_store(RandomStream& random, StorePlan& store) {
  store.commits = random.chance({1, 3});
  if (exists(random)) store.flush_delay = drawn(random, milliseconds(50));
  if (exists(random)) store.flush_interval = nanoseconds(static_cast<std::int64_t>(random.below(1'000'000'000)));
  if (random.chance({1, 4})) store.audit_ring_size = 2 * limits::audit_reserve_size + random.skewed(40'000);
  if (random.chance({1, 8})) store.value_bytes_max = random.between(1'000, 60'000);
  if (random.chance({1, 12})) store.keys_max = random.between(1, 4);
}

// Room for a few values of the size that programs write.
std::uint64_t draw_quota_bytes(RandomStream& random, const Plan& plan) { return random.between(10, 20 + 2 * plan.workload.value_size_max); }

PolicyPlan draw_policy(RandomStream& random, const Plan& plan) {
  PolicyPlan policy;
  const auto some_client = [&] { return plan.server_count + static_cast<NodeId>(random.below(plan.client_count)); };
  if (random.chance({1, 2})) policy.strangers.push_back(some_client());
  if (random.chance({1, 3})) policy.readers.push_back(some_client());
  if (random.chance({1, 4})) policy.writers.push_back(some_client());
  policy.dir_denied = random.chance({1, 2});
  if (random.chance({1, 4})) policy.narrowed = some_client();
  if (random.chance({1, 2})) policy.quota_keys = random.between(1, 3);
  if (random.chance({1, 3})) policy.quota_bytes = draw_quota_bytes(random, plan);
  RandomStream ops = random.split("ops");
  for (auto& nodes : policy.without) {
    if (ops.chance({1, 4})) nodes.push_back(plan.server_count + static_cast<NodeId>(ops.below(plan.client_count)));
  }
  policy.dir_hidden = ops.chance({1, 3});
  if (ops.chance({1, 3})) policy.wide = plan.server_count + static_cast<NodeId>(ops.below(plan.client_count));
  return policy;
}

NodeOptions draw_node(RandomStream& random) {
  NodeOptions options;
  options.clock.monotonic_origin_ns = static_cast<std::int64_t>(random.skewed(std::uint64_t{1} << 50));
  if (exists(random)) options.clock.drift_ppb = static_cast<std::int32_t>(random.below(400'000)) - 200'000;
  if (exists(random)) options.wake_delay_max = drawn(random, milliseconds(5));
  return options;
}

constexpr std::size_t small_ring_size = 110'000;

// The incidents of one seed, kind by kind.
class IncidentDraw {
 public:
  IncidentDraw(RandomStream random, const Plan& plan, Duration horizon) : random_(random), plan_(plan), horizon_(horizon) {}

  std::vector<Incident> all() {
    some(IncidentKind::crash, 4);
    some(IncidentKind::power_loss, 3);
    some(IncidentKind::pause, 4);
    some(IncidentKind::cut, 6);
    some(IncidentKind::partition, 3);
    some(IncidentKind::one_way, 3);
    some(IncidentKind::clog, 4);
    some(IncidentKind::tamper, 4);
    if (plan_.policies.size() > 1) some(IncidentKind::policy, 4);
    some(IncidentKind::clock_step, 3);
    some(IncidentKind::clock_drift, 3);
    some(IncidentKind::store_fail, 1);
    some(IncidentKind::store_full, 2);
    some(IncidentKind::store_slow, 2);
    if (plan_.limits.sessions_per_key <= 4) {
      some(IncidentKind::evict, 4);
      some(IncidentKind::evict, 4);
    }
    if (plan_.store.audit_ring_size < small_ring_size && exists(random_)) full_log();
    if (exists(random_)) flapping();
    if (exists(random_)) swizzled_clogs();
    std::stable_sort(incidents_.begin(), incidents_.end(), [](const Incident& a, const Incident& b) { return a.at < b.at; });
    return std::move(incidents_);
  }

 private:
  NodeId some_server() { return static_cast<NodeId>(random_.below(plan_.server_count)); }
  NodeId some_client() { return plan_.server_count + static_cast<NodeId>(random_.below(plan_.client_count)); }
  // A hostile peer too: it may have several streams at once.
  NodeId some_peer() {
    if (plan_.hostile.empty() || !random_.chance({1, 4})) return some_client();
    return plan_.server_count + plan_.client_count + static_cast<NodeId>(random_.below(plan_.hostile.size()));
  }
  // Servers more often than their number: there are few, and everybody depends on them.
  NodeId some_node() { return random_.chance({1, 2}) ? some_server() : some_client(); }

  void some(IncidentKind kind, std::uint64_t count_max) {
    if (!random_.chance({2, 5})) return;
    for (std::uint64_t left = random_.between(1, count_max); left > 0; --left) one(kind);
  }

  void one(IncidentKind kind) {
    Incident incident;
    incident.kind = kind;
    incident.at = moment(random_, horizon_);
    incident.lasts = milliseconds(1) + drawn(random_, seconds(10));
    incident.node = some_node();
    if (has_two_nodes(kind)) {
      const NodeId client = kind == IncidentKind::tamper ? some_peer() : some_client();
      const bool there = random_.chance({1, 2});
      incident.node = there ? client : plan_.server_of(client);
      incident.other = there ? plan_.server_of(client) : client;
    }
    fill(incident);
    incidents_.push_back(incident);
  }

  void fill(Incident& incident) {
    constexpr std::int64_t hour_ns = 3'600'000'000'000;
    switch (incident.kind) {
      case IncidentKind::crash:
      case IncidentKind::power_loss:
        // Nothing, everything, or the first few of what is not durable.
        incident.amount = static_cast<std::int64_t>(random_.chance({1, 3}) ? 0 : random_.below(8));
        if (!plan_.is_server(incident.node) && random_.chance({1, 6})) incident.lasts = for_good;
        break;
      case IncidentKind::tamper:
        incident.amount = static_cast<std::int64_t>(random_.next() >> 1);
        if (random_.chance({1, 3})) incident.amount = -incident.amount;
        break;
      case IncidentKind::policy:
        incident.node = some_server();
        incident.amount = static_cast<std::int64_t>(random_.below(plan_.policies.size()));
        incident.lasts = {};
        break;
      case IncidentKind::clock_step:
        incident.amount = static_cast<std::int64_t>(random_.below(6 * hour_ns)) - 3 * hour_ns;
        incident.lasts = {};
        break;
      case IncidentKind::clock_drift:
        incident.amount = static_cast<std::int64_t>(random_.below(100'000'000)) - 50'000'000;  // to 5 %
        incident.lasts = {};
        break;
      case IncidentKind::store_fail:
        incident.node = some_server();
        incident.amount = static_cast<std::int64_t>(random_.skewed(1'000));
        break;
      case IncidentKind::store_full:
        // Long enough for a small log to fill.
        incident.node = some_server();
        incident.lasts = milliseconds(1) + nanoseconds(static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(horizon_.ns))));
        break;
      case IncidentKind::store_slow:
        incident.node = some_server();
        incident.amount = drawn(random_, seconds(3)).ns;
        break;
      case IncidentKind::evict:
        incident.node = some_client();
        incident.amount = static_cast<std::int64_t>(plan_.limits.sessions_per_key + (random_.chance({1, 2}) ? random_.between(16, 24) : 0));
        if (random_.chance({1, 3})) incident.amount = -incident.amount;
        break;
      case IncidentKind::cut: incident.lasts = {}; break;
      case IncidentKind::pause:
      case IncidentKind::partition:
      case IncidentKind::one_way:
      case IncidentKind::clog:
      case IncidentKind::disk_crash:
      case IncidentKind::disk_error:
      case IncidentKind::disk_rot:
      case IncidentKind::disk_misdirect:
      case IncidentKind::disk_swap:
      case IncidentKind::naming_crash:
      case IncidentKind::edge_crash: break;
    }
  }

  // From some moment on nothing is exported, for so long that a small log fills.
  void full_log() {
    Incident incident;
    incident.kind = IncidentKind::store_full;
    incident.at = moment(random_, nanoseconds(horizon_.ns / 4));
    incident.node = some_server();
    incident.lasts = horizon_;
    incidents_.push_back(incident);
  }

  // A link that comes and goes.
  void flapping() {
    const NodeId client = some_client();
    const Duration each = milliseconds(5) + drawn(random_, seconds(1));
    Time at = moment(random_, horizon_);
    for (std::uint64_t left = random_.between(2, 6); left > 0; --left) {
      Incident incident;
      incident.kind = IncidentKind::partition;
      incident.at = at;
      incident.node = client;
      incident.other = plan_.server_of(client);
      incident.lasts = each;
      incidents_.push_back(incident);
      at = at + each + each;
    }
  }

  // Links stop one after the other and come back in another order.
  void swizzled_clogs() {
    const Time begin = moment(random_, horizon_);
    const Duration spread = milliseconds(10) + drawn(random_, seconds(3));
    for (NodeId client = plan_.server_count; client < plan_.server_count + plan_.client_count; ++client) {
      if (!exists(random_)) continue;
      Incident incident;
      incident.kind = IncidentKind::clog;
      incident.at = begin + nanoseconds(static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(spread.ns))));
      incident.node = plan_.server_of(client);
      incident.other = client;
      incident.lasts = spread + nanoseconds(static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(spread.ns))));
      incidents_.push_back(incident);
    }
  }

  RandomStream random_;
  const Plan& plan_;
  Duration horizon_;
  std::vector<Incident> incidents_;
};

}  // namespace

Plan draw_plan(std::uint64_t seed) {
  RandomStream random(seed, "plan");
  Plan plan;
  plan.seed = seed;
  plan.server_count = random.chance({1, 5}) ? 2 : 1;
  plan.client_count = static_cast<std::uint32_t>(random.between(1, 8));
  RandomStream locals = random.split("locals");
  if (locals.chance({1, 3})) plan.local_count = static_cast<std::uint32_t>(locals.between(1, std::min<std::uint64_t>(plan.client_count, 2)));
  const Duration horizon = milliseconds(200) + drawn(random, seconds(20));
  if (plan.local_count > 0 && locals.chance({1, 4})) plan.limits.local_connections_per_uid_max = locals.between(1, 3);
  RandomStream workload = random.split("workload");
  plan.workload = draw_workload(workload, horizon);
  RandomStream store = random.split("store");
  draw_store(store, plan.store);
  RandomStream faults = random.split("faults");
  plan.faults.link.latency = microseconds(10) + drawn(faults, milliseconds(20));
  RandomStream nodes = random.split("nodes");
  if (random.chance({1, 8})) {
    draw_journals(plan, horizon, false);
    return plan;
  }
  draw_link(faults, plan.faults.link);
  draw_stream(faults, plan.faults.stream);
  if (exists(faults)) plan.faults.cut_per_write = ratio(faults, 8, 400);
  bound_values(plan.faults, plan.workload);
  RandomStream thirst = random.split("thirst");
  if (plan.faults.cut_per_write.part == 0 && thirst.chance({1, 8})) draw_thirst(thirst, plan);
  RandomStream limits = random.split("limits");
  draw_limits(limits, plan.client_count + 4, plan.faults.link, plan.limits);
  RandomStream client = random.split("client");
  if (client.chance({1, 4})) plan.client_keepalive_interval = milliseconds(200) + drawn(client, seconds(3));
  if (client.chance({1, 4})) plan.client_dead_peer_timeout = draw_dead_peer_timeout(client, plan.faults.link);
  RandomStream repeater = random.split("repeater");
  if (exists(repeater)) plan.repeater.probe = {1, 1};
  if (exists(repeater)) plan.repeater.call_count = static_cast<std::uint32_t>(repeater.between(20, 60));
  if (repeater.chance({1, 4})) plan.hostile.push_back(HostileKind::repeater);
  RandomStream hostile = random.split("hostile");
  if (exists(hostile)) {
    for (std::uint64_t left = hostile.between(1, 3); left > 0; --left) {
      plan.hostile.push_back(static_cast<HostileKind>(hostile.below(hostile_kind_count)));
    }
  }
  RandomStream crowded = random.split("crowded");
  draw_crowd(crowded, plan);
  RandomStream rates = random.split("rates");
  draw_rates(rates, plan);
  RandomStream policies = random.split("policies");
  RandomStream first = policies.split("first");
  if (first.chance({1, 4})) plan.policies.front().wide = plan.server_count + static_cast<NodeId>(first.below(plan.client_count));
  if (policies.chance({1, 6})) plan.policies.front().quota_keys = policies.between(1, 4);
  if (policies.chance({1, 6})) plan.policies.front().quota_bytes = draw_quota_bytes(policies, plan);
  if (exists(policies)) {
    for (std::uint64_t left = policies.between(1, 3); left > 0; --left) plan.policies.push_back(draw_policy(policies, plan));
  }
  for (std::uint32_t i = 0; i < plan.node_count(); ++i) plan.nodes.push_back(draw_node(nodes));
  plan.faults.link.recorded_size = 600;
  plan.incidents = IncidentDraw(random.split("incidents"), plan, horizon).all();
  draw_journals(plan, horizon, true);
  return plan;
}

}  // namespace statefs::sim
