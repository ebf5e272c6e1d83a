// EXHAUST: a small world enumerated: every placement of at most two faults over a named conversation, each judged by every check.
//
//   exhaust_scripts.h -> EXHAUST -> plan.h (incidents by event) -> episode.h, checkers.h -> how many schedules, states, the first failure
//
// A small world draws nothing that matters: its seed, latencies and calls are fixed, so the only choice left is which fault
// comes before which event. A fault is an incident placed by event number. The enumeration runs the world without one; then with
// each fault before each event of that run; then, with each second fault before each event from the first fault on, as they
// are numbered in the run with the first. So every schedule is run once, from the start, on the real code. What comes
// after the work (the calm, the end) has no faults: it shows whether the world gets over them.
//
// Events are wake-ups, arrivals of segments and of words that end a stream, ends of flushes and timers: every frame and
// disk request is between two of them. None is left out.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/plan.h"
#include "sim/run.h"

namespace statefs::sim {

struct SmallWorld {
  Plan plan;                    // without incidents
  std::vector<Incident> faults; // the alphabet; their moments are not looked at
};

struct ExhaustScript {
  std::string_view name;
  std::string_view why_few;     // why there are fewer than schedules_min at two faults; empty: there are not
  std::vector<SmallWorld> worlds;
};

inline constexpr std::uint64_t schedules_min = 5'000;
inline constexpr std::uint32_t exhaust_faults_max = 2;

struct ExhaustOptions {
  std::uint32_t faults_max = exhaust_faults_max;
  // Of a script's first faults this run takes each `part_count`-th, from `part` on; the run without one belongs to part 0.
  std::uint32_t part = 0;
  std::uint32_t part_count = 1;
  Lie lie;
  std::function<void(const Plan&, std::uint64_t order)> before_each;
};

struct ExhaustFailure {
  std::uint64_t order = 0;  // of its first fault, in the enumeration: the same however it is parted
  std::string scenario;     // print(plan)
  std::string check;
  std::string what;
};

struct ExhaustReport {
  std::uint64_t schedules = 0;
  std::set<std::uint64_t> states;  // hashes of what clients were answered, what was exported, what the stores hold in the end
  std::vector<ExhaustFailure> failures;  // the first, and then the run ended; or none
};

[[nodiscard]] ExhaustReport exhaust(const ExhaustScript& script, const ExhaustOptions& options);

}  // namespace statefs::sim
