#include "sim/stream.h"

#include <gtest/gtest.h>

#include "tests/sim/pair.h"

namespace statefs::sim {
namespace {

TEST(Stream, DeliversTheSameBytesInOrderUnderEveryFragmentation) {
  for (const Faults& faults : tearings()) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      Pair pair(faults, seed);
      pair.client.to_send = pattern(3'000, 1);
      pair.server.to_send = pattern(2'000, 2);
      pair.client.write_max = 700;
      pair.server.read_max = 450;
      pair.run();
      EXPECT_EQ(pair.server.received, pair.client.to_send) << describe(faults) << " seed " << seed;
      EXPECT_EQ(pair.client.received, pair.server.to_send) << describe(faults) << " seed " << seed;
    }
  }
}

TEST(Stream, TearsAndJoinsAsAsked) {
  Faults torn;
  torn.stream.cuts = {0, 0, 1, 0};
  torn.link.jitter = microseconds(100);
  Pair pair(torn);
  pair.client.to_send = pattern(20, 1);
  pair.run();
  EXPECT_GT(pair.server.reads, 10u);

  Pair whole{Faults{}};
  whole.client.to_send = pattern(5'000, 1);
  whole.run();
  EXPECT_EQ(whole.server.reads, 1u);
}

TEST(Stream, TakesNoMoreThanItsWindowUntilThePeerReads) {
  Faults faults;
  faults.stream.send_window = 100;
  Pair pair(faults);
  while (!pair.network.stream(*pair.client.end).is_open(Side::connector)) ASSERT_TRUE(pair.schedule.run_one());
  Stream& stream = pair.network.stream(*pair.client.end);
  EXPECT_EQ(stream.write(Side::connector, pattern(250, 0)), 100u);
  EXPECT_EQ(stream.write(Side::connector, pattern(250, 0)), 0u);
  while (pair.schedule.run_one()) {  // nobody reads
  }
  EXPECT_EQ(stream.write(Side::connector, pattern(250, 0)), 0u);
  pair.client.ready = false;
  EXPECT_EQ(stream.read(Side::acceptor, 60).size(), 60u);
  while (pair.schedule.run_one()) {
  }
  EXPECT_TRUE(pair.client.ready) << "the writer was not told that there is room";
  EXPECT_EQ(stream.write(Side::connector, pattern(250, 0)), 60u);
}

TEST(Stream, EndsCleanlyAfterTheLastByte) {
  for (const Faults& faults : tearings()) {
    Pair pair(faults);
    pair.client.to_send = pattern(500, 1);
    pair.client.closes_when_sent = true;
    pair.run();
    EXPECT_EQ(pair.server.received, pair.client.to_send);
    EXPECT_TRUE(pair.server.ended);
    EXPECT_FALSE(pair.server.broken);
  }
}

TEST(Stream, CutAfterDeliversExactlySoManyBytes) {
  for (std::size_t at = 0; at < 50; ++at) {
    for (const std::uint32_t drawn : {0u, 1u}) {
      Faults faults;
      faults.stream.cuts = {1, drawn, 0, 0};
      Pair pair(faults, at + 1);
      pair.network.stream(*pair.client.end).cut_after(Side::connector, at + 1);
      pair.client.to_send = pattern(50, 1);
      pair.run();
      EXPECT_EQ(pair.server.received.size(), at + 1);
      EXPECT_TRUE(pair.server.broken);
      EXPECT_TRUE(pair.client.broken);
    }
  }
}

TEST(Stream, AResetReachesThePeerAndNothingMoreIsRead) {
  Pair pair{Faults{}};
  pair.run();
  Stream& stream = pair.network.stream(*pair.client.end);
  ASSERT_EQ(stream.write(Side::acceptor, pattern(10, 1)), 10u);
  stream.reset(Side::connector);
  pair.run();
  EXPECT_TRUE(pair.server.broken);
  EXPECT_TRUE(pair.client.received.empty());
  EXPECT_EQ(stream.write(Side::acceptor, pattern(10, 1)), 0u);
}

TEST(Stream, BytesToAClosedEndAreAnsweredByAReset) {
  Pair pair{Faults{}};
  pair.run();
  Stream& stream = pair.network.stream(*pair.client.end);
  stream.close(Side::connector);
  pair.run();
  EXPECT_TRUE(pair.server.ended);
  ASSERT_EQ(stream.write(Side::acceptor, pattern(10, 1)), 10u);
  pair.run();
  EXPECT_TRUE(pair.server.broken);
}

TEST(Stream, IsRefusedWhereNobodyListens) {
  Pair pair{Faults{}};
  pair.run();
  Party lonely;
  lonely.end = pair.network.connect(0, 9, lonely);
  pair.run();
  EXPECT_TRUE(pair.network.stream(*lonely.end).refused());
  EXPECT_TRUE(pair.network.stream(*lonely.end).broken(Side::connector));
}

TEST(Stream, ABrokenStreamMayLoseWhatWasNotRead) {
  Faults faults;
  faults.stream.broken_unread = {1, 1};
  Pair pair(faults);
  pair.run();
  Stream& stream = pair.network.stream(*pair.client.end);
  ASSERT_EQ(stream.write(Side::connector, pattern(10, 1)), 10u);
  while (stream.unread_size(Side::acceptor) == 0) ASSERT_TRUE(pair.schedule.run_one());
  stream.cut();
  EXPECT_TRUE(stream.broken(Side::acceptor));
  EXPECT_TRUE(stream.read(Side::acceptor, 10).empty());
}

}  // namespace
}  // namespace statefs::sim
