#include "sim/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "sim/network.h"

namespace statefs::sim {
namespace {

// One node that sends what it was given and keeps what it got, at its end of one stream.
struct Party : StreamUser {
  bool stream_offered(StreamEnd offered) override {
    end = offered;
    ready = true;
    return true;
  }
  void stream_ready(StreamEnd) override { ready = true; }

  void act(Network& network) {
    if (!end || !ready) return;
    ready = false;
    Stream& stream = network.stream(*end);
    for (;;) {
      const ByteView bytes = stream.read(end->side, read_max);
      if (bytes.empty()) break;
      ++reads;
      received.insert(received.end(), bytes.begin(), bytes.end());
    }
    while (sent < to_send.size()) {
      const std::size_t size = std::min(write_max, to_send.size() - sent);
      const std::size_t count = stream.write(end->side, ByteView(to_send).subspan(sent, size));
      if (count == 0) break;
      sent += count;
    }
    if (closes_when_sent && sent == to_send.size() && stream.is_open(end->side)) stream.close(end->side);
    ended = ended || stream.at_end(end->side);
    broken = broken || stream.broken(end->side);
  }

  std::optional<StreamEnd> end;
  Bytes to_send, received;
  std::size_t sent = 0, reads = 0, read_max = 1 << 20, write_max = 1 << 20;
  bool ready = false, closes_when_sent = false, ended = false, broken = false;
};

struct Pair {
  explicit Pair(const Faults& faults, std::uint64_t seed = 1)
      : random(seed), schedule(random), trace(schedule), network(random, schedule, trace, faults) {
    network.listen(1, &server);
    client.end = network.connect(0, 1, client);
  }
  void run() {
    while (schedule.run_one()) {
      client.act(network);
      server.act(network);
    }
  }
  RandomSource random;
  Schedule schedule;
  Trace trace;
  Network network;
  Party client, server;
};

Bytes pattern(std::size_t size, std::uint8_t salt) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 131 + i / 251 + salt);
  return bytes;
}

std::vector<Faults> tearings() {
  std::vector<Faults> all(1);
  const auto add = [&all]() -> Faults& { return all.emplace_back(); };
  add().stream.cuts = {0, 1, 0, 0};
  add().stream.cuts = {0, 0, 1, 0};
  add().stream.cuts = {0, 0, 0, 1};
  add().stream.send_window = 1;
  add().stream.send_window = 100;
  add().stream.short_write = {1, 2};
  add().stream.short_read = {1, 1};
  add().stream.blocked_write = {1, 3};
  add().link.jitter = milliseconds(50);
  add().link.bytes_per_second = 10'000;
  Faults& every = add();
  every.stream = {333, {1, 2, 3, 4}, {1, 2}, {1, 4}, {1, 2}, {}, {}};
  every.link = {microseconds(300), milliseconds(5), 100'000};
  return all;
}

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

TEST(Network, FreesAStreamWhenBothEndsClosed) {
  for (const int closed_while : {0, 1, 2}) {  // connecting, open, ended by the peer
    Pair pair{Faults{}};
    const StreamEnd end = *pair.client.end;
    if (closed_while > 0) pair.run();
    pair.network.stream(end).close(Side::connector);
    if (closed_while > 1) pair.run();
    if (closed_while > 0) pair.network.stream(end).close(Side::acceptor);
    pair.network.release(end);
    EXPECT_EQ(pair.network.stream_count(), 0u) << closed_while;
    while (pair.schedule.run_one()) {
    }
  }
}

TEST(Link, SharesItsBandwidthBetweenStreams) {
  Faults faults;
  faults.link = {milliseconds(1), {}, 1'000'000};
  RandomSource random(1);
  Link link(0, 1, faults, random);
  EXPECT_EQ(link.carry(1'000, Time{0}).ns, 2'000'000);
  EXPECT_EQ(link.carry(1'000, Time{0}).ns, 3'000'000);
  EXPECT_EQ(link.carry(1'000, Time{10'000'000}).ns, 12'000'000);
}

}  // namespace
}  // namespace statefs::sim
