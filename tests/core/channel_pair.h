// CHANNEL PAIR: a client and a server channel face to face, for tests, which carry the bytes between them.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

#include "core/channel.h"

namespace statefs {

inline constexpr std::size_t message1_size = 2 + 48;
inline constexpr std::size_t message2_size = 2 + 48;
inline constexpr std::size_t message3_size = 2 + 64;

inline SecretKey test_secret(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(seed + 31 * i);
  return SecretKey(bytes);
}

// Gives the channel all of `wire` and returns the last event; plaintext is appended to `out`.
inline ChannelEvent feed(Channel& channel, ByteView wire, Bytes& out) {
  ChannelEvent event = ChannelEvent::need_more;
  while (!wire.empty()) event = channel.receive(wire, out);
  return event;
}

struct Pair {
  explicit Pair(std::uint8_t seed = 1, std::uint64_t records_max = limits::channel_records_max)
      : suite(make_crypto_suite()),
        client_key(suite->import(test_secret(101))),
        server_key(suite->import(test_secret(102))),
        client(Channel::initiator(*suite, client_key, server_key->public_key(), test_secret(seed), records_max)),
        server(Channel::responder(*suite, server_key, test_secret(static_cast<std::uint8_t>(seed + 100)),
                                  records_max)) {}

  void shake_hands() {
    Bytes none;
    message1 = client.take_handshake_output();
    ASSERT_EQ(feed(server, message1, none), ChannelEvent::handshake_step);
    message2 = server.take_handshake_output();
    ASSERT_EQ(feed(client, message2, none), ChannelEvent::established);
    message3 = client.take_handshake_output();
    ASSERT_EQ(feed(server, message3, none), ChannelEvent::established);
    ASSERT_TRUE(none.empty());
    ASSERT_TRUE(server.take_handshake_output().empty());
  }

  std::unique_ptr<Suite> suite;
  std::shared_ptr<const DhKey> client_key;
  std::shared_ptr<const DhKey> server_key;
  Channel client;
  Channel server;
  Bytes message1;
  Bytes message2;
  Bytes message3;
};

inline Bytes sealed(Channel& channel, std::string_view text) {
  Bytes wire;
  EXPECT_TRUE(channel.seal(as_bytes(text), wire));
  return wire;
}

inline Bytes joined(std::initializer_list<ByteView> parts) {
  Bytes out;
  for (const ByteView part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// Dead is dead: whatever comes, the same event, no plaintext, nothing sealed, nothing held.
inline void expect_dead(Channel& channel, ChannelEvent cause) {
  EXPECT_TRUE(channel.dead());
  Bytes plaintext;
  Bytes wire(100);
  ByteView rest = wire;
  EXPECT_EQ(channel.receive(rest, plaintext), cause);
  EXPECT_TRUE(rest.empty());
  EXPECT_TRUE(plaintext.empty());
  EXPECT_TRUE(channel.take_handshake_output().empty());
  EXPECT_EQ(channel.buffered_size(), 0u);
  EXPECT_FALSE(channel.mid_message());
  if (channel.established()) {
    Bytes out;
    EXPECT_FALSE(channel.seal(as_bytes("x"), out));
    EXPECT_FALSE(channel.seal_keepalive(out));
    EXPECT_TRUE(out.empty());
  }
}

// One conversation, delivered to each side in every pair of pieces, and byte by byte.
struct Conversation {
  Conversation() {
    pair.shake_hands();
    Bytes late;
    EXPECT_TRUE(pair.client.seal(as_bytes("first"), late));
    EXPECT_TRUE(pair.client.seal_keepalive(late));
    EXPECT_TRUE(pair.client.seal(as_bytes("second, a little longer"), late));
    to_server = joined({pair.message1, pair.message3, late});
    Bytes answers = pair.message2;
    EXPECT_TRUE(pair.server.seal_keepalive(answers));
    EXPECT_TRUE(pair.server.seal(as_bytes("answer"), answers));
    to_client = answers;
  }
  Pair pair;
  Bytes to_server;
  Bytes to_client;
};

inline std::vector<ChannelEvent> events_of(Channel& channel, ByteView wire, Bytes& plaintext) {
  std::vector<ChannelEvent> events;
  while (!wire.empty()) {
    const ChannelEvent event = channel.receive(wire, plaintext);
    if (event != ChannelEvent::need_more) events.push_back(event);
  }
  return events;
}

}  // namespace statefs
