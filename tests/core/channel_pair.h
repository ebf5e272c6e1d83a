// CHANNEL PAIR: a client and a server channel face to face, for tests, which carry the bytes between them.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "core/channel.h"

namespace statefs {

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

}  // namespace statefs
