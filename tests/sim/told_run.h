// TOLD RUN: a small world with a tap, run and told: one server, workloads over a network that tears, and a driver that
// does things one by one.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "sim/stand_in_suite.h"
#include "sim/story.h"
#include "sim/workload.h"
#include "sim/world.h"

namespace statefs::sim {

struct ToldRun {
  explicit ToldRun(std::uint64_t seed, const Faults& faults = {}, std::uint32_t client_count = 1,
                   Duration flush_interval = ServerProgramOptions{}.flush_interval)
      : world(seed, faults, tap.wrap(make_stand_in_suite())) {
    tap.watch(world.schedule(), world.trace());
    world.trace().keep_stream_bytes(true);
    ServerProgramOptions options;
    std::vector<NodeId> peers;
    for (NodeId id = 1; id <= client_count + 1; ++id) peers.push_back(id);
    options.policy = world.enrol(peers);
    options.flush_interval = flush_interval;
    server = &world.add_server(world.add_node(), options);
    driver = std::make_unique<WorldDriver>(world, 0);
  }

  Completion put(std::string_view key, std::string_view value) {
    return driver->call(PutRequest{{}, {}, as_bytes(key), static_cast<std::uint32_t>(value.size()), as_bytes(value), {}});
  }
  Completion get(std::string_view key) { return driver->call(GetRequest{{}, 0, limits::value_size_max, as_bytes(key)}); }

  // Clients from node 2 on.
  void start_workloads(std::uint32_t count, const WorkloadOptions& options) {
    for (std::uint32_t i = 0; i < count; ++i) {
      Node& node = world.add_node();
      workloads.push_back(std::make_unique<Workload>(node, options));
      workloads.back()->start(world.add_client(node, 0, *workloads.back()));
    }
  }
  // True where all are done with it.
  bool finish_workloads() {
    const auto done = [this] {
      return std::all_of(workloads.begin(), workloads.end(), [](const auto& each) { return each->done(); });
    };
    return world.run_while_not(done, 10'000'000);
  }
  bool run_workloads(std::uint32_t count, const WorkloadOptions& options) {
    start_workloads(count, options);
    return finish_workloads();
  }

  [[nodiscard]] Story tell() const { return story_of({trace(), tap, checks, verdict_line, "clients=1\nlink latency_ns=1000000"}); }
  [[nodiscard]] const Trace& trace() const { return const_cast<World&>(world).trace(); }

  Tap tap;
  World world;
  std::vector<std::unique_ptr<Workload>> workloads;  // of nodes in the world
  ServerProgram* server = nullptr;
  std::unique_ptr<WorldDriver> driver;
  std::vector<CheckResult> checks;
  std::string verdict_line = "seed=1 digest=0000000000000000 operations=0 simulated=0.000 verdict=ok";
};

inline std::vector<const Row*> rows_of(const Story& story, RowKind kind) {
  std::vector<const Row*> found;
  for (const Row& row : story.rows) {
    if (row.kind == kind) found.push_back(&row);
  }
  return found;
}

inline std::string field_of(const Row& row, std::string_view name) {
  for (const Field& field : row.fields) {
    if (field.name == name) return field.value;
  }
  return {};
}

}  // namespace statefs::sim
