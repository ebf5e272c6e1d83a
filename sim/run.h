// RUN: one seed from beginning to verdict: a drawn plan, a world made of it, and what the checkers say.
//
//   main.h (seed) -> RUN: plan -> world.h, workload.h -> history.h -> checkers.h -> report
//
// The plan is a function of the seed alone and can be printed whole. First it is drawn which kinds of fault exist at all,
// then how strong they are; some plans have none.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/checkers.h"
#include "sim/tap.h"
#include "sim/world.h"
#include "sim/workload.h"

namespace statefs::sim {

struct Plan {
  std::uint64_t seed = 0;
  std::uint32_t client_count = 1;
  Faults faults;
  WorkloadOptions workload;      // of each client
  ServerLimits limits;
  Durability durability = Durability::sync;
  Duration flush_delay;
  std::vector<NodeOptions> nodes;  // the server's first
};

[[nodiscard]] Plan draw_plan(std::uint64_t seed);
[[nodiscard]] std::string describe(const Plan& plan);

struct RunReport {
  std::uint32_t nodes = 0;
  std::uint64_t operations = 0;  // completed calls
  std::uint64_t reconnects = 0;  // streams beyond the first of each client
  Time simulated;
  RunDigest digest;
  std::vector<CheckResult> checks;
  FaultCounts applied;
  Marks marks;                      // of all machines of the world
  std::vector<EventMark> recorded;  // where asked for

  [[nodiscard]] bool ok() const;
  [[nodiscard]] std::string_view failed_check() const;  // empty where ok
};

// Told to the checkers instead of what happened, to see them object; the world and its digest know nothing of it.
using Lie = std::function<void(History&)>;

// How a run is watched. None of it changes what happens in it.
struct Watch {
  EventRange recorded;   // the events whose marks the report keeps
  Lie lie;
  Tap* tap = nullptr;    // of every node; then the trace keeps the bytes of streams too
  std::function<void(World&, const RunReport&)> afterwards;  // while the world is still there
};

[[nodiscard]] RunReport run(const Plan& plan, const Watch& watch = {});

// `seed=N digest=16hexdigits operations=N simulated=SECONDS verdict=ok|failed:CHECK`
[[nodiscard]] std::string verdict_line(std::uint64_t seed, const RunReport& report);

}  // namespace statefs::sim
