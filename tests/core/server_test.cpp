#include "core/server.h"

#include <gtest/gtest.h>

#include "tests/core/device.h"
#include "tests/core/raw_peer.h"

namespace statefs {
namespace {

using namespace test;

constexpr std::string_view key_a = "/state/shared/a";

// Completes the records of the start, so that nothing but the test's own commits is under way.
void settle(Device& device) {
  device.server().advance(device.now());
  device.wait(milliseconds(3));
  device.server().advance(device.now());
}

std::uint64_t count_of(const std::vector<Recorded>& records, AuditKind kind) {
  std::uint64_t count = 0;
  for (const Recorded& recorded : records) {
    if (recorded.record().kind == kind) count += recorded.record().count;
  }
  return count;
}

TEST(Server, RefusesAnUnenrolledPeerAtMessage3WithoutAByte) {
  Device device;
  RawPeer stranger(device, 7);
  stranger.shake_hands();
  EXPECT_TRUE(stranger.received.empty());
  EXPECT_TRUE(stranger.closed());
  device.wait(limits::aggregate_interval);
  device.server().advance(device.now());
  const auto records = device.take_audit();
  EXPECT_EQ(count_of(records, AuditKind::handshakes), 1u);
  EXPECT_EQ(records.back().record().op, static_cast<std::uint8_t>(HandshakeFailure::not_enrolled));
}

TEST(Server, CountsAFloodOfFailedHandshakesInOneRecordForEachSecond) {
  Device device;
  for (int i = 0; i < 50; ++i) {
    RawPeer garbage(device, 0);
    garbage.send_raw(Bytes(50, 0x11));
    EXPECT_TRUE(garbage.closed());
    EXPECT_TRUE(garbage.received.empty());
    device.server().released(garbage.id);
  }
  device.wait(limits::aggregate_interval);
  device.server().advance(device.now());
  const auto records = device.take_audit();
  EXPECT_EQ(count_of(records, AuditKind::handshakes), 50u);
  EXPECT_LE(records.size(), 5u) << "epoch, policy, and a record for each interval";
}

TEST(Server, AnswersMalformedToARequestBeforeHelloAndCloses) {
  Device device;
  RawPeer peer(device, 0);
  peer.shake_hands();
  peer.send(get_of(key_a), 9);
  EXPECT_EQ(peer.status(), Status::malformed);
  EXPECT_EQ(peer.last.id, 9u);
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(count_of(device.take_audit(), AuditKind::refusals), 1u);
}

TEST(Server, AnswersUnsupportedToAForeignVersionAndCloses) {
  Device device;
  RawPeer peer(device, 0);
  peer.shake_hands();
  HelloRequest hello;
  hello.version = 2;
  peer.send(hello, 3);
  EXPECT_EQ(peer.status(), Status::unsupported);
  EXPECT_TRUE(peer.closed());
}

TEST(Server, AnswersMalformedWithTheIdRecordsItAndCloses) {
  Device device;
  RawPeer peer(device, 0);
  peer.greet();
  (void)device.take_audit();
  Bytes frame;
  encode_frame_header({0, static_cast<std::uint8_t>(Op::put), 0, 0, 77}, frame);
  store_le<std::uint32_t>(frame.data(), static_cast<std::uint32_t>(limits::frame_body_size_max + 1));
  peer.send(frame);
  EXPECT_EQ(peer.status(), Status::malformed);
  EXPECT_EQ(peer.last.id, 77u);
  EXPECT_TRUE(peer.closed());
  const auto records = device.take_audit();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].record().kind, AuditKind::refusals);
  EXPECT_EQ(records[0].record().status, Status::malformed);
  EXPECT_EQ(records[0].record().key_size, 0u);
}

TEST(Server, SkipsAnUnknownOpAndStays) {
  Device device;
  RawPeer peer(device, 0);
  peer.greet();
  Bytes frame;
  encode_frame_header({9, 77, 0, 0, 5}, frame);
  frame.resize(frame.size() + 9);
  peer.send(frame);
  EXPECT_EQ(peer.status(), Status::unsupported);
  peer.send(get_of(key_a), 6);
  EXPECT_EQ(peer.status(), Status::not_found);
}

