// Peers that are nobody, that nobody enrolled, or that send what no client sends.
#include <gtest/gtest.h>

#include "tests/sim/trial.h"

namespace statefs::sim {
namespace {

const std::string root = "/state/shared/";
constexpr std::size_t handshake_answer_size = 50;  // the length, an ephemeral key and a tag: message 2

Bytes hello_frame() {
  HelloRequest hello;
  hello.version = 1;
  Bytes frame;
  encode_request({0, hello}, frame);
  return frame;
}

// A PUT that declares a value of `declared` bytes in a frame that is as large as that, of which it is only the part
// before the value.
Bytes put_prefix(std::uint64_t id, const SlotRef& slot, std::string_view key, std::uint32_t declared) {
  const Bytes value(100);
  Bytes whole;
  encode_request({id, PutRequest{slot, {}, as_bytes(key), 100, value, {}}}, whole);
  const std::size_t prefix_size = whole.size() - value.size();
  const auto body_size = static_cast<std::uint32_t>(prefix_size - limits::frame_header_size + declared);
  // The only place in the prefix that holds the value's size is the one that says 100.
  std::size_t size_at = 0;
  for (std::size_t at = limits::frame_header_size; at + 4 <= prefix_size; ++at) {
    if (load_le<std::uint32_t>(whole.data() + at) == 100) size_at = at;
  }
  STATEFS_CHECK(size_at != 0);
  store_le<std::uint32_t>(whole.data(), body_size);
  store_le<std::uint32_t>(whole.data() + size_at, declared);
  whole.resize(prefix_size);
  return whole;
}

// The headers of the responses that a raw peer was sent, those of HELLO and OPEN left out.
std::vector<FrameHeader> responses_in(const RawPeer& peer) {
  std::vector<FrameHeader> headers;
  ByteView rest = peer.plain_received();
  while (rest.size() >= limits::frame_header_size) {
    const FrameHeader header = load_frame_header(rest);
    const auto op = static_cast<Op>(header.op & ~response_bit);
    if (op != Op::hello && op != Op::open) headers.push_back(header);
    const std::size_t size = limits::frame_header_size + header.body_size;
    if (rest.size() < size) break;
    rest = rest.subspan(size);
  }
  return headers;
}

// Opens a session and says where its first mutation goes.
SlotRef open_session(Trial& trial, RawPeer& peer) {
  Bytes frame;
  encode_request({6, OpenRequest{{1, 2, 3}, 1}}, frame);
  peer.send_plain(frame);
  trial.run_for(milliseconds(100));
  const ByteView whole = peer.plain_received();
  const FrameHeader hello = load_frame_header(whole);
  const ByteView answer = whole.subspan(limits::frame_header_size + hello.body_size);
  const auto opened = decode_response(load_frame_header(answer), answer.subspan(limits::frame_header_size));
  STATEFS_CHECK(opened.ok() && opened.value().status == Status::ok);
  return {std::get<SessionResponse>(opened.value().body).session, 1, 1, 0};
}

TEST(Oversize, IsRefusedBeforeItsBodyIsBuffered) {
  Trial trial;
  RawPeer& peer = trial.add_raw(true);
  peer.send_plain(hello_frame());
  SlotRef at = open_session(trial, peer);
  const auto declared = static_cast<std::uint32_t>(limits::value_size_max + 1);
  peer.send_plain(put_prefix(7, at, root + "a", declared));
  trial.run_for(milliseconds(100));
  ASSERT_TRUE(peer.established());
  ASSERT_EQ(responses_in(peer).size(), 1u) << "not refused before the body came";
  EXPECT_EQ(responses_in(peer)[0].id, 7u);
  EXPECT_EQ(responses_in(peer)[0].status, static_cast<std::uint16_t>(Status::value_too_large));
  // What comes of the body is skipped as it comes.
  const std::size_t idle = trial.server.server().buffered_size();
  std::size_t sent = 0;
  while (sent < declared) {
    const std::size_t size = std::min<std::size_t>(1'000, declared - sent);
    peer.send_plain(Bytes(size, 'v'));
    sent += size;
    trial.run_for(milliseconds(10));
    EXPECT_LE(trial.server.server().buffered_size(), idle + 512u) << "after " << sent << " bytes";
  }
  EXPECT_FALSE(peer.closed_by_server());
  // The connection stays, and what follows the body is a frame again.
  Bytes good;
  ++at.sequence;
  encode_request({8, PutRequest{at, {}, as_bytes("/state/shared/b"), 1, as_bytes("v"), {}}}, good);
  peer.send_plain(good);
  trial.run_for(milliseconds(100));
  ASSERT_EQ(responses_in(peer).size(), 2u);
  EXPECT_EQ(responses_in(peer)[1].id, 8u);
  EXPECT_EQ(responses_in(peer)[1].status, static_cast<std::uint16_t>(Status::ok));
  const auto records = trial.records(AuditKind::mutation);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].status, Status::value_too_large);
  EXPECT_EQ(records[0].value_size, declared);
  EXPECT_EQ(records[0].key, root + "a");
}

TEST(Oversize, AFrameOverItsLimitIsMalformedAndClosesTheConnection) {
  Trial trial;
  RawPeer& peer = trial.add_raw(true);
  peer.send_plain(hello_frame());
  Bytes header;
  encode_frame_header({0, static_cast<std::uint8_t>(Op::put), 0, 0, 9}, header);
  store_le<std::uint32_t>(header.data(), limits::frame_body_size_max + 1);
  peer.send_plain(header);
  trial.run_for(seconds(1));
  ASSERT_EQ(responses_in(peer).size(), 1u);
  EXPECT_EQ(responses_in(peer)[0].id, 9u);
  EXPECT_EQ(responses_in(peer)[0].status, static_cast<std::uint16_t>(Status::malformed));
  EXPECT_TRUE(peer.closed_by_server());
  EXPECT_EQ(trial.records(AuditKind::refusals).size(), 1u);
}

TEST(Unenrolled, GetsNoByteAfterItsMessage3) {
  Trial trial;
  for (int i = 0; i < 3; ++i) (void)trial.world.add_node();  // nodes 2 to 4 are enrolled; 5 is not
  RawPeer& stranger = trial.add_raw(true);
  Bytes frame = hello_frame();
  encode_request({1, PutRequest{{}, {}, as_bytes("/state/shared/a"), 1, as_bytes("v"), {}}}, frame);
  stranger.send_plain(frame);
  trial.run_for(seconds(5));
  EXPECT_TRUE(stranger.established()) << "it sent its message 3";
  EXPECT_EQ(stranger.stream_received_size(), handshake_answer_size);
  EXPECT_TRUE(stranger.closed_by_server());
  EXPECT_EQ(trial.server.server().counters().not_enrolled, 1u);
  EXPECT_EQ(trial.server.server().counters().requests, 0u);
  EXPECT_TRUE(trial.records(AuditKind::mutation).empty());
  const auto failures = trial.records(AuditKind::handshakes);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].op, static_cast<std::uint8_t>(HandshakeFailure::not_enrolled));
  EXPECT_EQ(failures[0].count, 1u);
}

