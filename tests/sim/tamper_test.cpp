#include "sim/tamper.h"

#include <gtest/gtest.h>

#include "tests/sim/pair.h"

namespace statefs::sim {
namespace {

struct Sent {
  Bytes received;
  std::uint64_t count = 0;
  std::vector<std::uint64_t> places;
};

// 600 bytes of pattern(600, 1) over a stream that somebody tampers with.
Sent send_past(const std::vector<Tampering>& tamperings, const Faults& faults = {}, std::uint64_t seed = 1) {
  Pair pair(faults, seed);
  for (const Tampering& each : tamperings) pair.network.tamper(0, 1, each);
  pair.client.to_send = pattern(600, 1);
  pair.run();
  Sent sent{pair.server.received, 0, {}};
  for (std::size_t kind = 0; kind < tamper_kind_count; ++kind) sent.count += pair.network.counts()[fault_of(static_cast<TamperKind>(kind))];
  for (const TraceEntry& entry : pair.trace.entries()) {
    if (entry.kind != TraceKind::tampered) continue;
    const ByteView payload = pair.trace.payload(entry);
    EXPECT_EQ(payload.size(), 10u);
    EXPECT_EQ(payload[0], 0);
    EXPECT_EQ(entry.node, 1u);
    sent.places.push_back(load_le<std::uint64_t>(payload.data() + 2));
  }
  EXPECT_EQ(sent.places.size(), sent.count);
  return sent;
}

Bytes part(const Bytes& bytes, std::size_t from, std::size_t size) {
  const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(from);
  return {at, at + static_cast<std::ptrdiff_t>(size)};
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& each : parts) all.insert(all.end(), each.begin(), each.end());
  return all;
}

TEST(Tamper, FlipsOneBitAtEveryPlace) {
  const Bytes clean = pattern(600, 1);
  for (const std::uint64_t place : {0u, 1u, 299u, 599u}) {
    for (std::uint64_t bit = 0; bit < 8; ++bit) {
      const Sent sent = send_past({{TamperKind::flip, place, 1, 0, bit}});
      Bytes expected = clean;
      expected[place] = static_cast<std::uint8_t>(expected[place] ^ (1u << bit));
      EXPECT_EQ(sent.received, expected);
      EXPECT_EQ(sent.places, std::vector<std::uint64_t>{place});
    }
  }
}

TEST(Tamper, ChangesTheSameBytesHoweverTheyAreTorn) {
  const Bytes clean = pattern(600, 1);
  for (const Faults& faults : tearings()) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const Sent cut = send_past({{TamperKind::truncate, 100, 250}}, faults, seed);
      EXPECT_EQ(cut.received, joined({part(clean, 0, 100), part(clean, 350, 250)})) << describe(faults);
      EXPECT_EQ(cut.count, 1u);
      const Sent flipped = send_past({{TamperKind::flip, 100}, {TamperKind::flip, 101}}, faults, seed);
      EXPECT_EQ(flipped.received.size(), 600u);
      EXPECT_EQ(flipped.received[100] ^ clean[100], 1);
      EXPECT_EQ(flipped.received[101] ^ clean[101], 1);
      const Sent inserted = send_past({{TamperKind::insert, 100, 30, 0, 7}}, faults, seed);
      EXPECT_EQ(joined({part(inserted.received, 0, 100), part(inserted.received, 130, 500)}), clean) << describe(faults);
      EXPECT_EQ(inserted.places, std::vector<std::uint64_t>{100});
    }
  }
}

TEST(Tamper, RepeatsARun) {
  const Bytes clean = pattern(600, 1);
  const Sent sent = send_past({{TamperKind::duplicate, 20, 40}});
  EXPECT_EQ(sent.received, joined({part(clean, 0, 60), part(clean, 20, 580)}));
}

TEST(Tamper, DropsTheRestWhereItDropsMoreThanComes) {
  EXPECT_EQ(send_past({{TamperKind::truncate, 10, ~std::uint64_t{0}}}).received, pattern(10, 1));
}

TEST(Tamper, CountsNothingWhereNoSuchBytesCame) {
  for (const TamperKind kind : {TamperKind::flip, TamperKind::truncate, TamperKind::duplicate, TamperKind::insert}) {
    const Sent sent = send_past({{kind, 600, 5}});
    EXPECT_EQ(sent.count, 0u);
    EXPECT_EQ(sent.received, pattern(600, 1));
  }
  for (const TamperKind kind : {TamperKind::replay, TamperKind::splice}) EXPECT_EQ(send_past({{kind, 0, 5}}).count, 0u);
}

