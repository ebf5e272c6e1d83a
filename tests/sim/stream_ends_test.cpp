#include <gtest/gtest.h>

#include "tests/sim/pair.h"

namespace statefs::sim {
namespace {

Faults with_window(std::size_t size) {
  Faults faults;
  faults.stream.send_window = size;
  return faults;
}

Stream& opened(Pair& pair) {
  pair.run();
  return pair.network.stream(*pair.client.end);
}

TEST(Stream, AnEndThatVanishedSaysNothingAndTakesNothing) {
  Pair pair{with_window(100)};
  Stream& stream = opened(pair);
  stream.vanish(Side::connector);
  pair.run();
  EXPECT_FALSE(pair.server.broken || pair.server.ended);
  EXPECT_EQ(stream.write(Side::acceptor, pattern(150, 1)), 100u);
  EXPECT_EQ(stream.write(Side::acceptor, pattern(150, 1)), 0u) << "its window opens no more";
  const Time before = pair.schedule.now();
  pair.run();
  EXPECT_TRUE(pair.server.broken) << "it gives up in its own time";
  EXPECT_GE(pair.schedule.now() - before, seconds(60));
  stream.close(Side::acceptor);
  pair.network.release(*pair.server.end);
  EXPECT_EQ(pair.network.stream_count(), 0u);
}

TEST(Stream, APeerThatSendsNothingNeverLearnsThatItsPeerVanished) {
  Pair pair{Faults{}};
  Stream& stream = opened(pair);
  stream.vanish(Side::acceptor);
  pair.run();
  pair.schedule.pass_to(pair.schedule.now() + seconds(100'000));
  EXPECT_FALSE(pair.client.broken || pair.client.ended);
  EXPECT_TRUE(stream.is_open(Side::connector));
}

TEST(Stream, AMachineThatIsBackAnswersByAReset) {
  Pair pair{Faults{}};
  Stream& stream = opened(pair);
  stream.vanish(Side::acceptor);
  ASSERT_EQ(stream.write(Side::connector, pattern(10, 1)), 10u);
  const Time before = pair.schedule.now();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pair.schedule.run_one());
  EXPECT_FALSE(pair.client.broken);
  pair.network.revive(1);
  pair.run();
  EXPECT_TRUE(pair.client.broken);
  EXPECT_LT(pair.schedule.now() - before, seconds(10));
}

TEST(Stream, VanishesWhileItConnectsAndLeavesNothing) {
  for (int events = 0; events < 3; ++events) {
    Pair pair{Faults{}};
    for (int i = 0; i < events; ++i) pair.schedule.run_one();
    pair.network.stream(*pair.client.end).vanish(Side::connector);
    pair.network.release(*pair.client.end);
    if (pair.network.stream_count() > 0) {
      pair.client.end.reset();
      pair.run();
      ASSERT_TRUE(pair.server.end);
      pair.network.stream(*pair.server.end).close(Side::acceptor);
      pair.network.release(*pair.server.end);
    }
    EXPECT_EQ(pair.network.stream_count(), 0u) << events;
  }
}

TEST(Stream, ReadsOnAfterItFinishedWriting) {
  Pair pair{Faults{}};
  Stream& stream = opened(pair);
  ASSERT_EQ(stream.write(Side::connector, pattern(10, 1)), 10u);
  stream.finish_writing(Side::connector);
  EXPECT_EQ(stream.write(Side::connector, pattern(10, 1)), 0u);
  pair.run();
  EXPECT_EQ(pair.server.received.size(), 10u);
  EXPECT_TRUE(pair.server.ended);
  ASSERT_EQ(stream.write(Side::acceptor, pattern(500, 2)), 500u);
  pair.run();
  EXPECT_EQ(pair.client.received, pattern(500, 2));
  EXPECT_FALSE(pair.client.broken || pair.server.broken);
  stream.close(Side::connector);
  pair.run();
  EXPECT_FALSE(pair.server.broken) << "it was told of the end before";
  EXPECT_EQ(pair.network.counts()[FaultKind::half_close], 1u);
}

TEST(Stream, TheLastWordIsLateWhereClosesAreSlow) {
  for (const bool resets : {false, true}) {
    Faults faults;
    faults.stream.slow_close = {1, 1};
    faults.stream.close_delay_max = seconds(30);
    Pair pair(faults);
    Stream& stream = opened(pair);
    const Time before = pair.schedule.now();
    ASSERT_EQ(stream.write(Side::connector, pattern(10, 1)), 10u);
    resets ? stream.reset(Side::connector) : stream.close(Side::connector);
    pair.run();
    EXPECT_EQ(pair.server.received.size(), 10u);
    EXPECT_EQ(pair.server.broken, resets);
    EXPECT_EQ(pair.server.ended, !resets);
    EXPECT_GT(pair.schedule.now() - before, milliseconds(100));
    EXPECT_EQ(pair.network.counts()[FaultKind::slow_close], 1u);
  }
}

TEST(Stream, AStalledReaderFillsTheWindowAndLosesNothing) {
  Faults faults = with_window(100);
  faults.stream.stalled_read = {1, 1};
  faults.stream.stall_max = seconds(2);
  Pair pair(faults);
  pair.client.to_send = pattern(1'000, 1);
  pair.client.closes_when_sent = true;
  pair.run();
  EXPECT_EQ(pair.server.received, pair.client.to_send);
  EXPECT_TRUE(pair.server.ended);
  EXPECT_GE(pair.network.counts()[FaultKind::stalled_read], 10u);
  EXPECT_GE(pair.network.counts()[FaultKind::full_window], 9u);
  EXPECT_GT(pair.schedule.now(), Time{} + seconds(2));
}

TEST(Stream, NothingCanBeReadWhileItIsStalledNotEvenTheEnd) {
  Faults faults;
  faults.stream.stalled_read = {1, 1};
  faults.stream.stall_max = seconds(100);
  Pair pair(faults);
  Stream& stream = opened(pair);
  ASSERT_EQ(stream.write(Side::connector, pattern(10, 1)), 10u);
  stream.close(Side::connector);
  while (pair.network.counts()[FaultKind::stalled_read] == 0) ASSERT_TRUE(pair.schedule.run_one());
  ASSERT_TRUE(pair.schedule.run_one());  // the end
  EXPECT_EQ(stream.unread_size(Side::acceptor), 0u);
  EXPECT_TRUE(stream.read(Side::acceptor, 10).empty());
  EXPECT_FALSE(stream.at_end(Side::acceptor));
  pair.run();
  EXPECT_EQ(pair.server.received.size(), 10u);
  EXPECT_TRUE(pair.server.ended);
}

TEST(Stream, IsNotAtItsEndWhereABreakLostBytesBeforeIt) {
  Faults faults;
  faults.stream.broken_unread = {1, 1};
  Pair pair(faults);
  Stream& stream = opened(pair);
  ASSERT_EQ(stream.write(Side::connector, pattern(10, 1)), 10u);
  stream.close(Side::connector);
  while (pair.schedule.run_one()) {
  }
  ASSERT_EQ(stream.write(Side::acceptor, pattern(10, 1)), 10u);
  while (pair.schedule.run_one()) {
  }
  EXPECT_TRUE(stream.broken(Side::acceptor));
  EXPECT_FALSE(stream.at_end(Side::acceptor));
}

TEST(Stream, AnEndThatIsToldLateWritesIntoNothing) {
  Faults faults = with_window(100);
  faults.stream.late_error = {1, 1};
  faults.stream.error_delay_max = seconds(10);
  Pair pair(faults);
  Stream& stream = opened(pair);
  stream.cut();
  EXPECT_FALSE(stream.write_broken(Side::connector) || stream.write_broken(Side::acceptor));
  EXPECT_EQ(stream.write(Side::connector, pattern(60, 1)), 60u);
  EXPECT_EQ(stream.write(Side::connector, pattern(60, 1)), 40u) << "and no more than its window takes";
  pair.run();
  EXPECT_TRUE(pair.client.broken && pair.server.broken);
  EXPECT_TRUE(pair.server.received.empty());
  EXPECT_EQ(pair.network.counts()[FaultKind::late_error], 2u);
}

TEST(Stream, OneEndMayKnowOfABreakBeforeTheOther) {
  int first[2] = {0, 0};
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Faults faults;
    faults.stream.late_error = {1, 2};
    faults.stream.error_delay_max = seconds(10);
    Pair pair(faults, seed);
    Stream& stream = opened(pair);
    stream.cut();
    const bool told[2] = {stream.write_broken(Side::connector), stream.write_broken(Side::acceptor)};
    if (told[0] != told[1]) ++first[told[1] ? 1 : 0];
    pair.run();
    EXPECT_TRUE(pair.client.broken && pair.server.broken);
  }
  EXPECT_GT(first[0], 5);
  EXPECT_GT(first[1], 5);
}

}  // namespace
}  // namespace statefs::sim
