#include "os/clock.h"

#include <ctime>

#include "core/check.h"

namespace statefs {
namespace {

std::int64_t read_ns(clockid_t clock) {
  timespec at{};
  STATEFS_CHECK(::clock_gettime(clock, &at) == 0);
  return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
}

}  // namespace

Time read_monotonic() { return {read_ns(CLOCK_MONOTONIC)}; }
Now read_clock() { return {read_monotonic(), read_ns(CLOCK_REALTIME)}; }

int poll_timeout_ms(Time deadline, Time now) {
  constexpr std::int64_t wait_max_ms = 60'000;
  if (deadline == never) return -1;
  if (deadline <= now) return 0;
  const std::int64_t ns = (deadline - now).ns;
  if (ns > wait_max_ms * 1'000'000) return static_cast<int>(wait_max_ms);
  return static_cast<int>((ns + 999'999) / 1'000'000);
}

}  // namespace statefs
