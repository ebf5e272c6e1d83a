#include <gtest/gtest.h>

#include "tests/sim/pair.h"

namespace statefs::sim {
namespace {

Duration since_start(const Pair& pair) { return nanoseconds(pair.schedule.now().ns); }

// Both have opened the stream and nothing is on its way.
struct OpenPair : Pair {
  explicit OpenPair(const Faults& faults, std::uint64_t seed = 1) : Pair(faults, seed) {
    run();
    STATEFS_CHECK(client.end && server.end && stream().is_open(Side::connector));
  }
  Stream& stream() { return network.stream(*client.end); }
  Link& there() { return network.link(0, 1); }
  Link& back() { return network.link(1, 0); }
  void send(Party& party, std::size_t size) {
    party.to_send = pattern(party.to_send.size() + size, 1);
    party.ready = true;
    party.act(network);
  }
  void run_until(Time time) {
    while (schedule.next_time() <= time && schedule.run_one()) client.act(network), server.act(network);
    schedule.pass_to(time);
  }
  void run_for(Duration duration) { run_until(schedule.now() + duration); }
};

TEST(Link, LosesOnlyTimeUntilItLosesTooOften) {
  std::uint64_t losses = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Faults faults;
    faults.link.loss = {1, 3};
    faults.link.retransmissions_max = 100;
    faults.stream.cuts = {0, 1, 0, 0};
    Pair pair(faults, seed);
    pair.client.to_send = pattern(3'000, 1);
    pair.server.to_send = pattern(3'000, 2);
    pair.run();
    EXPECT_EQ(pair.server.received, pair.client.to_send);
    EXPECT_EQ(pair.client.received, pair.server.to_send);
    losses += pair.network.counts()[FaultKind::loss];
    EXPECT_EQ(pair.network.counts()[FaultKind::loss_break], 0u);
  }
  EXPECT_GT(losses, 100u);
}

TEST(Link, WaitsTwiceAsLongForEachRetry) {
  Faults faults;
  faults.link.rto_min = milliseconds(100);
  RandomSource random(1);
  FaultCounts counts;
  Link link(0, 1, faults, random, counts);
  EXPECT_EQ(link.backoff(0), milliseconds(100));
  EXPECT_EQ(link.backoff(3), milliseconds(800));
  EXPECT_EQ(link.backoff(1'000), seconds(120));
  faults.link.rto_min = {};
  link.set_faults(faults);
  EXPECT_GT(link.backoff(0).ns, 0);
}

TEST(Link, BreaksBothEndsInTheirTimeWhenItLosesTooOften) {
  OpenPair pair{Faults{}};
  Faults faults;
  faults.link.loss = {1, 1};
  faults.link.retransmissions_max = 2;
  pair.there().set_faults(faults);
  const Time before = pair.schedule.now();
  pair.send(pair.client, 100);
  // 200, 400 and 800 ms for three tries.
  pair.run_until(before + milliseconds(1'350));
  EXPECT_FALSE(pair.client.broken);
  pair.run_until(before + milliseconds(1'401));
  EXPECT_TRUE(pair.client.broken);
  EXPECT_FALSE(pair.server.broken) << "the other end was told without delay";
  pair.run();
  EXPECT_TRUE(pair.server.broken);
  EXPECT_TRUE(pair.server.received.empty());
  EXPECT_EQ(pair.network.counts()[FaultKind::loss], 6u) << "the reset is late for the same reason";
  EXPECT_EQ(pair.network.counts()[FaultKind::loss_break], 1u);
}

TEST(Link, HoldsWhatIsHandedOverWhileItIsBlocked) {
  OpenPair pair{Faults{}};
  const Time until = pair.schedule.now() + seconds(3);
  pair.send(pair.client, 100);
  pair.there().block_until(until);
  pair.send(pair.client, 50);
  pair.send(pair.server, 70);
  pair.run_until(until);
  EXPECT_EQ(pair.server.received.size(), 100u) << "what was on its way arrives, what came later does not";
  EXPECT_EQ(pair.client.received.size(), 70u) << "the other way is free";
  pair.run();
  EXPECT_EQ(pair.server.received, pair.client.to_send);
  EXPECT_EQ(pair.network.counts()[FaultKind::clog], 1u);
}

TEST(Link, LetsNothingThroughWhileItIsSeveredAndEverythingAfter) {
  for (const std::int64_t severed_ms : {1, 10, 250, 1'000, 20'000, 59'000}) {
    OpenPair pair{Faults{}};
    pair.send(pair.client, 100);  // on its way when the link is severed
    pair.network.partition(0, 1);
    pair.send(pair.client, 50);
    pair.send(pair.server, 70);
    pair.run_for(milliseconds(severed_ms));
    EXPECT_TRUE(pair.server.received.empty());
    EXPECT_TRUE(pair.client.received.empty());
    pair.network.heal(0, 1);
    pair.run_for(milliseconds(2 * severed_ms + 300));  // what is left of the backoff is at most as long as the wait so far
    EXPECT_EQ(pair.server.received, pair.client.to_send) << severed_ms;
    EXPECT_EQ(pair.client.received, pair.server.to_send) << severed_ms;
    EXPECT_FALSE(pair.client.broken || pair.server.broken) << severed_ms;
  }
}

TEST(Link, HealsOneWayAloneAndBothWaysTogether) {
  OpenPair pair{Faults{}};
  pair.network.partition(0, 1);
  pair.network.heal(1, 0);
  EXPECT_FALSE(pair.there().severed() || pair.back().severed());
  pair.network.partition(1, 0);
  pair.there().block_until(pair.schedule.now() + seconds(10'000));
  pair.network.heal_all();
  pair.send(pair.client, 10);
  pair.run_for(seconds(1));
  EXPECT_EQ(pair.server.received.size(), 10u);
}

TEST(Stream, IsHalfOpenWhenItsSenderGaveUpOnASeveredLink) {
  OpenPair pair{Faults{}};
  pair.there().sever();
  pair.send(pair.client, 100);
  pair.run_for(seconds(59));
  EXPECT_FALSE(pair.client.broken);
  pair.run_for(seconds(2));
  EXPECT_TRUE(pair.client.broken);
  pair.there().heal();
  pair.run();
  EXPECT_FALSE(pair.server.broken) << "nobody told it";
  EXPECT_TRUE(pair.server.received.empty());
  // It learns it from the answer to what it sends.
  pair.stream().close(Side::connector);
  pair.send(pair.server, 10);
  pair.run();
  EXPECT_TRUE(pair.server.broken);
  EXPECT_EQ(pair.network.counts()[FaultKind::give_up], 1u);
}

TEST(Stream, GivesUpWhenNothingAnswersThoughItsBytesArrive) {
  OpenPair pair{Faults{}};
  pair.back().sever();
  pair.send(pair.client, 100);
  pair.run_for(seconds(1));
  EXPECT_EQ(pair.server.received.size(), 100u);
  EXPECT_FALSE(pair.client.broken);
  pair.run_for(seconds(61));
  EXPECT_TRUE(pair.client.broken);
  EXPECT_FALSE(pair.server.broken);
}

TEST(Stream, LosesAResetOnASeveredLink) {
  OpenPair pair{Faults{}};
  pair.network.partition(0, 1);
  pair.send(pair.client, 100);
  pair.stream().reset(Side::connector);
  pair.run_for(seconds(10));
  pair.network.heal_all();
  pair.run();
  EXPECT_FALSE(pair.server.broken);
  EXPECT_TRUE(pair.server.received.empty());
  pair.send(pair.server, 1);
  pair.run();
  EXPECT_TRUE(pair.server.broken);
}

TEST(Stream, ANoticeOfRoomWaitsForTheLinkToHeal) {
  Faults faults;
  faults.stream.send_window = 100;
  OpenPair pair(faults);
  pair.server.read_max = 0;
  pair.send(pair.client, 150);
  pair.run_for(milliseconds(10));
  EXPECT_EQ(pair.client.sent, 100u);
  pair.back().sever();
  EXPECT_EQ(pair.stream().read(Side::acceptor, 100).size(), 100u);
  pair.client.ready = true;
  pair.run_for(seconds(5));
  EXPECT_EQ(pair.client.sent, 100u) << "it cannot know that there is room";
  pair.back().heal();
  pair.run_for(seconds(10));
  EXPECT_EQ(pair.client.sent, 150u);
  EXPECT_EQ(pair.stream().read(Side::acceptor, 100).size(), 50u);
}

TEST(Stream, TimesOutWhenItCannotConnect) {
  for (const bool there : {true, false}) {
    Faults faults;
    faults.link.connect_timeout = seconds(7);
    Pair pair(faults);
    pair.network.link(there ? 0 : 1, there ? 1 : 0).sever();
    pair.run();
    EXPECT_TRUE(pair.client.broken);
    EXPECT_FALSE(pair.network.stream(*pair.client.end).refused());
    EXPECT_EQ(pair.network.counts()[FaultKind::connect_timeout], 1u);
    EXPECT_EQ(pair.server.end.has_value(), !there) << "an answer that is lost leaves the other end half-open";
    EXPECT_GE(since_start(pair), seconds(7));
    pair.network.stream(*pair.client.end).close(Side::connector);
    if (there) {
      pair.network.release(*pair.client.end);
      EXPECT_EQ(pair.network.stream_count(), 0u);
    }
  }
}

TEST(Stream, ConnectsAfterTheHealWhenThatIsSoonEnough) {
  Pair pair{Faults{}};
  pair.network.partition(0, 1);
  pair.client.to_send = pattern(100, 1);
  while (since_start(pair) < seconds(5)) ASSERT_TRUE(pair.schedule.run_one());
  pair.network.heal(0, 1);
  pair.run();
  EXPECT_EQ(pair.server.received, pair.client.to_send);
  EXPECT_EQ(pair.network.counts()[FaultKind::connect_timeout], 0u);
}

TEST(Stream, TimesOutBehindABlockThatIsTooLong) {
  Faults faults;
  faults.link.connect_timeout = seconds(2);
  Pair pair(faults);
  pair.run();
  pair.network.link(0, 1).block_until(pair.schedule.now() + seconds(10));
  Party late;
  late.end = pair.network.connect(0, 1, late);
  while (pair.schedule.run_one()) late.act(pair.network);
  EXPECT_TRUE(late.broken);
  EXPECT_LT(since_start(pair), seconds(3));
}

}  // namespace
}  // namespace statefs::sim
