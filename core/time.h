// TIME: instants and durations as integers of nanoseconds. Time enters core as an argument; nothing in core
// can ask for it.
//
// Two clocks, never mixed: `Time` is monotonic, from an arbitrary origin of the node, and is what deadlines are
// made of; `wall_ns` is nanoseconds since 1970-01-01 UTC, may jump, and is only ever written into records.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace statefs {

struct Duration {
  std::int64_t ns = 0;
  friend constexpr auto operator<=>(Duration, Duration) = default;
};

constexpr Duration nanoseconds(std::int64_t count) { return {count}; }
constexpr Duration microseconds(std::int64_t count) { return {count * 1'000}; }
constexpr Duration milliseconds(std::int64_t count) { return {count * 1'000'000}; }
constexpr Duration seconds(std::int64_t count) { return {count * 1'000'000'000}; }
constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }

struct Time {
  std::int64_t ns = 0;
  friend constexpr auto operator<=>(Time, Time) = default;
};

// The deadline of a machine that waits for nothing.
inline constexpr Time never{std::numeric_limits<std::int64_t>::max()};

// Saturates at `never`, so that no configured duration can wrap a deadline into the past.
constexpr Time operator+(Time at, Duration after) {
  if (after.ns > 0 && at.ns > never.ns - after.ns) return never;
  return {at.ns + after.ns};
}
constexpr Duration operator-(Time later, Time earlier) { return {later.ns - earlier.ns}; }
constexpr Time earlier_of(Time a, Time b) { return a < b ? a : b; }

// What the driver hands to every entry point; constant during one call.
struct Now {
  Time monotonic;
  std::int64_t wall_ns = 0;
};

}  // namespace statefs
