// What a server does with a peer that is beyond its rates (core/peer_rates.h), and with those beside it.
#include <gtest/gtest.h>

#include "tests/core/device.h"
#include "tests/core/raw_peer.h"

namespace statefs {
namespace {

using namespace test;

constexpr std::string_view key_a = "/state/shared/a";
constexpr std::string_view denied = "/state/other";

DeviceOptions with_refusals(std::uint64_t per_second, std::uint64_t burst) {
  DeviceOptions options;
  options.peers = 2;
  options.limits.rates.refusals = {per_second, burst};
  return options;
}

Bytes denied_reads(std::uint64_t count, std::uint64_t first_id = 100) {
  Bytes frames;
  for (std::uint64_t i = 0; i < count; ++i) encode_request({first_id + i, get_of(denied)}, frames);
  return frames;
}

// The statuses of all that came, by id.
std::map<std::uint64_t, Status> statuses(RawPeer& peer) {
  std::map<std::uint64_t, Status> out;
  const Bytes plain = peer.open();
  for (std::size_t at = 0; at < plain.size();) {
    const FrameHeader header = load_frame_header(ByteView(plain).subspan(at));
    out[header.id] = static_cast<Status>(header.status);
    at += limits::frame_header_size + header.body_size;
  }
  return out;
}

// Goes from deadline to deadline, as a driver does.
void pass(Device& device, Duration duration, std::vector<RawPeer*> peers) {
  const Time until = device.now().monotonic + duration;
  for (int turns = 0; turns < 10'000; ++turns) {
    for (RawPeer* const peer : peers) peer->turn();
    const Time due = device.server().deadline();
    if (due > until) break;
    if (due > device.now().monotonic) device.wait(due - device.now().monotonic);
  }
  if (until > device.now().monotonic) device.wait(until - device.now().monotonic);
  for (RawPeer* const peer : peers) peer->turn();
}

std::uint64_t refusals_recorded(Device& device) {
  std::uint64_t count = 0;
  for (const Recorded& each : device.take_audit()) {
    const AuditRecord record = each.record();
    if (record.kind == AuditKind::refusals) count += record.count;
    if (record.kind == AuditKind::mutation && record.status != Status::ok) ++count;
  }
  return count;
}

TEST(ServerRates, DoesNotReadAPeerThatWasRefusedBeyondItsRate) {
  Device device(with_refusals(16, 3));
  RawPeer noisy(device, 0);
  noisy.greet();
  noisy.send(denied_reads(10));
  EXPECT_EQ(statuses(noisy).size(), 3u);
  EXPECT_FALSE(device.server().wants_input(noisy.id));
  EXPECT_EQ(device.server().deadline(), device.now().monotonic + milliseconds(125)) << "two are back then";
  pass(device, milliseconds(124), {&noisy});
  EXPECT_TRUE(statuses(noisy).empty());
  pass(device, milliseconds(1), {&noisy});
  EXPECT_EQ(statuses(noisy).size(), 2u);
  pass(device, seconds(1), {&noisy});
  EXPECT_EQ(statuses(noisy).size(), 5u) << "the rest, at the rate";
  EXPECT_TRUE(device.server().wants_input(noisy.id));
  EXPECT_EQ(refusals_recorded(device), 10u) << "and nothing is uncounted";
}

TEST(ServerRates, RefusesNoMoreThanBurstAndRateAllowInTheLongRun) {
  for (const bool sequenced : {false, true}) {
    Device device(with_refusals(16, 4));
    RawPeer noisy(device, 0);
    noisy.greet();
    noisy.open_session();
    Bytes frames;
    for (int i = 0; i < 200; ++i) {
      RequestBody request = get_of(denied);
      if (sequenced) request = noisy.placed(put_of(denied, "x"));
      encode_request({static_cast<std::uint64_t>(100 + i), request}, frames);
    }
    noisy.send(frames);
    pass(device, seconds(5), {&noisy});
    const std::size_t answered = statuses(noisy).size();
    EXPECT_LE(answered, 4u + 5 * 16) << sequenced;
    EXPECT_GE(answered, 4u + 5 * 16 - 2) << sequenced;
    EXPECT_EQ(refusals_recorded(device), answered) << sequenced;
  }
}

TEST(ServerRates, ServesOthersWhileOneIsNotRead) {
  Device device(with_refusals(1, 3));
  auto polite = device.connect(1);
  RawPeer noisy(device, 0);
  noisy.greet();
  noisy.send(denied_reads(100));
  ASSERT_FALSE(device.server().wants_input(noisy.id));
  EXPECT_EQ(device.call(polite, put_of(key_a, "v")).response.status, Status::ok);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(device.call(polite, get_of(denied)).response.status, Status::access_denied) << "it has refusals of its own";
  EXPECT_EQ(statuses(noisy).size(), 3u);
}

TEST(ServerRates, ANewConnectionIsNoWayToAFreshRate) {
  Device device(with_refusals(1, 3));
  RawPeer noisy(device, 0);
  noisy.greet();
  noisy.send(denied_reads(4));
  ASSERT_EQ(statuses(noisy).size(), 3u);
  device.server().ended(noisy.id, device.now());
  device.server().advance(device.now());
  device.server().released(noisy.id);
  RawPeer again(device, 0);
  again.shake_hands();
  HelloRequest hello;
  hello.version = protocol_version;
  again.send(hello, 1);
  EXPECT_TRUE(again.received.empty()) << "not even HELLO is read";
  EXPECT_FALSE(device.server().wants_input(again.id));
  pass(device, seconds(1), {&again});
  EXPECT_EQ(again.status(), Status::ok);
}

TEST(ServerRates, MalformedFramesAreRefusalsToo) {
  Device device(with_refusals(1, 2));
  for (int i = 0; i < 2; ++i) {
    RawPeer bad(device, 0);
    bad.shake_hands();
    bad.send(get_of(key_a), 9);  // before HELLO
    EXPECT_EQ(bad.status(), Status::malformed);
    ASSERT_TRUE(bad.closed());
    device.server().released(bad.id);
  }
  RawPeer third(device, 0);
  third.shake_hands();
  third.send(get_of(key_a), 9);
  EXPECT_TRUE(third.received.empty());
  EXPECT_FALSE(third.closed());
}

TEST(ServerRates, DoesNotTakeAPeerForDeadThatItDoesNotRead) {
  DeviceOptions options = with_refusals(1, 1);
  options.limits.keepalive_interval = milliseconds(100);
  options.limits.dead_peer_timeout = milliseconds(300);
  options.limits.handshake_timeout = milliseconds(300);
  Device device(options);
  RawPeer noisy(device, 0);
  noisy.greet();
  noisy.send(denied_reads(2));
  RawPeer second(device, 0);
  second.shake_hands();
  HelloRequest hello;
  hello.version = protocol_version;
  second.send(hello, 1);
  pass(device, milliseconds(999), {&noisy, &second});
  EXPECT_FALSE(noisy.closed());
  EXPECT_FALSE(second.closed()) << "its HELLO is there, and not read";
  pass(device, milliseconds(1), {&noisy, &second});
  EXPECT_EQ(statuses(noisy).size(), 2u);
  pass(device, seconds(1), {&second});
  EXPECT_EQ(statuses(second).count(1), 1u);
  pass(device, seconds(2), {&noisy, &second});
  EXPECT_TRUE(noisy.closed()) << "read again and silent: now it is";
}

TEST(ServerRates, ConnectionsOfOnePeerTakeTurns) {
  Device device(with_refusals(8, 4));
  RawPeer first(device, 0);
  first.greet();
  RawPeer second(device, 0);
  second.greet();
  first.send(denied_reads(400));
  second.send(denied_reads(1));
  pass(device, seconds(2), {&first, &second});
  EXPECT_EQ(statuses(second).size(), 1u);
}

TEST(ServerRates, AReloadKeepsRatesAndForgetsThoseOfTheExpelled) {
  DeviceOptions options = with_refusals(1, 2);
  Device device(options);
  RawPeer first(device, 0);
  first.greet();
  first.send(denied_reads(5));
  RawPeer second(device, 1);
  second.greet();
  second.send(denied_reads(5));
  ASSERT_EQ(statuses(first).size(), 2u);
  ASSERT_EQ(statuses(second).size(), 2u);
  options.peers = 1;
  device.server().reload(device.policy_of(options), device.now());
  first.turn();
  second.turn();
  EXPECT_TRUE(second.closed());
  EXPECT_TRUE(statuses(first).empty());
  device.server().released(second.id);
  options.peers = 2;
  device.server().reload(device.policy_of(options), device.now());
  pass(device, seconds(10), {&first});
  RawPeer again(device, 1);
  again.greet();
}

TEST(ServerRates, PutsOffRequestsBeyondTheirRateAndUsesNoSequence) {
  DeviceOptions options;
  options.limits.rates.requests = {10, 4};
  Device device(options);
  RawPeer peer(device, 0);
  peer.greet();         // one
  peer.open_session();  // two
  (void)device.take_audit();
  const PutRequest first = peer.placed(put_of(key_a, "1"));
  peer.send(first, 10);
  EXPECT_EQ(peer.status(), Status::ok);
  peer.send(get_of(key_a), 11);
  EXPECT_EQ(peer.status(), Status::ok);
  const PutRequest second = peer.placed(put_of(key_a, "2"));
  peer.send(second, 12);
  const Bytes plain = peer.open();
  const auto answer = decode_response(load_frame_header(plain), ByteView(plain).subspan(limits::frame_header_size));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.value().status, Status::overloaded);
  const auto& body = std::get<MutationResponse>(answer.value().body);
  EXPECT_EQ(body.index, 0u);
  EXPECT_GE(body.retry_after_ms, 1u);
  EXPECT_LE(body.retry_after_ms, 100u);
  peer.send(first, 13);
  EXPECT_EQ(peer.status(), Status::ok) << "what ran is answered so, at any rate";
  EXPECT_NE(peer.last.flags & 1, 0);
  device.wait(milliseconds(body.retry_after_ms));
  peer.send(second, 14);
  EXPECT_EQ(peer.status(), Status::ok) << "the same sequence again, after the wait it was told";
  EXPECT_EQ(device.take_mutations().size(), 2u);
  EXPECT_EQ(device.server().counters().overloaded, 1u);
}

TEST(ServerRates, PutOffRequestsAreInNoRecord) {
  DeviceOptions options;
  options.limits.rates.requests = {1, 1};
  Device device(options);
  RawPeer peer(device, 0);
  peer.greet();
  (void)device.take_audit();
  for (const RequestBody& request : std::vector<RequestBody>{get_of(denied), list_of("/state/shared/"), SyncRequest{}, OpenRequest{},
                                                             OutcomeRequest{}, StageRequest{}}) {
    peer.send(request, 5);
    EXPECT_EQ(peer.status(), Status::overloaded);
    EXPECT_EQ(peer.last.op & ~response_bit, static_cast<int>(op_of(request)));
  }
  EXPECT_TRUE(device.take_audit().empty());
}

TEST(ServerRates, GreetsBeyondTheRateForHelloCannotBePutOff) {
  DeviceOptions options;
  options.limits.rates.requests = {1, 1};
  Device device(options);
  RawPeer first(device, 0);
  first.greet();
  RawPeer second(device, 0);
  second.greet();
}

TEST(ServerRates, OneThatDoesNotWaitAsItIsToldIsNotReadInTheEnd) {
  DeviceOptions options = with_refusals(1, 5);
  options.limits.rates.requests = {1, 1};
  Device device(options);
  RawPeer peer(device, 0);
  peer.greet();
  for (int i = 0; i < 5; ++i) {
    peer.send(get_of(key_a), 5);
    EXPECT_EQ(peer.status(), Status::overloaded);
  }
  peer.send(get_of(key_a), 6);
  EXPECT_TRUE(peer.received.empty());
  EXPECT_FALSE(device.server().wants_input(peer.id));
}

TEST(ServerRates, PaysForLargeRequestsAndAnswersAfterwards) {
  DeviceOptions options;
  options.limits.rates.bytes = {10'000, 40'000};
  Device device(options);
  RawPeer peer(device, 0);
  peer.greet();
  peer.open_session();
  const std::string value(60'000, 'v');
  peer.send(peer.placed(put_of(key_a, value)), 5);
  EXPECT_EQ(peer.status(), Status::ok) << "begun within the rate, it is done whole";
  peer.send(get_of(key_a), 6);
  EXPECT_EQ(peer.status(), Status::overloaded);
  device.wait(milliseconds(2'200));
  peer.send(get_of(key_a), 7);
  EXPECT_EQ(peer.status(), Status::ok);
  peer.send(get_of(key_a), 8);
  EXPECT_EQ(peer.status(), Status::overloaded) << "the answer cost as much";
  device.wait(milliseconds(6'000));
  peer.send(get_of(key_a), 9);
  EXPECT_EQ(peer.status(), Status::ok);
}

TEST(ServerRates, HoldProgramsOfTheDeviceByTheirUid) {
  DeviceOptions options;
  options.limits.rates.requests = {1, 2};
  options.locals.push_back({1000, {local_default_rule()}, std::nullopt});
  Device device(options);
  auto first = device.connect_local(1000);  // HELLO is one
  EXPECT_EQ(device.call(first, get_of(key_a)).response.status, Status::not_found);
  EXPECT_EQ(device.call(first, get_of(key_a)).response.status, Status::overloaded);
  auto second = device.connect_local(1000);
  EXPECT_EQ(device.call(second, get_of(key_a)).response.status, Status::overloaded);
  auto remote = device.connect();
  EXPECT_EQ(device.call(remote, get_of(key_a)).response.status, Status::not_found);
}

}  // namespace
}  // namespace statefs