TEST(Unenrolled, IsToldToTheCallerOfARealClient) {
  Trial trial;
  for (int i = 0; i < 3; ++i) (void)trial.world.add_node();
  WorldDriver stranger(trial.world, 0);
  const Completion answer = stranger.call(PutRequest{{}, {}, as_bytes("/state/shared/a"), 1, as_bytes("v"), {}});
  EXPECT_EQ(answer.result, CallResult::timed_out);
  EXPECT_EQ(stranger.client().client().last_disconnect(), Disconnect::not_admitted);
  EXPECT_TRUE(trial.records(AuditKind::mutation).empty());
}

TEST(Unauthenticated, GetsNoByteAtAll) {
  Trial trial;
  // Requests in the clear, a handshake message of zeros, and a handshake for a server of another key.
  Bytes zeros{0, 48};
  zeros.resize(50);
  RawPeer& clear = trial.add_raw(false);
  RawPeer& zero = trial.add_raw(false);
  Bytes frame = hello_frame();
  encode_request({1, PutRequest{{}, {}, as_bytes("/state/shared/a"), 1, as_bytes("v"), {}}}, frame);
  clear.send_stream(frame);
  zero.send_stream(zeros);
  trial.raw.push_back(std::make_unique<RawPeer>(trial.world.add_node(), 0, std::optional(trial.world.public_key_of(1))));
  trial.run_for(seconds(60));
  for (const auto& peer : trial.raw) {
    EXPECT_EQ(peer->stream_received_size(), 0u);
    EXPECT_TRUE(peer->closed_by_server());
  }
  EXPECT_EQ(trial.server.server().counters().requests, 0u);
  EXPECT_EQ(trial.server.server().connection_count(), 0u);
  EXPECT_TRUE(trial.records(AuditKind::mutation).empty());
  std::uint64_t recorded = 0;
  for (const AuditRecord& record : trial.records(AuditKind::handshakes)) recorded += record.count;
  EXPECT_EQ(recorded, 3u);
}

