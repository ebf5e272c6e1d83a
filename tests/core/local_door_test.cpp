#include <gtest/gtest.h>

#include "tests/core/device.h"

namespace statefs {
namespace {

using test::Device;
using test::DeviceOptions;
using test::delete_of;
using test::get_of;
using test::list_of;
using test::put_of;

constexpr std::uint32_t owner = 0;
constexpr std::uint32_t reader = 1000;
constexpr std::string_view shared_key = "/state/shared/a";

DeviceOptions with_local_door() {
  DeviceOptions options;
  options.locals.push_back({owner, {local_default_rule()}, std::nullopt});
  const auto reads = static_cast<AccessMask>(static_cast<unsigned>(Access::get) | static_cast<unsigned>(Access::list));
  options.locals.push_back({reader, {{std::string(shared_subtree), reads, false}}, std::nullopt});
  return options;
}

Bytes frame_of(const RequestBody& body, std::uint64_t id) {
  Bytes out;
  encode_request({id, body}, out);
  return out;
}
HelloRequest greeting() {
  HelloRequest hello;
  hello.version = protocol_version;
  return hello;
}

TEST(LocalDoor, ServesTheSameFramesWithoutAChannel) {
  Device device(with_local_door());
  auto link = device.connect_local(owner);
  ASSERT_TRUE(link.open);
  EXPECT_EQ(device.call(link, put_of(shared_key, "x")).response.status, Status::ok);
  const Completion got = device.call(link, get_of(shared_key));
  EXPECT_EQ(got.response.status, Status::ok);
  EXPECT_EQ(test::text_of(std::get<GetResponse>(got.response.body).data), "x");
  EXPECT_EQ(device.call(link, list_of("/state/")).response.status, Status::ok);
  EXPECT_EQ(device.call(link, delete_of(shared_key)).response.status, Status::ok);
  const auto& hello = link.client.server_hello();
  ASSERT_TRUE(hello.has_value());
  EXPECT_EQ(device.call(link, SyncRequest{hello->epoch}).response.status, Status::ok);
}

TEST(LocalDoor, TurnsAwayAUidThatThePolicyDoesNotNameAndCountsIt) {
  Device device(with_local_door());
  const auto refused = device.server().accept_local(4711, device.now());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error(), AdmissionError::unnamed_uid);
  device.wait(limits::aggregate_interval);
  device.server().advance(device.now());
  std::uint64_t counted = 0;
  for (const auto& recorded : device.take_audit()) {
    const AuditRecord record = recorded.record();
    if (record.kind != AuditKind::handshakes) continue;
    EXPECT_EQ(record.op, static_cast<std::uint8_t>(HandshakeFailure::unnamed_uid));
    counted += record.count;
  }
  EXPECT_EQ(counted, 1u);
}

TEST(LocalDoor, IsShutWhereNoUidIsNamed) {
  Device device;
  EXPECT_FALSE(device.server().accept_local(owner, device.now()).ok());
}

TEST(LocalDoor, GivesEachUidItsOwnRules) {
  Device device(with_local_door());
  auto root = device.connect_local(owner);
  auto other = device.connect_local(reader);
  EXPECT_EQ(device.call(root, put_of(shared_key, "x")).response.status, Status::ok);
  EXPECT_EQ(device.call(other, get_of(shared_key)).response.status, Status::ok);
  EXPECT_EQ(device.call(other, put_of(shared_key, "y")).response.status, Status::access_denied);
  EXPECT_EQ(device.call(other, get_of("/state/own/a")).response.status, Status::access_denied);
}

TEST(LocalDoor, ReservesNothingFromTheDevicesOwnPrograms) {
  Device device(with_local_door());
  auto root = device.connect_local(owner);
  for (const std::string_view subtree : reserved_subtrees) {
    const std::string key = std::string(subtree) + "k";
    EXPECT_EQ(device.call(root, put_of(key, "x")).response.status, Status::ok) << key;
    auto peer = device.connect();
    EXPECT_EQ(device.call(peer, get_of(key)).response.status, Status::access_denied) << key;
  }
}

TEST(LocalDoor, RecordsTheUidInPlaceOfAKey) {
  Device device(with_local_door());
  auto root = device.connect_local(owner);
  auto other = device.connect_local(reader);
  (void)device.take_audit();
  (void)device.call(root, put_of(shared_key, "x"));
  (void)device.call(other, put_of(shared_key, "y"));
  (void)device.call(other, get_of("/state/own/a"));
  std::size_t of_root = 0, of_other = 0, counts = 0;
  for (const auto& recorded : device.take_audit()) {
    const AuditRecord record = recorded.record();
    EXPECT_EQ(record.peer.kind, PeerKind::local);
    EXPECT_EQ(record.peer.key, PublicKey{});
    if (record.kind == AuditKind::refusals) {
      EXPECT_EQ(record.peer.uid, reader);
      ++counts;
    } else if (record.kind == AuditKind::mutation) {
      (record.peer.uid == owner ? of_root : of_other) += 1;
      EXPECT_EQ(record.allowed, record.peer.uid == owner);
    }
  }
  EXPECT_EQ(of_root, 1u);
  EXPECT_EQ(of_other, 1u);
  EXPECT_EQ(counts, 1u);
}

TEST(LocalDoor, CountsTheRefusalsOfTwoUidsApart) {
  DeviceOptions options = with_local_door();
  options.locals.push_back({reader + 1, {}, std::nullopt});
  Device device(options);
  auto one = device.connect_local(reader);
  auto two = device.connect_local(reader + 1);
  (void)device.take_audit();
  // In one wake-up.
  for (const auto* link : {&one, &two}) device.server().receive(link->id, frame_of(get_of("/state/own/a"), 100), device.now());
  device.server().advance(device.now());
  std::set<std::uint32_t> uids;
  for (const auto& recorded : device.take_audit()) {
    if (recorded.record().kind == AuditKind::refusals) uids.insert(recorded.record().peer.uid);
  }
  EXPECT_EQ(uids, (std::set<std::uint32_t>{reader, reader + 1}));
}

TEST(LocalDoor, KeepsSessionsByUid) {
  Device device(with_local_door());
  auto link = device.connect_local(owner);
  (void)device.call(link, put_of(shared_key, "x"));
  const SlotTable& slots = device.store().slots();
  EXPECT_EQ(slots.live({PeerKind::local, {}, owner}).size(), 1u);
  EXPECT_EQ(slots.live({PeerKind::local, {}, reader}).size(), 0u);
  EXPECT_EQ(slots.live({PeerKind::remote, {}, owner}).size(), 0u);
}

TEST(LocalDoor, TellsNoUidWhatBecameOfAnothers) {
  Device device(with_local_door());
  SessionInstance instance{};
  instance[0] = 7;
  auto root = device.connect_local(owner);
  const Completion opened = device.call(root, OpenRequest{instance, 1});
  ASSERT_EQ(opened.response.status, Status::ok);
  auto other = device.connect_local(reader);
  const Completion asked = device.call(other, OutcomeRequest{instance, 1, 0});
  EXPECT_EQ(std::get<OutcomeResponse>(asked.response.body).outcome, Outcome::beyond_horizon);
  const std::uint64_t number = std::get<SessionResponse>(opened.response.body).session;
  EXPECT_EQ(device.call(other, CloseRequest{number, 1}).response.status, Status::session_unknown);
}

TEST(LocalDoor, ChargesTheUidAndHoldsItToItsQuota) {
  DeviceOptions options = with_local_door();
  options.locals.push_back({7, {local_default_rule()}, Quota{10, 2}});
  Device device(options);
  auto link = device.connect_local(7);
  EXPECT_EQ(device.call(link, put_of("/state/shared/a", "0123456789")).response.status, Status::ok);
  EXPECT_EQ(device.call(link, put_of("/state/shared/b", "x")).response.status, Status::quota_exceeded);
  EXPECT_EQ(device.call(link, put_of("/state/shared/b", "")).response.status, Status::ok);
  EXPECT_EQ(device.call(link, put_of("/state/shared/c", "")).response.status, Status::quota_exceeded);
  auto root = device.connect_local(owner);
  EXPECT_EQ(device.call(root, put_of("/state/shared/c", "x")).response.status, Status::ok);
}

TEST(LocalDoor, HasRoomOfItsOwn) {
  DeviceOptions options = with_local_door();
  options.limits.connections_max = 2;
  options.limits.connections_per_peer_max = 1;
  options.limits.local_connections_max = 3;
  options.limits.local_connections_per_uid_max = 2;
  Device device(options);
  auto peer = device.connect();
  ASSERT_TRUE(device.server().accept(device.ephemeral(), device.now()).ok());
  ASSERT_FALSE(device.server().accept(device.ephemeral(), device.now()).ok()) << "the remote door is full";
  auto one = device.connect_local(owner);
  auto two = device.connect_local(owner);
  EXPECT_EQ(device.server().accept_local(owner, device.now()).error(), AdmissionError::uid_full);
  auto three = device.connect_local(reader);
  EXPECT_EQ(device.server().accept_local(reader, device.now()).error(), AdmissionError::connections_full);
  device.cut(one);
  auto again = device.connect_local(owner);
  EXPECT_TRUE(again.open);
  EXPECT_EQ(device.server().connection_count(), 5u);
  EXPECT_EQ(device.call(peer, get_of(shared_key)).response.status, Status::not_found);
}

TEST(LocalDoor, EndsAConnectionWhoseFrameIsNone) {
  Device device(with_local_door());
  const auto id = device.server().accept_local(owner, device.now());
  ASSERT_TRUE(id.ok());
  device.server().receive(id.value(), Bytes(64, 0xff), device.now());
  device.server().advance(device.now());
  EXPECT_FALSE(device.server().output(id.value()).empty()) << "it is told so";
  device.server().output_taken(id.value(), device.server().output(id.value()).size(), device.now());
  EXPECT_TRUE(device.server().finished(id.value()));
  device.server().released(id.value());
}

TEST(LocalDoor, AsksForAGreetingInTimeAndLetsAGreetedOneBeIdle) {
  Device device(with_local_door());
  auto link = device.connect_local(owner);
  const auto silent = device.server().accept_local(reader, device.now());
  ASSERT_TRUE(silent.ok());
  device.wait(limits::handshake_timeout);
  device.pump(link);
  EXPECT_TRUE(device.server().finished(silent.value()));
  // The kernel says when a process has gone: nothing is sent to find out, and nothing is waited for.
  for (int i = 0; i < 20; ++i) {
    device.wait(limits::dead_peer_timeout);
    device.server().advance(device.now());
    EXPECT_TRUE(device.server().output(link.id).empty());
    device.pump(link);
  }
  EXPECT_TRUE(link.open);
  EXPECT_EQ(device.call(link, get_of(shared_key)).response.status, Status::not_found);
}

TEST(LocalDoor, ReadsNothingMoreOfAProgramThatTakesNoAnswers) {
  DeviceOptions options = with_local_door();
  Device device(options);
  auto link = device.connect_local(owner);
  (void)device.call(link, put_of(shared_key, std::string(limits::value_size_max, 'v')));
  std::uint64_t id = 1'000;
  std::size_t sent = 0;
  while (device.server().wants_input(link.id) && sent < 1'000) {
    device.server().receive(link.id, frame_of(get_of(shared_key), id++), device.now());
    device.server().advance(device.now());
    ++sent;
  }
  EXPECT_LT(sent, 20u) << "output is bounded";
  EXPECT_LE(device.server().output(link.id).size(), limits::output_size_max + limits::frame_size_max);
  device.wait(limits::dead_peer_timeout);
  device.server().advance(device.now());
  EXPECT_TRUE(device.server().finished(link.id)) << "and it is not waited for forever";
}

// Found by seed 9 of the simulator: an idle local connection ends after a day, and its timer outlived it.
TEST(LocalDoor, LeavesNoTimerBehindWhenItIsLeft) {
  Device device(with_local_door());
  auto link = device.connect_local(owner);
  (void)device.call(link, get_of(shared_key));
  device.wait(limits::handshake_timeout);
  device.pump(link);
  EXPECT_LE(device.server().deadline(), device.now().monotonic + limits::connection_age_max);
  device.cut(link);
  device.server().advance(device.now());
  EXPECT_GT(device.server().deadline(), device.now().monotonic + limits::connection_age_max);
}

TEST(LocalDoor, TakesAFrameByteByByte) {
  Device device(with_local_door());
  const auto id = device.server().accept_local(owner, device.now());
  ASSERT_TRUE(id.ok());
  Bytes all = frame_of(greeting(), 0);
  const Bytes put = frame_of(OpenRequest{{}, 1}, 1);
  all.insert(all.end(), put.begin(), put.end());
  for (const std::uint8_t byte : all) device.server().receive(id.value(), Bytes(1, byte), device.now());
  device.server().advance(device.now());
  EXPECT_EQ(device.store().slots().live({PeerKind::local, {}, owner}).size(), 1u);
}

TEST(LocalDoor, ClosesForAUidThatANewPolicyNoLongerNames) {
  DeviceOptions options = with_local_door();
  Device device(options);
  auto root = device.connect_local(owner);
  auto other = device.connect_local(reader);
  options.locals.pop_back();
  device.server().reload(device.policy_of(options), device.now());
  device.server().advance(device.now());
  EXPECT_TRUE(device.server().finished(other.id));
  EXPECT_FALSE(device.server().finished(root.id));
  EXPECT_EQ(device.call(root, get_of(shared_key)).response.status, Status::not_found);
}

TEST(LocalDoor, IsNoRemoteService) {
  Device device(with_local_door());
  auto root = device.connect_local(owner);
  (void)device.call(root, put_of(shared_key, "x"));
  EXPECT_FALSE(device.server().has_served());
  auto peer = device.connect();
  (void)device.call(peer, get_of(shared_key));
  EXPECT_TRUE(device.server().has_served());
}

TEST(LocalDoor, OrdersRevisionsOfBothDoorsAsOne) {
  Device device(with_local_door());
  auto root = device.connect_local(owner);
  auto peer = device.connect();
  const std::uint64_t first = test::mutation_of(device.call(root, put_of(shared_key, "1"))).revision;
  PutRequest put = put_of(shared_key, "2");
  put.expected_revision = first;
  const Completion second = device.call(peer, put);
  EXPECT_EQ(second.response.status, Status::ok);
  EXPECT_GT(test::mutation_of(second).revision, first);
  const Completion stale = device.call(root, put);
  EXPECT_EQ(stale.response.status, Status::revision_conflict);
}

}  // namespace
}  // namespace statefs
