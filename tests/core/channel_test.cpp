#include "core/channel.h"

#include <gtest/gtest.h>

#include "tests/core/channel_pair.h"

namespace statefs {
namespace {

TEST(Channel, CarriesPlaintextBothWays) {
  Pair pair;
  pair.shake_hands();
  Bytes wire;
  ASSERT_TRUE(pair.client.seal(as_bytes("question"), wire));
  EXPECT_EQ(wire.size(), 2 + 8 + 16);
  Bytes got;
  EXPECT_EQ(feed(pair.server, wire, got), ChannelEvent::plaintext);
  EXPECT_EQ(as_text(got), "question");
  wire.clear();
  got.clear();
  ASSERT_TRUE(pair.server.seal(as_bytes("answer"), wire));
  EXPECT_EQ(feed(pair.client, wire, got), ChannelEvent::plaintext);
  EXPECT_EQ(as_text(got), "answer");
}

TEST(Channel, BothSidesKnowEachOtherAndOneHash) {
  Pair pair;
  EXPECT_FALSE(pair.client.established());
  pair.shake_hands();
  EXPECT_EQ(pair.client.peer(), pair.server_key->public_key());
  EXPECT_EQ(pair.server.peer(), pair.client_key->public_key());
  EXPECT_EQ(pair.client.handshake_hash(), pair.server.handshake_hash());
}

}  // namespace
}  // namespace statefs