TEST(Unauthenticated, CannotHoldAConnectionPastTheHandshakeDeadline) {
  Trial trial;
  RawPeer& silent = trial.add_raw(false);
  trial.run_for(seconds(9));
  EXPECT_FALSE(silent.closed_by_server());
  EXPECT_EQ(trial.server.server().connection_count(), 1u);
  trial.run_for(seconds(2));
  EXPECT_TRUE(silent.closed_by_server());
  EXPECT_EQ(silent.stream_received_size(), 0u);
  EXPECT_EQ(trial.server.server().connection_count(), 0u);
}

TEST(Damaged, EndsTheConnectionExecutesNothingAndIsRecordedOnce) {
  Trial trial;
  RawPeer& peer = trial.add_raw(true);
  peer.send_plain(hello_frame());
  trial.run_for(milliseconds(100));
  ASSERT_TRUE(peer.established());
  Bytes frame;
  encode_request({1, PutRequest{{}, {}, as_bytes("/state/shared/a"), 1, as_bytes("v"), {}}}, frame);
  peer.damage_next();
  peer.send_plain(frame);
  trial.run_for(milliseconds(100));
  EXPECT_TRUE(peer.closed_by_server());
  EXPECT_TRUE(responses_in(peer).empty());
  EXPECT_TRUE(trial.records(AuditKind::mutation).empty());
  ASSERT_EQ(trial.records(AuditKind::damaged).size(), 1u);
  EXPECT_EQ(trial.records(AuditKind::damaged)[0].peer.key, trial.world.public_key_of(2));
}

// Anything at all, before and after authentication, by peers that come again and again; meanwhile others are served.
TEST(Hostile, BytesNeverKeepTheServerFromTheOthers) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Trial trial(seed);
    RandomStream random = trial.world.random().stream("hostile");
    std::uint64_t answered = 0;
    for (int round = 0; round < 12; ++round) {
      RawPeer& peer = trial.add_raw(random.chance({1, 2}));  // the first three are enrolled
      Bytes bytes(static_cast<std::size_t>(random.skewed(100'000)));
      random.fill(bytes);
      const std::uint64_t way = random.below(4);
      if (way == 0) {
        peer.send_stream(bytes);
      } else {
        peer.send_plain(hello_frame());
        if (way == 1) {  // plausible headers before noise
          Bytes header;
          const auto body_size = static_cast<std::uint32_t>(random.skewed(limits::frame_body_size_max));
          const auto op = static_cast<std::uint8_t>(random.below(24));
          encode_frame_header({body_size, op, 0, 0, random.next()}, header);
          peer.send_plain(header);
        }
        if (way == 2) bytes.resize(std::min<std::size_t>(bytes.size(), random.below(64)));
        peer.send_plain(bytes);
      }
      const std::string value = std::to_string(round);
      const Completion put = trial.put(root + "a", value);
      ASSERT_EQ(put.result, CallResult::answered);
      ASSERT_EQ(put.response.status, Status::ok);
      ASSERT_EQ(value_of(trial.get(root + "a")), value);
      ++answered;
      EXPECT_LT(trial.server.server().buffered_size(), 2u << 20);
    }
    EXPECT_EQ(answered, 12u);
    EXPECT_EQ(trial.world.network().connect_count(), 13u) << "the good client was cut off";
    trial.run_for(seconds(60));
    EXPECT_LE(trial.server.server().connection_count(), 1u + 3u) << "only the enrolled may still be there";
    for (const AuditRecord& record : trial.records(AuditKind::mutation)) {
      EXPECT_EQ(record.status == Status::ok, record.peer.key == trial.world.public_key_of(1));
    }
  }
}

}  // namespace
}  // namespace statefs::sim
