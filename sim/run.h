// RUN: one plan from beginning to verdict: a world made of it, and what the checkers say.
//
//   main.h (seed, scenario) -> RUN: plan.h -> episode.h -> history.h -> checkers.h -> report
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/marks.h"
#include "sim/checkers.h"
#include "sim/draw.h"
#include "sim/plan.h"
#include "sim/tap.h"
#include "sim/world.h"

namespace statefs::sim {

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
  bool repeats_nonce = false;  // a lie about ciphers
  std::uint64_t events_max = 0;  // zero: the usual bound. A run that comes to another one is judged by nothing
};

[[nodiscard]] RunReport run(const Plan& plan, const Watch& watch = {});

// `seed=N digest=16hexdigits operations=N simulated=SECONDS verdict=ok|failed:CHECK`
[[nodiscard]] std::string verdict_line(std::uint64_t seed, const RunReport& report);

}  // namespace statefs::sim
