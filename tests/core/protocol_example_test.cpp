// The worked example of docs/PROTOCOL.md, section 12: a conversation between the real server and a channel driven by hand,
// rendered as text and compared with what stands in the document.
// To write it anew, from the root of the repository: STATEFS_WRITE_EXAMPLE=1 core_tests --gtest_filter='ProtocolExample.*'
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "core/channel.h"
#include "core/limits.h"
#include "core/memory_store.h"
#include "core/server.h"
#include "tests/core/hex.h"
#include "tests/core/wire_samples.h"

namespace statefs {
namespace {

constexpr const char* document = "docs/PROTOCOL.md";
constexpr std::string_view begin_mark = "<!-- example begins -->\n";
constexpr std::string_view end_mark = "<!-- example ends -->\n";
constexpr Now now{{1'000'000'000}, 1'700'000'000'000'000'000};

Policy policy_for(const PublicKey& peer) {
  PolicySource source;
  source.peers.push_back({peer, "example"});
  auto policy = Policy::create(source);
  EXPECT_TRUE(policy.ok());
  return std::move(policy).value();
}

MemoryStoreConfig store_config(const PublicKey& node) {
  MemoryStoreConfig config;
  config.id = counted<16>(0xe0);
  config.epoch = 5;
  config.node = node;
  return config;
}

// A frame as a header and rows of its body.
void append_frame(ByteView frame, std::string& out) {
  out += "    " + to_hex(frame.first(limits::frame_header_size)) + "\n";
  for (std::size_t at = limits::frame_header_size; at < frame.size(); at += 32) {
    out += "    " + to_hex(frame.subspan(at, std::min<std::size_t>(32, frame.size() - at))) + "\n";
  }
}

void append_wire(ByteView wire, std::string& out) {
  out += "  on the stream, " + std::to_string(wire.size()) + " bytes\n";
  for (std::size_t at = 0; at < wire.size(); at += 40) {
    out += "    " + to_hex(wire.subspan(at, std::min<std::size_t>(40, wire.size() - at))) + "\n";
  }
}

class Conversation {
 public:
  Conversation() {
    out_ += "client static, secret     " + to_hex(client_secret_) + "\n";
    out_ += "client static, public     " + to_hex(client_key_->public_key().bytes) + "\n";
    out_ += "client ephemeral, secret  " + to_hex(client_ephemeral_) + "\n";
    out_ += "server static, secret     " + to_hex(server_secret_) + "\n";
    out_ += "server static, public     " + to_hex(server_key_->public_key().bytes) + "\n";
    out_ += "server ephemeral, secret  " + to_hex(server_ephemeral_) + "\n\n";
    const auto accepted = server_.accept(SecretKey(server_ephemeral_), now);
    EXPECT_TRUE(accepted.ok());
    connection_ = accepted.value();
  }

  void shake_hands() {
    const Bytes first = channel_.take_handshake_output();
    out_ += "> message 1\n";
    append_wire(first, out_);
    const Bytes second = deliver(first);
    out_ += "< message 2\n";
    append_wire(second, out_);
    ByteView rest(second);
    Bytes none;
    EXPECT_EQ(channel_.receive(rest, none), ChannelEvent::established);
    const Bytes third = channel_.take_handshake_output();
    out_ += "> message 3\n";
    append_wire(third, out_);
    EXPECT_TRUE(deliver(third).empty());
    out_ += "  handshake hash " + to_hex(channel_.handshake_hash()) + "\n\n";
  }

  // One request in a record of its own, and its answer.
  void ask(const std::string& what, const RequestBody& body, const std::string& answer, Status expected) {
    id_ += 1;
    const Bytes frame = encoded(Request{id_, body});
    Bytes wire;
    ASSERT_TRUE(channel_.seal(frame, wire));
    out_ += "> " + what + "\n  plaintext, " + std::to_string(frame.size()) + " bytes: header, body\n";
    append_frame(frame, out_);
    append_wire(wire, out_);

    const Bytes reply = deliver(wire);
    ByteView rest(reply);
    Bytes plaintext;
    ASSERT_EQ(channel_.receive(rest, plaintext), ChannelEvent::plaintext);
    ASSERT_TRUE(rest.empty());
    const FrameHeader header = load_frame_header(plaintext);
    ASSERT_EQ(header.id, id_);
    ASSERT_EQ(header.status, static_cast<std::uint16_t>(expected));
    ASSERT_EQ(header.body_size + limits::frame_header_size, plaintext.size());
    out_ += "< " + answer + "\n  plaintext, " + std::to_string(plaintext.size()) + " bytes: header, body\n";
    append_frame(plaintext, out_);
    append_wire(reply, out_);
    out_ += "\n";
  }

  void keep_alive() {
    Bytes wire;
    ASSERT_TRUE(channel_.seal_keepalive(wire));
    out_ += "> keepalive: empty plaintext\n";
    append_wire(wire, out_);
    EXPECT_TRUE(deliver(wire).empty());
  }

  [[nodiscard]] const std::string& text() const { return out_; }

 private:
  Bytes deliver(ByteView bytes) {
    server_.receive(connection_, bytes, now);
    server_.advance(now);
    const ByteView output = server_.output(connection_);
    Bytes out(output.begin(), output.end());
    server_.output_taken(connection_, out.size(), now);
    return out;
  }

  const std::array<std::uint8_t, 32> client_secret_ = counted<32>(0x01);
  const std::array<std::uint8_t, 32> client_ephemeral_ = counted<32>(0x41);
  const std::array<std::uint8_t, 32> server_secret_ = counted<32>(0x81);
  const std::array<std::uint8_t, 32> server_ephemeral_ = counted<32>(0xc1);
  std::unique_ptr<Suite> suite_ = make_crypto_suite();
  std::shared_ptr<const DhKey> client_key_ = suite_->import(SecretKey(client_secret_));
  std::shared_ptr<const DhKey> server_key_ = suite_->import(SecretKey(server_secret_));
  MemoryStore store_{store_config(server_key_->public_key()), now};
  Server server_{*suite_, {server_key_, SecretKey(counted<32>(0x21))}, policy_for(client_key_->public_key()), store_, ServerLimits{}};
  Channel channel_ = Channel::initiator(*suite_, client_key_, server_key_->public_key(), SecretKey(client_ephemeral_));
  ConnectionId connection_ = 0;
  std::uint64_t id_ = 0;
  std::string out_;
};

// On slot 0 of the session that the conversation opens: the third record of the store, so index 5 * 2^40 + 2.
PutRequest put_of(std::string_view key, std::string_view value, std::uint64_t sequence) {
  PutRequest put;
  put.at = {(std::uint64_t{5} << 40) + 2, sequence, 1, 0};
  put.key = as_bytes(key);
  put.value = as_bytes(value);
  return put;
}

std::string example() {
  Conversation conversation;
  HelloRequest hello;
  hello.version = 1;
  GetRequest get;
  get.length = limits::value_size_max;
  get.key = as_bytes("/state/shared/lamp");
  conversation.shake_hands();
  conversation.ask("HELLO, version 1, nothing known of the store", hello, "HELLO OK: epoch 5", Status::ok);
  conversation.ask("OPEN, instance 30 31 .. 3f, generation 1", OpenRequest{counted<16>(0x30), 1},
                   "OPEN OK: the session's number and its empty slots", Status::ok);
  conversation.ask("PUT /state/shared/lamp = on, slot 0, sequence 1", put_of("/state/shared/lamp", "on", 1), "PUT OK", Status::ok);
  conversation.ask("GET /state/shared/lamp, at most 65,536 bytes", get, "GET OK: on", Status::ok);
  conversation.ask("LIST /state/shared/", ListRequest{0, as_bytes("/state/shared/"), {}}, "LIST OK: one entry, no more", Status::ok);
  conversation.ask("the same PUT again, with a new id", put_of("/state/shared/lamp", "on", 1), "PUT OK, flag REPLAYED: it ran once",
                   Status::ok);
  conversation.ask("PUT /state/keystore/root = x, sequence 2", put_of("/state/keystore/root", "x", 2),
                   "PUT ACCESS_DENIED: its index names the audit record", Status::access_denied);
  conversation.ask("SYNC of epoch 5", SyncRequest{5}, "SYNC OK", Status::ok);
  conversation.keep_alive();
  return conversation.text();
}

TEST(ProtocolExample, StandsInTheDocument) {
  const std::string block = "```\n" + example() + "```\n";
  std::ifstream in(document, std::ios::binary);
  ASSERT_TRUE(in) << document;
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::size_t begin = text.find(begin_mark);
  const std::size_t end = text.find(end_mark);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t block_at = begin + begin_mark.size();
  ASSERT_LE(block_at, end);
  if (std::getenv("STATEFS_WRITE_EXAMPLE") != nullptr) {
    text.replace(block_at, end - block_at, block);
    std::ofstream(document, std::ios::binary) << text;
    return;
  }
  EXPECT_EQ(text.substr(block_at, end - block_at), block);
}

// What a stranger reads off the numbers of the document holds for the numbers of the code.
TEST(ProtocolDocument, NamesEveryStatusWithItsNumber) {
  std::ifstream in(document, std::ios::binary);
  ASSERT_TRUE(in) << document;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  for (const Status status : all_statuses()) {
    const std::string row = "\n| " + std::to_string(static_cast<int>(status)) + " | " + std::string(name_of(status)) + " |";
    EXPECT_NE(text.find(row), std::string::npos) << row;
  }
}

}  // namespace
}  // namespace statefs
