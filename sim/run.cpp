#include "sim/run.h"

#include <algorithm>
#include <memory>

namespace statefs::sim {
namespace {

constexpr std::uint64_t events_max = 3'000'000;
constexpr Duration aftermath = seconds(120);  // longer than any timeout that could hold a connection

Duration drawn(RandomStream& random, Duration max) {
  return nanoseconds(static_cast<std::int64_t>(random.skewed(static_cast<std::uint64_t>(max.ns))));
}

Faults draw_faults(RandomStream& random) {
  Faults faults;
  faults.link.latency = nanoseconds(10'000 + drawn(random, milliseconds(20)).ns);
  if (random.chance({1, 8})) return faults;
  const auto exists = [&random] { return random.chance({1, 2}); };
  const auto ratio = [&random](std::uint64_t whole_min, std::uint64_t whole_max) {
    return Ratio{1, static_cast<std::uint32_t>(random.between(whole_min, whole_max))};
  };
  if (exists()) faults.link.jitter = drawn(random, milliseconds(50));
  if (exists()) faults.link.bytes_per_second = 10'000 + random.skewed(100'000'000);
  if (exists()) {
    faults.stream.cuts = {static_cast<std::uint32_t>(random.below(8)), static_cast<std::uint32_t>(random.below(4)),
                          static_cast<std::uint32_t>(random.below(3)), static_cast<std::uint32_t>(random.below(4))};
  }
  if (exists()) faults.stream.send_window = static_cast<std::size_t>(64 + random.skewed(64 * 1024));
  if (exists()) faults.stream.short_write = ratio(1, 20);
  if (exists()) faults.stream.blocked_write = ratio(2, 20);
  if (exists()) faults.stream.short_read = ratio(1, 20);
  if (exists()) faults.stream.refused = ratio(2, 20);
  if (exists()) faults.stream.broken_unread = ratio(1, 4);
  if (exists()) faults.cut_per_write = ratio(8, 400);
  return faults;
}

WorkloadOptions draw_workload(RandomStream& random) {
  WorkloadOptions options;
  options.operation_count = static_cast<std::uint32_t>(random.between(20, 120));
  options.in_flight_max = static_cast<std::uint32_t>(1 + random.skewed(7));
  options.key_count = static_cast<std::uint32_t>(random.between(1, 8));
  options.value_size_max = static_cast<std::uint32_t>(random.skewed(20'000));
  options.pause_max = drawn(random, milliseconds(500));
  options.timeout = nanoseconds(500'000'000 + drawn(random, seconds(60)).ns);
  options.put = static_cast<std::uint32_t>(random.between(1, 8));
  options.get = static_cast<std::uint32_t>(random.between(1, 8));
  options.del = static_cast<std::uint32_t>(random.below(5));
  options.list = static_cast<std::uint32_t>(random.below(5));
  options.sync = static_cast<std::uint32_t>(random.below(3));
  if (random.chance({1, 2})) options.breaks = {1, static_cast<std::uint32_t>(random.between(4, 60))};
  return options;
}

NodeOptions draw_node(RandomStream& random) {
  NodeOptions options;
  options.clock.monotonic_origin_ns = static_cast<std::int64_t>(random.skewed(std::uint64_t{1} << 50));
  if (random.chance({1, 2})) options.clock.drift_ppb = static_cast<std::int32_t>(random.below(400'000)) - 200'000;
  if (random.chance({1, 2})) options.wake_delay_max = drawn(random, milliseconds(5));
  return options;
}

// Most bytes that one connection may hold, generously: what a message, a frame and a read can be, and the output bound.
std::size_t buffered_size_max(const ServerLimits& limits) {
  return limits.output_size_max + 3 * limits::frame_size_max + 2 * limits::noise_message_size_max + limits::receive_size_max;
}

std::unique_ptr<Suite> suite_for(Tap* tap) {
  auto suite = make_crypto_suite();
  return tap == nullptr ? std::move(suite) : tap->wrap(std::move(suite));
}

// A world of a plan, while it runs.
class Trial {
 public:
  Trial(const Plan& plan, Tap* tap) : plan_(plan), world_(plan.seed, plan.faults, suite_for(tap)) {
    if (tap != nullptr) {
      tap->watch(world_.schedule(), world_.trace());
      world_.trace().keep_stream_bytes(true);
    }
    std::vector<NodeId> peers;
    for (std::uint32_t i = 1; i <= plan.client_count; ++i) peers.push_back(i);
    for (const NodeOptions& options : plan.nodes) world_.add_node(options);
    ServerProgramOptions options;
    options.policy = world_.enrol(peers);
    options.limits = plan.limits;
    options.durability = plan.durability;
    options.flush_delay = plan.flush_delay;
    server_ = &world_.add_server(world_.node(0), options);
    for (const NodeId id : peers) {
      workloads_.push_back(std::make_unique<Workload>(world_.node(id), plan.workload));
      clients_.push_back(&world_.add_client(world_.node(id), 0, *workloads_.back()));
      workloads_.back()->start(*clients_.back());
    }
  }

  RunReport judge(const Watch& watch) {
    world_.schedule().record(watch.recorded);
    RunReport report;
    report.nodes = plan_.client_count + 1;
    CheckResult bounds{"bounds", 0, {}};
    const bool finished = world_.run_while_not([&] { return check_bounds(bounds), done(); }, events_max);
    report.simulated = world_.now();
    report.reconnects = world_.network().connect_count() - std::min<std::size_t>(world_.network().connect_count(), clients_.size());
    for (ClientProgram* client : clients_) client->crash();
    world_.run_until(world_.now() + aftermath);
    if (!finished) bounds.failure = "stuck, or not done after " + std::to_string(events_max) + " events";
    if (server_->server().connection_count() != 0 || world_.network().stream_count() != 0) bounds.failure = "a connection is left over";
    History history = history_of(world_.trace());
    if (watch.lie) watch.lie(history);
    CheckContext context;
    context.servers[0] = {ServerProgram::mac_key_of(world_.random(), 0), plan_.durability};
    context.policies.emplace_back();
    for (NodeId id = 0; id <= plan_.client_count; ++id) {
      context.keys.push_back(world_.public_key_of(id));
      if (id > 0) context.server_of[id] = 0;
    }
    report.checks = check(history, context);
    report.checks.push_back(bounds);
    for (const auto& workload : workloads_) report.operations += workload->completed_count();
    report.digest = world_.schedule().digest();
    report.applied = world_.network().counts();
    report.marks = world_.marks();
    report.recorded = world_.schedule().recorded();
    if (watch.afterwards) watch.afterwards(world_, report);
    return report;
  }

 private:
  [[nodiscard]] bool done() const {
    return std::all_of(workloads_.begin(), workloads_.end(), [](const auto& each) { return each->done(); });
  }
  void check_bounds(CheckResult& bounds) {
    if (world_.schedule().digest().event_count() % 32 != 0) return;
    ++bounds.judged;
    const std::size_t limit = server_->server().connection_count() * buffered_size_max(plan_.limits);
    if (server_->server().buffered_size() > limit) bounds.failure = "the server holds more than its limits allow";
  }

  const Plan& plan_;
  World world_;
  ServerProgram* server_ = nullptr;
  std::vector<std::unique_ptr<Workload>> workloads_;
  std::vector<ClientProgram*> clients_;
};

}  // namespace

Plan draw_plan(std::uint64_t seed) {
  RandomStream random(seed, "plan");
  Plan plan;
  plan.seed = seed;
  plan.client_count = static_cast<std::uint32_t>(random.between(1, 8));
  RandomStream faults = random.split("faults");
  plan.faults = draw_faults(faults);
  RandomStream workload = random.split("workload");
  plan.workload = draw_workload(workload);
  if (random.chance({1, 2})) {
    plan.durability = Durability::commit;  // in sync mode a record is exported after its answer, which no checker expects yet
    plan.flush_delay = drawn(random, milliseconds(20));
  }
  if (random.chance({1, 4})) plan.limits.handshakes_per_wakeup = 1;
  if (random.chance({1, 4})) plan.limits.half_open_max = 2;
  if (random.chance({1, 4})) plan.limits.keepalive_interval = milliseconds(200);
  RandomStream nodes = random.split("nodes");
  for (std::uint32_t i = 0; i <= plan.client_count; ++i) plan.nodes.push_back(draw_node(nodes));
  return plan;
}

std::string describe(const Plan& plan) {
  const char* const durability = plan.durability == Durability::commit ? " durability=commit" : " durability=sync";
  std::string text = "clients=" + std::to_string(plan.client_count) + durability + " flush_delay_ns=" + std::to_string(plan.flush_delay.ns) +
                     " handshakes_per_wakeup=" + std::to_string(plan.limits.handshakes_per_wakeup) +
                     " half_open_max=" + std::to_string(plan.limits.half_open_max) +
                     " keepalive_ns=" + std::to_string(plan.limits.keepalive_interval.ns) + "\n" + describe(plan.faults) + "\n" +
                     describe(plan.workload);
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    const NodeOptions& node = plan.nodes[i];
    text += "\nnode=" + std::to_string(i) + " origin_ns=" + std::to_string(node.clock.monotonic_origin_ns) +
            " drift_ppb=" + std::to_string(node.clock.drift_ppb) + " wake_delay_max_ns=" + std::to_string(node.wake_delay_max.ns);
  }
  return text;
}

bool RunReport::ok() const { return failed_check().empty(); }

std::string_view RunReport::failed_check() const {
  for (const CheckResult& each : checks) {
    if (!each.failure.empty()) return each.name;
  }
  return {};
}

RunReport run(const Plan& plan, const Watch& watch) { return Trial(plan, watch.tap).judge(watch); }

std::string verdict_line(std::uint64_t seed, const RunReport& report) {
  constexpr std::int64_t billion = 1'000'000'000;
  std::string fraction = std::to_string(billion + report.simulated.ns % billion).substr(1, 3);
  return "seed=" + std::to_string(seed) + " digest=" + hex16(report.digest.value()) + " operations=" + std::to_string(report.operations) +
         " simulated=" + std::to_string(report.simulated.ns / billion) + "." + fraction +
         " verdict=" + (report.ok() ? "ok" : "failed:" + std::string(report.failed_check()));
}

}  // namespace statefs::sim