TEST(Server, EndsADamagedConnectionWithOneRecordAndExecutesNothingOfIt) {
  Device device;
  RawPeer peer(device, 0);
  peer.greet();
  peer.open_session();
  (void)device.take_audit();
  Bytes frame;
  encode_request({5, peer.placed(put_of(key_a, "v"))}, frame);
  Bytes sealed;
  ASSERT_TRUE(peer.channel->seal(frame, sealed));
  sealed[sealed.size() / 2] ^= 1;
  peer.send_raw(sealed);
  EXPECT_TRUE(peer.closed());
  EXPECT_TRUE(peer.received.empty());
  const auto records = device.take_audit();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].record().kind, AuditKind::damaged);
  EXPECT_EQ(records[0].record().peer.alias, "peer-0");
  EXPECT_EQ(device.store().usage_of(records[0].record().peer).keys, 0u);
}

TEST(Server, RefusesAnOversizeValueBeforeItsBodyIsBufferedAndStays) {
  Device device;
  RawPeer peer(device, 0);
  peer.greet();
  peer.open_session();
  (void)device.take_audit();
  Bytes frame;
  const std::string value(limits::value_size_max + 1, 'x');
  encode_request({5, peer.placed(put_of(key_a, value))}, frame);
  const std::size_t prefix = limits::frame_header_size + 40 + key_a.size();
  const std::size_t idle = device.server().buffered_size();
  peer.send(ByteView(frame).first(prefix));
  EXPECT_EQ(peer.status(), Status::value_too_large) << "answered from the prefix";
  EXPECT_EQ(device.take_mutations().size(), 1u);
  for (std::size_t at = prefix; at < frame.size(); at += 8000) {
    peer.send(ByteView(frame).subspan(at, std::min<std::size_t>(8000, frame.size() - at)));
    EXPECT_LE(device.server().buffered_size(), idle + 512) << at;
  }
  peer.send(get_of(key_a), 6);
  EXPECT_EQ(peer.status(), Status::not_found);
}

