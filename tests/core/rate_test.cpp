#include "core/rate.h"

#include <gtest/gtest.h>

#include <limits>

namespace statefs {
namespace {

constexpr Time start{1'000};
constexpr std::int64_t oldest = std::numeric_limits<std::int64_t>::min();

// How many single tokens it gives at `now`.
std::uint64_t drain(Rate& rate, Time now) {
  std::uint64_t taken = 0;
  for (; rate.has(1, now); ++taken) rate.take(1, now);
  return taken;
}

TEST(Rate, IsFullAtFirstAndGivesNoMoreThanItsBurst) {
  Rate rate({10, 5}, start);
  EXPECT_TRUE(rate.has(5, start));
  EXPECT_FALSE(rate.has(6, start));
  EXPECT_EQ(drain(rate, start), 5u);
  EXPECT_FALSE(rate.has(1, start));
  EXPECT_TRUE(rate.has(0, start));
}

TEST(Rate, WithoutALimitGivesAll) {
  Rate rate({}, start);
  rate.take(RateLimit::tokens_max, start);
  rate.take(RateLimit::tokens_max, start);
  EXPECT_TRUE(rate.has(RateLimit::tokens_max, start));
  EXPECT_LE(rate.has_at(1), start);
}

TEST(Rate, FillsAtItsRateToTheNanosecond) {
  Rate rate({3, 7}, start);  // a token in 333,333,333 1/3 ns
  EXPECT_EQ(drain(rate, start), 7u);
  EXPECT_EQ(rate.has_at(1), start + nanoseconds(333'333'334));
  EXPECT_EQ(rate.has_at(3), start + seconds(1));
  EXPECT_FALSE(rate.has(1, start + nanoseconds(333'333'333)));
  EXPECT_TRUE(rate.has(1, start + nanoseconds(333'333'334)));
  EXPECT_FALSE(rate.has(3, start + nanoseconds(999'999'999)));
  EXPECT_TRUE(rate.has(3, start + seconds(1)));
}

TEST(Rate, NeverHoldsMoreThanItsBurst) {
  Rate rate({1'000, 4}, start);
  EXPECT_EQ(drain(rate, start + seconds(3'600)), 4u);
  EXPECT_EQ(drain(rate, start + seconds(3'600) + milliseconds(2)), 2u);
}

TEST(Rate, LosesNothingToHowOftenSomebodyLooks) {
  constexpr std::uint64_t per_second = 7;  // no whole number of nanoseconds
  Rate looked({per_second, 1'000'000}, start);
  Rate left_alone({per_second, 1'000'000}, start);
  looked.take(1'000'000, start);
  left_alone.take(1'000'000, start);
  Time now = start;
  for (int i = 0; i < 100'000; ++i) {
    now = now + nanoseconds(99'991);
    (void)looked.has(1, now);
  }
  EXPECT_EQ(looked.has_at(900'000), left_alone.has_at(900'000));
  EXPECT_EQ(drain(looked, now), drain(left_alone, now));
}

TEST(Rate, GivesExactlyWhatTheTimeIsWorthOverALongTime) {
  constexpr std::uint64_t per_second = 13;
  Rate rate({per_second, 3}, start);
  std::uint64_t taken = drain(rate, start);
  Time now = start;
  for (int i = 0; i < 60'000; ++i) {  // a thousand seconds, in steps that part tokens
    now = now + nanoseconds(16'666'667);
    taken += drain(rate, now);
  }
  const std::uint64_t passed_ns = static_cast<std::uint64_t>((now - start).ns);
  EXPECT_EQ(taken, 3 + passed_ns * per_second / 1'000'000'000);
}

TEST(Rate, GoesIntoDebtAndComesOutOfIt) {
  Rate rate({10, 5}, start);
  rate.take(105, start);
  EXPECT_FALSE(rate.has(0, start)) << "in debt there is not even nothing";
  EXPECT_EQ(rate.has_at(1), start + milliseconds(10'100));
  EXPECT_FALSE(rate.has(1, start + milliseconds(10'099)));
  EXPECT_TRUE(rate.has(1, start + milliseconds(10'100)));
}

TEST(Rate, ForgivesADebtBeyondItsBound) {
  Rate rate({RateLimit::tokens_max, RateLimit::tokens_max}, start);
  for (int i = 0; i < 5; ++i) rate.take(std::numeric_limits<std::uint64_t>::max(), start);
  EXPECT_EQ(rate.has_at(0), start + seconds(1));
  EXPECT_TRUE(rate.has(RateLimit::tokens_max, start + seconds(2)));
}

TEST(Rate, StandsStillWhileTimeGoesBack) {
  Rate rate({10, 2}, start + seconds(5));
  EXPECT_EQ(drain(rate, start + seconds(5)), 2u);
  EXPECT_FALSE(rate.has(1, start));
  EXPECT_FALSE(rate.has(1, Time{oldest}));
  EXPECT_FALSE(rate.has(1, start + seconds(5) + milliseconds(99)));
  EXPECT_TRUE(rate.has(1, start + seconds(5) + milliseconds(100)));
}

TEST(Rate, IsRightAtTheEndsOfTime) {
  for (const std::uint64_t per_second : {std::uint64_t{1}, RateLimit::tokens_max}) {
    for (const std::uint64_t burst : {std::uint64_t{1}, RateLimit::tokens_max}) {
      Rate rate({per_second, burst}, Time{oldest});
      rate.take(burst, Time{oldest});
      EXPECT_FALSE(rate.has(1, Time{oldest}));
      EXPECT_TRUE(rate.has(burst, never)) << "all of time has passed";
      rate.take(burst, never);
      EXPECT_FALSE(rate.has(1, never));
      EXPECT_EQ(rate.has_at(burst), never) << "and no more comes";
    }
  }
}

TEST(Rate, TellsNoInstantBeyondTheEndOfTime) {
  Rate rate({1, RateLimit::tokens_max}, never);
  for (int i = 0; i < 3; ++i) rate.take(RateLimit::tokens_max, never);
  EXPECT_EQ(rate.has_at(RateLimit::tokens_max), never);
}

// Every way to spend a small rate over a few instants, held against counting by hand.
TEST(Rate, AgreesWithCountingOverAllSmallHistories) {
  constexpr std::int64_t step_ns = 250'000'000;
  for (std::uint64_t per_second = 1; per_second <= 5; ++per_second) {
    for (std::uint64_t burst = 1; burst <= 3; ++burst) {
      for (std::uint32_t history = 0; history < 4096; ++history) {  // 6 instants, 0 to 3 tokens asked for at each
        Rate rate({per_second, burst}, Time{0});
        std::int64_t quarters = static_cast<std::int64_t>(burst) * 4;  // of a token
        for (std::int64_t i = 0; i < 6; ++i) {
          if (i > 0) quarters = std::min<std::int64_t>(quarters + static_cast<std::int64_t>(per_second), static_cast<std::int64_t>(burst) * 4);
          for (std::uint32_t ask = (history >> (2 * i)) & 3; ask > 0; --ask) {
            const bool there = rate.has(1, Time{i * step_ns});
            ASSERT_EQ(there, quarters >= 4) << per_second << " a second, burst " << burst << ", history " << history << ", instant " << i;
            if (!there) break;
            rate.take(1, Time{i * step_ns});
            quarters -= 4;
          }
        }
      }
    }
  }
}

TEST(RateDeath, RefusesALimitWithoutABurst) { EXPECT_DEATH(Rate({1, 0}, start), "burst"); }

}  // namespace
}  // namespace statefs
