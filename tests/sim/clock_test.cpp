#include "sim/clock.h"

#include <gtest/gtest.h>

#include "sim/random.h"

namespace statefs::sim {
namespace {

TEST(NodeClock, KeepsMonotonicAndWallApart) {
  NodeClock clock(ClockOptions{500, 1'000'000, 0});
  EXPECT_EQ(clock.now(Time{7}).monotonic.ns, 507);
  EXPECT_EQ(clock.now(Time{7}).wall_ns, 1'000'007);
  clock.step_wall(seconds(-3'600));
  EXPECT_EQ(clock.now(Time{8}).monotonic.ns, 508);
  EXPECT_EQ(clock.now(Time{8}).wall_ns, 1'000'008 - 3'600'000'000'000);
}

TEST(NodeClock, FindsTheFirstWorldTimeOfADeadlineUnderEveryDrift) {
  RandomSource source(1);
  RandomStream draw = source.stream("x");
  for (const std::int32_t drift : {0, 1, -1, 50'000, -50'000, 100'000'000, -100'000'000}) {
    NodeClock clock(ClockOptions{12'345, 0, drift});
    for (int i = 0; i < 200; ++i) {
      const Time wanted{12'345 + static_cast<std::int64_t>(draw.skewed(std::uint64_t{1} << 50)) + 1};
      const Time world = clock.world_time_of(wanted);
      EXPECT_GE(clock.now(world).monotonic, wanted) << drift;
      EXPECT_LT(clock.now(Time{world.ns - 1}).monotonic, wanted) << drift;
    }
  }
  EXPECT_EQ(NodeClock({}).world_time_of(never), never);
}

TEST(NodeClock, DoesNotJumpWhenItsRateChanges) {
  NodeClock clock(ClockOptions{0, 0, 100'000'000});
  const Time before = clock.now(Time{1'000'000'000}).monotonic;
  EXPECT_EQ(before.ns, 1'100'000'000);
  clock.set_drift(-100'000'000, Time{1'000'000'000});
  EXPECT_EQ(clock.now(Time{1'000'000'000}).monotonic, before);
  EXPECT_EQ(clock.now(Time{2'000'000'000}).monotonic.ns, 2'000'000'000);
}

}  // namespace
}  // namespace statefs::sim