// A second stream of the same nodes, opened once the first one sent its bytes.
struct Second {
  explicit Second(const Faults& faults, bool closes_first) : pair(faults) {
    pair.client.to_send = pattern(100, 1);
    pair.run();
    if (closes_first) pair.network.stream(*pair.client.end).reset(Side::connector);
    while (pair.schedule.run_one()) {
    }
    pair.network.listen(1, &server);
    client.end = pair.network.connect(0, 1, client);
    client.to_send = pattern(50, 9);
  }
  void run() {
    while (pair.schedule.run_one()) client.act(pair.network), server.act(pair.network);
  }
  Pair pair;
  Party client, server;
};

TEST(Tamper, ReplaysWhatAnEarlierStreamSaid) {
  Faults faults;
  faults.link.recorded_size = 80;
  Second second(faults, true);
  second.pair.network.tamper(0, 1, {TamperKind::splice, 0, 20});
  second.pair.network.tamper(0, 1, {TamperKind::replay, 10, 30, 60});
  second.run();
  const Bytes own = pattern(50, 9);
  EXPECT_EQ(second.server.received, joined({part(own, 0, 10), part(pattern(100, 1), 60, 20), part(own, 10, 40)}));
  EXPECT_EQ(second.pair.network.counts()[FaultKind::replay], 1u);
  EXPECT_EQ(second.pair.network.counts()[FaultKind::splice], 0u) << "no other stream is live";
}

TEST(Tamper, SplicesInWhatALiveStreamSaid) {
  Faults faults;
  faults.link.recorded_size = 1'000;
  Second second(faults, false);
  second.pair.network.tamper(0, 1, {TamperKind::replay, 0, 20});
  second.pair.network.tamper(0, 1, {TamperKind::splice, 0, 20});
  second.run();
  EXPECT_EQ(second.server.received, joined({part(pattern(100, 1), 0, 20), pattern(50, 9)}));
  EXPECT_EQ(second.pair.network.counts()[FaultKind::splice], 1u);
  EXPECT_EQ(second.pair.network.counts()[FaultKind::replay], 0u) << "no earlier stream has ended";
}

TEST(Tamper, WaitsForTheEarlierStreamThatItReplays) {
  Faults faults;
  faults.link.recorded_size = 80;
  Pair pair(faults);
  pair.network.tamper(0, 1, {TamperKind::replay, 0, 5});
  pair.client.to_send = pattern(100, 1);
  pair.run();
  EXPECT_EQ(pair.server.received, pair.client.to_send);
  EXPECT_EQ(pair.network.link(0, 1).tamper().waiting_count(), 1u);
}

TEST(Tamper, WaitsForAStreamThatIsNew) {
  Tamper tamper;
  Tampering tampering{TamperKind::flip, 3};
  tampering.in_new_stream = true;
  EXPECT_FALSE(tamper.watches(0));
  EXPECT_FALSE(tamper.pass(5, pattern(10, 1), 80));
  tamper.add(tampering);
  EXPECT_TRUE(tamper.watches(0));
  EXPECT_FALSE(tamper.pass(5, pattern(10, 1), 80)) << "one that goes on";
  EXPECT_FALSE(tamper.pass(4, pattern(10, 1), 80)) << "an older one";
  EXPECT_FALSE(tamper.pass(6, pattern(3, 1), 80));
  ASSERT_TRUE(tamper.pass(6, pattern(10, 1), 80));
  EXPECT_EQ(tamper.applied().front().at, 0u);
  EXPECT_EQ(tamper.waiting_count(), 0u);
}

TEST(Tamper, KeepsNoMoreThanItsBounds) {
  Tamper tamper;
  const Bytes bytes = pattern(Tamper::recorded_size_max + 1, 1);
  for (StreamId stream = 0; stream < Tamper::recorded_streams_max + 5; ++stream) {
    EXPECT_FALSE(tamper.pass(stream, bytes, 10 * Tamper::recorded_size_max));
    tamper.ended(stream);
  }
  tamper.add({TamperKind::replay, 0, ~std::uint64_t{0}});
  tamper.add({TamperKind::insert, 0, ~std::uint64_t{0}});
  ASSERT_TRUE(tamper.pass(1'000, Bytes(1), 0));
  EXPECT_EQ(tamper.applied().size(), 2u);
  EXPECT_EQ(tamper.arriving().size(), Tamper::recorded_size_max + Tamper::inserted_size_max + 1);
}

TEST(Tamper, TouchesOnlyItsDirection) {
  Pair pair{Faults{}};
  pair.network.tamper(1, 0, {TamperKind::flip, 3});
  pair.client.to_send = pattern(100, 1);
  pair.server.to_send = pattern(100, 2);
  pair.run();
  EXPECT_EQ(pair.server.received, pair.client.to_send);
  EXPECT_NE(pair.client.received, pair.server.to_send);
}

}  // namespace
}  // namespace statefs::sim
