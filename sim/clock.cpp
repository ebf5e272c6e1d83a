#include "sim/clock.h"

#include "core/check.h"

namespace statefs::sim {
namespace {

constexpr std::int64_t billion = 1'000'000'000;
constexpr std::int32_t drift_ppb_max = 100'000'000;

// `ns` at a rate of 1 + ppb/10^9, rounded down, without overflow for centuries.
std::int64_t scaled(std::int64_t ns, std::int32_t ppb) { return ns + ns / billion * ppb + ns % billion * ppb / billion; }

}  // namespace

std::int64_t NodeClock::elapsed_ns(Time world) const {
  return before_ns_ + scaled((world - since_).ns, options_.drift_ppb);
}

Now NodeClock::now(Time world) const {
  const std::int64_t elapsed = elapsed_ns(world);
  return {Time{options_.monotonic_origin_ns + elapsed}, options_.wall_origin_ns + elapsed};
}

Time NodeClock::world_time_of(Time monotonic) const {
  if (monotonic == never) return never;
  const std::int64_t wanted = monotonic.ns - options_.monotonic_origin_ns - before_ns_;
  if (wanted <= 0) return since_;
  if (options_.drift_ppb == 0) return since_ + nanoseconds(wanted);
  // A clock within 1/10 of true shows `wanted` between 10/11 and 10/9 of it.
  std::int64_t low = wanted / 11 * 10;
  std::int64_t high = wanted + wanted / 8 + 8;
  if (high < wanted) return never;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (scaled(middle, options_.drift_ppb) >= wanted) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return since_ + nanoseconds(low);
}

void NodeClock::set_drift(std::int32_t drift_ppb, Time world) {
  STATEFS_CHECK(drift_ppb >= -drift_ppb_max && drift_ppb <= drift_ppb_max);
  before_ns_ = elapsed_ns(world);
  since_ = world;
  options_.drift_ppb = drift_ppb;
}

}  // namespace statefs::sim