TEST(Server, StopsReadingAPeerThatDoesNotTakeItsAnswersAndGoesOnWhenItDoes) {
  Device device;
  auto link = device.connect();
  ASSERT_EQ(device.call(link, put_of(key_a, std::string(60'000, 'v'))).response.status, Status::ok);
  RawPeer greedy(device, 0);
  greedy.greet();
  Bytes frames;
  constexpr std::uint64_t requests = 200;
  for (std::uint64_t i = 0; i < requests; ++i) encode_request({100 + i, get_of(key_a)}, frames);
  Bytes sealed;
  ASSERT_TRUE(greedy.channel->seal(frames, sealed));
  device.server().receive(greedy.id, sealed, device.now());
  device.server().advance(device.now());
  EXPECT_FALSE(device.server().wants_input(greedy.id));
  EXPECT_LE(device.server().output(greedy.id).size(), limits::output_size_max + 2 * limits::frame_size_max);
  EXPECT_EQ(device.call(link, get_of(key_a)).response.status, Status::ok) << "another peer is served meanwhile";
  std::uint64_t answered = 0;
  for (int turns = 0; turns < 1000 && answered < requests; ++turns) {
    greedy.turn();
    const Bytes plain = greedy.open();
    for (std::size_t at = 0; at < plain.size();) {
      const FrameHeader header = load_frame_header(ByteView(plain).subspan(at));
      EXPECT_EQ(header.id, 100 + answered);
      at += limits::frame_header_size + header.body_size;
      ++answered;
    }
  }
  EXPECT_EQ(answered, requests);
  EXPECT_TRUE(device.server().wants_input(greedy.id));
}

// Found by seed 500527: what such a peer had taken was kept as long as something was left.
TEST(Server, KeepsNothingThatAPeerTookWhoNeverTakesItAll) {
  Device device;
  auto link = device.connect();
  ASSERT_EQ(device.call(link, put_of(key_a, std::string(10'000, 'v'))).response.status, Status::ok);
  RawPeer slow(device, 0);
  slow.greet();
  const std::size_t idle = device.server().buffered_size();
  Bytes frame;
  encode_request({5, get_of(key_a)}, frame);
  for (int i = 0; i < 300; ++i) {
    Bytes sealed;
    ASSERT_TRUE(slow.channel->seal(frame, sealed));
    device.server().receive(slow.id, sealed, device.now());
    device.server().advance(device.now());
    const std::size_t waiting = device.server().output(slow.id).size();
    ASSERT_GT(waiting, 10'000u);
    device.server().output_taken(slow.id, waiting - 1, device.now());
    ASSERT_LE(device.server().buffered_size(), idle + 50'000) << i;
  }
}

std::size_t answers_size_max() { return limits::output_size_max + limits::frame_size_max; }

// Found by seed 506022: a buffer that grows by doubling took nearly twice what may wait.
TEST(Server, HoldsNoMoreThanTheBoundOfItsOutputForAPeerThatTakesNothing) {
  for (const std::size_t value_size : {1'000u, 60'000u}) {
    for (const bool held : {false, true}) {
      DeviceOptions options;
      options.store.durability = Durability::commit;
      Device device(options);
      auto link = device.connect();
      ASSERT_EQ(device.call(link, put_of(key_a, std::string(value_size, 'v'))).response.status, Status::ok);
      RawPeer greedy(device, 0);
      greedy.greet();
      greedy.open_session();
      const std::size_t idle = device.server().buffered_size();
      if (held) device.store().set_flush(Durability::commit, {}, seconds(1));
      Bytes frames;
      encode_request({4, greedy.placed(put_of("/state/shared/b", "v"))}, frames);  // what all those after it wait for
      for (std::uint64_t i = 0; i < 2 * limits::output_size_max / value_size; ++i) encode_request({5 + i, get_of(key_a)}, frames);
      Bytes sealed;
      ASSERT_TRUE(greedy.channel->seal(frames, sealed));
      device.server().receive(greedy.id, sealed, device.now());
      device.server().advance(device.now());
      EXPECT_FALSE(device.server().wants_input(greedy.id));
      EXPECT_EQ(device.server().output(greedy.id).empty(), held);
      EXPECT_LE(device.server().buffered_size(), idle + sealed.size() + answers_size_max() + 300) << value_size;
    }
  }
}

// Found in review: it asked to be called again at once, for ever.
TEST(Server, WaitsQuietlyWhileTheLogIsFull) {
  DeviceOptions options;
  options.store.audit_ring_size = 2 * limits::audit_reserve_size;
  Device device(options);
  auto link = device.connect();
  for (int i = 0; i < 500; ++i) {  // counts of refused reads use the log up
    (void)device.call(link, get_of("/state/boot/x"));
  }
  RawPeer stranger(device, 7);
  stranger.shake_hands();
  for (int i = 0; i < 5; ++i) {
    device.wait(limits::aggregate_interval);
    device.server().advance(device.now());
    EXPECT_GT(device.server().deadline(), device.now().monotonic);
  }
  auto late = device.connect();
  EXPECT_TRUE(late.open) << "and peers are still let in";
  EXPECT_EQ(device.call(late, put_of(key_a, "v")).response.status, Status::audit_unavailable);
  std::uint64_t refused = count_of(device.take_audit(), AuditKind::refusals);
  device.wait(limits::aggregate_interval);
  device.server().advance(device.now());
  refused += count_of(device.take_audit(), AuditKind::refusals);
  EXPECT_EQ(refused, 500u) << "what waited is recorded once there is room";
}

TEST(Server, ExpelsAPeerThatAReloadNoLongerEnrolsAndJudgesTheRestAnew) {
  DeviceOptions options;
  options.peers = 2;
  Device device(options);
  auto first = device.connect(0);
  auto second = device.connect(1);
  DeviceOptions narrowed;
  narrowed.peers = 1;
  narrowed.rules = {{"/state/shared/other/", access_all, false}};
  device.server().reload(device.policy_of(narrowed), device.now());
  device.pump(second);
  EXPECT_FALSE(second.open);
  EXPECT_EQ(device.call(first, put_of(key_a, "v")).response.status, Status::access_denied);
}

TEST(Server, HoldsEveryAnswerUntilTheStoreHasCompletedWhatItSaw) {
  DeviceOptions options;
  options.store.durability = Durability::commit;
  options.store.flush_delay = milliseconds(3);
  Device device(options);
  settle(device);
  RawPeer writer(device, 0);
  RawPeer reader(device, 0);
  writer.greet();
  reader.greet();
  writer.open_session();
  writer.send(writer.placed(put_of(key_a, "v")), 5);
  EXPECT_TRUE(writer.received.empty());
  reader.send(get_of(key_a), 6);
  EXPECT_TRUE(reader.received.empty()) << "it saw a write that is not complete";
  EXPECT_EQ(device.server().deadline(), device.now().monotonic + milliseconds(3));
  device.wait(milliseconds(3));
  writer.turn();
  EXPECT_EQ(writer.status(), Status::ok);
  reader.turn();
  EXPECT_EQ(reader.status(), Status::ok);
}

TEST(Server, ASyncIsAnsweredOnceEverythingBeforeItIsDurable) {
  DeviceOptions options;
  options.store.durability = Durability::commit;
  options.store.flush_delay = milliseconds(3);
  Device device(options);
  settle(device);
  RawPeer peer(device, 0);
  peer.greet();
  peer.open_session();
  Bytes frames;
  encode_request({5, peer.placed(put_of(key_a, "v"))}, frames);
  encode_request({6, SyncRequest{device.store().status().epoch}}, frames);
  peer.send(frames);
  EXPECT_TRUE(peer.received.empty());
  device.wait(milliseconds(3));
  peer.turn();
  const Bytes plain = peer.open();
  const FrameHeader put = load_frame_header(plain);
  const ByteView rest = ByteView(plain).subspan(limits::frame_header_size + put.body_size);
  const auto sync = decode_response(load_frame_header(rest), rest.subspan(limits::frame_header_size));
  ASSERT_TRUE(sync.ok());
  EXPECT_EQ(sync.value().id, 6u);
  const auto& answer = std::get<SyncResponse>(sync.value().body);
  EXPECT_EQ(answer.durable_index, device.store().status().last_index);
  EXPECT_EQ(answer.head, device.store().status().durable_head);
}

TEST(Server, AFailedStoreAnswersNothingPendingAndServesNobody) {
  DeviceOptions options;
  options.store.durability = Durability::commit;
  options.store.flush_delay = milliseconds(3);
  Device device(options);
  settle(device);
  RawPeer peer(device, 0);
  peer.greet();
  peer.open_session();
  peer.send(peer.placed(put_of(key_a, "v")), 5);
  device.store().fail();
  device.wait(milliseconds(3));
  peer.turn();
  EXPECT_TRUE(peer.received.empty());
  EXPECT_TRUE(peer.closed());
}

TEST(Server, DrainsOnShutdown) {
  Device device;
  auto link = device.connect();
  device.server().shutdown(device.now());
  device.pump(link);
  EXPECT_FALSE(link.open);
  EXPECT_EQ(device.server().connection_count(), 0u);
  const auto refused = device.server().accept(device.ephemeral(), device.now());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error(), AdmissionError::shutting_down);
}

TEST(Server, SendsTheAnswersOfOneWakeUpAsOneRecord) {
  Device device;
  RawPeer peer(device, 0);
  peer.greet();
  Bytes frames;
  for (std::uint64_t i = 0; i < 16; ++i) encode_request({10 + i, get_of(key_a)}, frames);
  peer.send(frames);
  ASSERT_GE(peer.received.size(), limits::record_length_size);
  EXPECT_EQ(peer.received.size(), limits::record_length_size + load_be16(peer.received.data()));
}

}  // namespace
}  // namespace statefs
