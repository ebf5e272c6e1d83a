#include "sim/event_rate.h"

#include <gtest/gtest.h>

#include "core/limits.h"

namespace statefs::sim {
namespace {

constexpr std::int64_t burst = static_cast<std::int64_t>(limits::session_events_burst) * 1000;
constexpr Time at_ms(std::int64_t ms) { return Time{ms * 1'000'000}; }

TEST(EventRate, IsFullWhereNothingWasSpentInThisLife) {
  EventRate rate;
  rate.spend({1, at_ms(0), at_ms(0), static_cast<std::int64_t>(limits::session_events_burst)});
  rate.settle();
  EXPECT_EQ(rate.least_between(2, at_ms(0), at_ms(0)), burst);
  EXPECT_EQ(rate.least_between(1, at_ms(0), at_ms(0)), 0);
}

TEST(EventRate, FillsATenthSlowerThanTheServersAndNeverAboveItsBurst) {
  EventRate rate;
  rate.spend({1, at_ms(0), at_ms(0), static_cast<std::int64_t>(limits::session_events_burst)});
  rate.settle();
  EXPECT_EQ(rate.least_between(1, at_ms(100), at_ms(100)), 100 * static_cast<std::int64_t>(limits::session_events_per_second) * 9 / 10);
  EXPECT_EQ(rate.least_between(1, at_ms(1'000'000), at_ms(1'000'000)), burst);
}

// Seed 1290: opened at once, and carried out one after the other while the server rested from the peer.
TEST(EventRate, CountsWhatMayHaveBeenCarriedOutLater) {
  EventRate rate;
  rate.spend({1, at_ms(0), at_ms(0), static_cast<std::int64_t>(limits::session_events_burst)});
  rate.spend({1, at_ms(1), at_ms(500), 20});
  rate.spend({1, at_ms(1), never, 5});
  rate.settle();
  const std::int64_t filled = 400 * static_cast<std::int64_t>(limits::session_events_per_second) * 9 / 10;
  EXPECT_EQ(rate.least_between(1, at_ms(400), at_ms(400)), filled - 25'000);
  EXPECT_EQ(rate.least_between(1, at_ms(0), at_ms(0)), 0) << "it cannot owe";
}

}  // namespace
}  // namespace statefs::sim
