// CLOCK: what one node believes the time to be: a monotonic clock and a wall clock, apart from each other.
//
//   schedule.h (world time) -> CLOCK -> Now, handed to core;   a core deadline -> CLOCK -> world time of a timer
//
// A node's monotonic clock starts at an origin of its own and runs at a rate of its own, within 1/10 of true; it never
// goes back. The wall clock adds an offset to the monotonic one and may be stepped either way.
#pragma once

#include <cstdint>

#include "core/time.h"

namespace statefs::sim {

struct ClockOptions {
  std::int64_t monotonic_origin_ns = 0;
  std::int64_t wall_origin_ns = 1'700'000'000'000'000'000;  // November 2023
  std::int32_t drift_ppb = 0;                               // parts per billion; positive runs fast
};

class NodeClock {
 public:
  explicit NodeClock(const ClockOptions& options) : options_(options) {}

  [[nodiscard]] Now now(Time world) const;
  // The first world time at which this clock shows `monotonic` or later; `never` stays `never`.
  [[nodiscard]] Time world_time_of(Time monotonic) const;

  void step_wall(Duration by) { options_.wall_origin_ns += by.ns; }
  // From `world` on the clock runs at another rate, without a jump.
  void set_drift(std::int32_t drift_ppb, Time world);

 private:
  [[nodiscard]] std::int64_t elapsed_ns(Time world) const;
  ClockOptions options_;
  Time since_;                  // world time at which the present rate began
  std::int64_t before_ns_ = 0;  // shown by then, origin apart
};

}  // namespace statefs::sim
