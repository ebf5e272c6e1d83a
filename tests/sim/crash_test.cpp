// Servers and clients that crash at drawn moments: no check objects, and each meets what it is there for.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "sim/checkers.h"
#include "sim/stand_in_suite.h"
#include "sim/workload.h"
#include "sim/world.h"

namespace statefs::sim {
namespace {

constexpr NodeId mortal_node = 4;

// One call at a time, of a client that may be gone in the middle of it.
class Mortal final : public CallUser {
 public:
  explicit Mortal(World& world) : random_(world.random().stream("mortal")) {}

  void completed(ClientProgram& client, Completion) override { call(client); }
  void call(ClientProgram& client) {
    const std::string key = "/state/shared/k" + std::to_string(random_.below(3));
    const std::string value = "mortal." + std::to_string(++count_);
    const std::uint64_t which = random_.below(8);
    RequestBody body = PutRequest{{}, {}, as_bytes(key), static_cast<std::uint32_t>(value.size()), as_bytes(value), {}};
    if (which == 0) body = DeleteRequest{{}, {}, as_bytes(key)};
    if (which == 1) body = GetRequest{{}, 0, 100, as_bytes(key)};
    if (which == 2) body = SyncRequest{client.client().server_hello() ? client.client().server_hello()->epoch : 1};
    STATEFS_CHECK(client.submit(body, milliseconds(static_cast<std::int64_t>(1 + random_.below(1'000)))).ok());
  }

 private:
  RandomStream random_;
  std::uint64_t count_ = 0;
};

Faults draw_faults(RandomStream& random) {
  Faults faults;
  faults.link = {microseconds(static_cast<std::int64_t>(10 + random.skewed(5'000))), microseconds(static_cast<std::int64_t>(random.below(3'000))), 0};
  if (random.chance({1, 3})) faults.cut_per_write = {1, 40};
  if (random.chance({1, 3})) faults.stream.broken_unread = {1, 2};
  return faults;
}

class CrashSoak {
 public:
  explicit CrashSoak(std::uint64_t seed)
      : random_(seed, "soak"), world_(seed, draw_faults(random_), make_stand_in_suite()), mortal_user_(world_) {
    for (NodeId id = 0; id <= mortal_node; ++id) world_.add_node();
    for (NodeId id = 0; id <= mortal_node; ++id) context_.keys.push_back(world_.public_key_of(id));
    context_.policies = {PolicyPlan{}, PolicyPlan{{}, {1}, {}, true, {}}, PolicyPlan{{2}, {}, {3}, false, {}}};
    add_server();
    WorkloadOptions options;
    options.operation_count = 60;
    options.in_flight_max = 4;
    options.timeout = seconds(3);
    options.pause_max = milliseconds(20);
    options.value_size_max = 300;
    for (const NodeId id : {1u, 2u, 3u}) {
      workloads_.push_back(std::make_unique<Workload>(world_.node(id), options));
      clients_.push_back(&world_.add_client(world_.node(id), 0, *workloads_.back()));
      workloads_.back()->start(*clients_.back());
    }
    clients_.push_back(&world_.add_client(world_.node(mortal_node), 0, mortal_user_));
    mortal_user_.call(*clients_.back());
    for (NodeId id = 1; id <= mortal_node; ++id) {
      context_.server_of[id] = 0;
      context_.clients.insert(id);
    }
  }

  std::vector<CheckResult> judge() {
    const auto done = [](const auto& each) { return each->done(); };
    for (int acts = 0; acts < 40 || !std::all_of(workloads_.begin(), workloads_.end(), done); ++acts) {
      pass(milliseconds(static_cast<std::int64_t>(random_.skewed(400))));
      if (acts < 40) act();
      if (acts == 40) server_->restart();
      if (acts > 2'000) {
        ADD_FAILURE() << "stuck";
        break;
      }
    }
    pass(seconds(2));
    for (ClientProgram* client : clients_) client->crash();
    pass(seconds(2));
    return check(history_of(world_.trace()), context_);
  }
  [[nodiscard]] std::map<TraceKind, std::size_t> counts() const {
    std::map<TraceKind, std::size_t> counts;
    for (const TraceEntry& entry : const_cast<World&>(world_).trace().entries()) ++counts[entry.kind];
    return counts;
  }

 private:
  void add_server() {
    const std::vector<ShadowPeer> peers{{1, false}, {2, false}, {3, false}, {mortal_node, false}};
    for (const PolicyPlan& plan : context_.policies) sources_.push_back(to_source(plan, peers, context_.keys));
    ServerProgramOptions options;
    options.policy = sources_[0];
    options.durability = random_.chance({1, 2}) ? Durability::commit : Durability::sync;
    options.flush_interval = milliseconds(static_cast<std::int64_t>(random_.skewed(1'000)));
    options.flush_delay = microseconds(static_cast<std::int64_t>(random_.skewed(50'000)));
    server_ = &world_.add_server(world_.node(0), options);
    context_.servers[0].mac_key = ServerProgram::mac_key_of(world_.random(), 0);
    context_.servers[0].durability = options.durability;
  }
  void pass(Duration duration) { world_.run_until(world_.now() + duration); }
  void act() {
    ClientProgram& mortal = *clients_.back();
    const std::uint64_t which = random_.below(6);
    if (which < 2) {
      if (server_->up()) server_->crash(static_cast<std::int64_t>(random_.below(server_->store().volatile_count() + 1)));
    } else if (which < 4) {
      server_->restart();
    } else if (which == 4) {
      const std::uint64_t number = random_.below(sources_.size());
      if (random_.chance({1, 2})) server_->reload(sources_[number], number);
    } else if (mortal.up()) {
      mortal.crash();
    } else {
      mortal.restart();
      mortal_user_.call(mortal);
    }
  }

  RandomStream random_;
  World world_;
  Mortal mortal_user_;
  CheckContext context_;
  std::vector<PolicySource> sources_;
  ServerProgram* server_ = nullptr;
  std::vector<std::unique_ptr<Workload>> workloads_;
  std::vector<ClientProgram*> clients_;
};

TEST(CrashSoak, NoCheckObjectsAndEachHasMuchToJudge) {
  std::map<std::string_view, std::uint64_t> judged;
  std::map<TraceKind, std::size_t> counts;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CrashSoak soak(seed);
    for (const CheckResult& each : soak.judge()) {
      EXPECT_EQ(each.failure, "") << each.name << ", seed " << seed;
      judged[each.name] += each.judged;
    }
    for (const auto& [kind, count] : soak.counts()) counts[kind] += count;
  }
  // Of what these worlds do not keep, or hardly do.
  const std::set<std::string_view> unseen{"answers", "bounds", "channel", "counted", "links", "liveness",
                                          "quota", "rates", "rollback", "staged", "waits"};
  for (const auto& [name, count] : judged) {
    EXPECT_GE(count, unseen.contains(name) ? 0u : 1'000u) << name;
  }
  EXPECT_GT(counts[TraceKind::store_lost], 100u);
  EXPECT_GT(counts[TraceKind::lost_write], 15u);
  EXPECT_GT(counts[TraceKind::policy], 30u);
}

}  // namespace
}  // namespace statefs::sim
