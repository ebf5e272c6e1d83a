// A client that was told what its server no longer has: it says so, leaves its session, and goes on in another.
#include "core/witness.h"

#include <gtest/gtest.h>

#include "tests/core/device.h"

namespace statefs {
namespace {

using namespace test;

HelloResponse hello_of(std::uint8_t store, std::uint64_t durable, HeadComparison comparison = HeadComparison::none) {
  HelloResponse hello;
  hello.store.fill(store);
  hello.epoch = 2;
  hello.durable_index = hello.head.index = durable;
  hello.comparison = comparison;
  return hello;
}

TEST(Witness, ReportsWhatDiffersOrIsBehind) {
  for (const HelloResponse& second : {hello_of(1, 9), hello_of(1, 10, HeadComparison::differs), hello_of(1, 90, HeadComparison::differs)}) {
    Witness witness;
    EXPECT_FALSE(witness.greeted(hello_of(1, 10)));
    EXPECT_TRUE(witness.greeted(second));
    const auto rollback = witness.take();
    ASSERT_TRUE(rollback.has_value());
    EXPECT_EQ(rollback->seen.head.index, 10u);
    EXPECT_EQ(rollback->durable_index, second.durable_index);
    EXPECT_EQ(witness.seen().head.index, second.durable_index) << "what is there now counts";
    EXPECT_FALSE(witness.take().has_value());
  }
}

TEST(Witness, ReportsNothingElse) {
  for (const HelloResponse& second : {hello_of(1, 10, HeadComparison::same), hello_of(1, 11, HeadComparison::trimmed), hello_of(1, 10),
                                      hello_of(2, 3, HeadComparison::none)}) {
    Witness witness;
    EXPECT_FALSE(witness.greeted(hello_of(1, 10)));
    EXPECT_FALSE(witness.greeted(second));
    EXPECT_FALSE(witness.take().has_value());
    EXPECT_EQ(witness.seen().store, second.store);
    EXPECT_EQ(witness.seen().head.index, second.durable_index);
  }
}

TEST(Witness, HearsOfHeadsInAnswers) {
  Witness witness;
  EXPECT_FALSE(witness.greeted(hello_of(1, 10)));
  Response answer;
  MutationResponse mutation;
  mutation.head.index = 14;
  answer.body = mutation;
  witness.heard(2, answer);
  SyncResponse sync;
  sync.head.index = 12;
  answer.body = sync;
  witness.heard(2, answer);
  HelloRequest request;
  witness.introduce(request);
  EXPECT_EQ(request.head.index, 14u);
  EXPECT_EQ(request.epoch, 2u);
  EXPECT_TRUE(witness.greeted(hello_of(1, 13)));
}

DeviceOptions with_store() {
  DeviceOptions options;
  options.store.id.fill(7);
  return options;
}

TEST(Rollback, IsReportedAndTheSessionIsLeftBehind) {
  Device device(with_store());
  Device::Link link = device.connect();
  ASSERT_EQ(device.call(link, put_of("/state/shared/a", "one")).response.status, Status::ok);
  const MemoryStore older = device.store();
  ASSERT_EQ(device.call(link, put_of("/state/shared/a", "two")).response.status, Status::ok);
  ASSERT_EQ(device.call(link, SyncRequest{1}).response.status, Status::ok);
  EXPECT_EQ(link.client.seen().head, device.store().status().durable_head);
  const auto unsynced = device.call(link, put_of("/state/shared/b", "one"));
  ASSERT_EQ(unsynced.response.status, Status::ok);

  device.cut(link);
  device.store() = older;
  device.store().reopen(device.now());
  device.wait(seconds(10));
  device.reconnect(link);
  const auto rollback = link.client.take_rollback();
  ASSERT_TRUE(rollback.has_value());
  EXPECT_EQ(rollback->comparison, HeadComparison::differs);
  const auto lost = link.client.take_lost();
  ASSERT_TRUE(lost.has_value()) << "it may be gone";
  EXPECT_EQ(lost->call, unsynced.call);
  EXPECT_FALSE(lost->certain);
  EXPECT_FALSE(link.client.take_lost().has_value()) << "the rollback itself tells of what was durable";
  ASSERT_EQ(device.call(link, put_of("/state/shared/a", "three")).response.status, Status::ok);
  std::size_t opened = 0, resumed = 0;
  for (const Recorded& each : device.take_audit()) {
    if (each.record().kind != AuditKind::session) continue;
    ++(each.record().op == static_cast<std::uint8_t>(Op::resume) ? resumed : opened);
  }
  EXPECT_EQ(opened, 2u);
  EXPECT_EQ(resumed, 0u);
  device.cut(link);
  device.wait(seconds(10));
  device.reconnect(link);
  EXPECT_FALSE(link.client.take_rollback().has_value()) << "once";
}

// What was in flight is of unknown outcome; what was answered and not known durable may be lost.
TEST(Rollback, LeavesNothingInDoubt) {
  DeviceOptions options = with_store();
  options.store.flush_interval = seconds(5);
  Device device(options);
  Device::Link link = device.connect();
  const MemoryStore older = device.store();
  ASSERT_EQ(device.call(link, put_of("/state/shared/a", "one")).response.status, Status::ok);
  ASSERT_EQ(device.call(link, SyncRequest{1}).response.status, Status::ok);
  ASSERT_EQ(device.call(link, put_of("/state/shared/b", "two")).response.status, Status::ok);
  const auto flying = link.client.submit(put_of("/state/shared/c", "three"), never, device.now().monotonic);
  ASSERT_TRUE(flying.ok());
  link.client.advance(device.now());
  link.client.output_taken(link.client.output().size());  // it never arrives
  device.cut(link);
  device.store() = older;
  device.store().reopen(device.now());
  device.wait(seconds(10));
  device.reconnect(link);
  ASSERT_TRUE(link.client.take_rollback().has_value());
  const auto lost = link.client.take_lost();
  ASSERT_TRUE(lost.has_value());
  EXPECT_FALSE(lost->certain);
  EXPECT_FALSE(link.client.take_lost().has_value());
  const auto completion = link.client.take_completion();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->call, flying.value());
  EXPECT_EQ(completion->result, CallResult::outcome_unknown);
}

TEST(Rollback, IsNotWhatAnOrdinaryCrashDoes) {
  DeviceOptions options = with_store();
  options.store.flush_interval = seconds(5);
  Device device(options);
  Device::Link link = device.connect();
  ASSERT_EQ(device.call(link, put_of("/state/shared/a", "one")).response.status, Status::ok);
  ASSERT_EQ(device.call(link, SyncRequest{1}).response.status, Status::ok);
  const MemoryStore durable = device.store();
  ASSERT_EQ(device.call(link, put_of("/state/shared/a", "two")).response.status, Status::ok);
  device.cut(link);
  device.store() = durable;
  device.store().reopen(device.now());
  device.wait(seconds(10));
  device.reconnect(link);
  ASSERT_EQ(device.call(link, put_of("/state/shared/b", "three")).response.status, Status::ok);
  EXPECT_FALSE(link.client.take_rollback().has_value());
  const auto lost = link.client.take_lost();
  ASSERT_TRUE(lost.has_value());
  EXPECT_TRUE(lost->certain) << "lost writes, which the session tells of";
  EXPECT_EQ(std::get<SyncResponse>(device.call(link, SyncRequest{2}).response.body).epoch, 2u);
}

// Whoever keeps what an earlier client had seen is told by the next.
TEST(Rollback, IsSeenByAClientThatWasGivenTheHead) {
  Device device(with_store());
  Device::Link first = device.connect();
  const MemoryStore older = device.store();
  ASSERT_EQ(device.call(first, put_of("/state/shared/a", "one")).response.status, Status::ok);
  ASSERT_EQ(device.call(first, SyncRequest{1}).response.status, Status::ok);
  ClientConfig config;
  config.server = device.key();
  config.seen = first.client.seen();
  device.cut(first);
  for (const bool back : {false, true}) {
    if (back) {
      device.store() = older;
      device.store().reopen(device.now());
    }
    Device::Link link{Client(device.suite(), device.peer_key(0), config)};
    device.reconnect(link);
    EXPECT_EQ(link.client.take_rollback().has_value(), back);
    device.cut(link);
  }
}

}  // namespace
}  // namespace statefs
