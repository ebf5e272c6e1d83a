#include "sim/link.h"

#include <gtest/gtest.h>

namespace statefs::sim {
namespace {

TEST(Link, SharesItsBandwidthBetweenStreams) {
  Faults faults;
  faults.link.bytes_per_second = 1'000'000;
  RandomSource random(1);
  FaultCounts counts;
  Link link(0, 1, faults, random, counts);
  EXPECT_EQ(link.carry(1'000, Time{0}).arrival.ns, 2'000'000);
  EXPECT_EQ(link.carry(1'000, Time{0}).arrival.ns, 3'000'000);
  EXPECT_EQ(link.carry(1'000, Time{10'000'000}).arrival.ns, 12'000'000);
}

}  // namespace
}  // namespace statefs::sim
