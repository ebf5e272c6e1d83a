#include "core/channel.h"

#include <gtest/gtest.h>

#include "core/noise.h"
#include "tests/core/channel_pair.h"

namespace statefs {
namespace {

// One side's fresh ephemeral is enough, as a replayed first message meets a server with a new one.
TEST(ChannelAttack, OneFreshEphemeralGivesOtherKeys) {
  Pair pair;
  Channel again = Channel::responder(*pair.suite, pair.server_key, test_secret(77));
  pair.shake_hands();
  Bytes none;
  ASSERT_EQ(feed(again, pair.message1, none), ChannelEvent::handshake_step);
  EXPECT_NE(again.take_handshake_output(), pair.message2);
  EXPECT_EQ(feed(again, pair.message3, none), ChannelEvent::handshake_failed);
  EXPECT_FALSE(again.established());
}

// Every single-byte change of `wire` (three patterns a byte) must kill the channel, and with `cause` where it was the
// body that changed; a changed length may also leave the channel waiting, but never lets plaintext through.
template <typename Make>
void expect_every_flip_refused(const Make& make, const Bytes& wire, ChannelEvent cause) {
  std::size_t refused = 0;
  for (std::size_t i = 0; i < wire.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      Channel channel = make();
      Bytes bad = wire;
      bad[i] = static_cast<std::uint8_t>(bad[i] ^ flip);
      Bytes plaintext;
      const ChannelEvent event = feed(channel, bad, plaintext);
      ASSERT_TRUE(plaintext.empty()) << "byte " << i;
      if (i < 2 && event == ChannelEvent::need_more) {
        // The length grew: what follows completes it, and it is damage then.
        const Bytes filler(65'537 - bad.size());
        ASSERT_EQ(feed(channel, filler, plaintext), cause) << "byte " << i;
        ASSERT_TRUE(plaintext.empty());
      } else {
        ASSERT_EQ(event, cause) << "byte " << i;
      }
      expect_dead(channel, cause);
      ++refused;
    }
  }
  EXPECT_EQ(refused, 3 * wire.size());
}

TEST(ChannelAttack, RefusesEveryChangedByteOfMessage1) {
  Pair pair;
  pair.shake_hands();
  expect_every_flip_refused([&] { return Channel::responder(*pair.suite, pair.server_key, test_secret(101)); },
                            pair.message1, ChannelEvent::handshake_failed);
}

TEST(ChannelAttack, RefusesEveryChangedByteOfMessage2) {
  Pair pair;
  pair.shake_hands();
  const auto make = [&] {
    return Channel::initiator(*pair.suite, pair.client_key, pair.server_key->public_key(), test_secret(1));
  };
  expect_every_flip_refused(make, pair.message2, ChannelEvent::handshake_failed);
}

TEST(ChannelAttack, RefusesEveryChangedByteOfMessage3) {
  Pair pair;
  pair.shake_hands();
  const auto make = [&] {
    Channel server = Channel::responder(*pair.suite, pair.server_key, test_secret(101));
    Bytes none;
    EXPECT_EQ(feed(server, pair.message1, none), ChannelEvent::handshake_step);
    (void)server.take_handshake_output();
    return server;
  };
  expect_every_flip_refused(make, pair.message3, ChannelEvent::handshake_failed);
}

TEST(ChannelAttack, RefusesEveryChangedByteOfARecord) {
  Pair pair;
  pair.shake_hands();
  const Bytes record = sealed(pair.client, "a transport record");
  const auto make = [&] {
    Channel server = Channel::responder(*pair.suite, pair.server_key, test_secret(101));
    Bytes none;
    EXPECT_EQ(feed(server, joined({pair.message1, pair.message3}), none), ChannelEvent::established);
    (void)server.take_handshake_output();
    return server;
  };
  expect_every_flip_refused(make, record, ChannelEvent::damaged);
}

// Each handshake message has one legal size. The length alone decides, before a byte of the body.
TEST(ChannelAttack, RefusesEveryOtherHandshakeLengthBeforeItsBody) {
  Pair pair;
  pair.shake_hands();
  std::size_t refused = 0;
  for (std::size_t size = 0; size <= 0xffff; size += size < 200 ? 1 : 997) {
    const Bytes prefix = {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
    Channel client =
        Channel::initiator(*pair.suite, pair.client_key, pair.server_key->public_key(), test_secret(1));
    Channel server = Channel::responder(*pair.suite, pair.server_key, test_secret(101));
    Bytes none;
    const ChannelEvent due = ChannelEvent::need_more;
    EXPECT_EQ(feed(server, prefix, none), size == 48 ? due : ChannelEvent::handshake_failed) << size;
    EXPECT_EQ(feed(client, prefix, none), size == 48 ? due : ChannelEvent::handshake_failed) << size;
    if (size > 100) continue;  // the third message costs two agreements to get to
    Channel halfway = Channel::responder(*pair.suite, pair.server_key, test_secret(101));
    EXPECT_EQ(feed(halfway, pair.message1, none), ChannelEvent::handshake_step);
    EXPECT_EQ(feed(halfway, prefix, none), size == 64 ? due : ChannelEvent::handshake_failed) << size;
    ++refused;
  }
  EXPECT_EQ(refused, 101u);
}

TEST(ChannelAttack, RefusesARecordShorterThanItsTagBeforeItsBody) {
  for (std::uint8_t size = 0; size < 18; ++size) {
    Pair pair;
    pair.shake_hands();
    Bytes plaintext;
    const Bytes prefix = {0, size};
    EXPECT_EQ(feed(pair.server, prefix, plaintext), size < 16 ? ChannelEvent::damaged : ChannelEvent::need_more);
    EXPECT_EQ(pair.server.dead(), size < 16);
  }
}

TEST(ChannelAttack, TruncationIsOnlyAMessageNotYetWhole) {
  Pair pair;
  pair.shake_hands();
  const Bytes record = sealed(pair.client, "cut");
  Bytes plaintext;
  EXPECT_EQ(feed(pair.server, ByteView(record).first(record.size() - 1), plaintext), ChannelEvent::need_more);
  EXPECT_TRUE(pair.server.mid_message());
  EXPECT_TRUE(plaintext.empty());
  // Bytes of the next record in place of the last one: damage.
  EXPECT_EQ(feed(pair.server, sealed(pair.client, "next"), plaintext), ChannelEvent::damaged);
  EXPECT_TRUE(plaintext.empty());
  expect_dead(pair.server, ChannelEvent::damaged);
}

TEST(ChannelAttack, RefusesARepeatedRecord) {
  Pair pair;
  pair.shake_hands();
  const Bytes record = sealed(pair.client, "once");
  Bytes plaintext;
  EXPECT_EQ(feed(pair.server, record, plaintext), ChannelEvent::plaintext);
  EXPECT_EQ(feed(pair.server, record, plaintext), ChannelEvent::damaged);
  EXPECT_EQ(as_text(plaintext), "once");
  expect_dead(pair.server, ChannelEvent::damaged);
}

TEST(ChannelAttack, RefusesRecordsLeftOutOrSwapped) {
  for (const bool swapped : {false, true}) {
    Pair pair;
    pair.shake_hands();
    const Bytes first = sealed(pair.client, "first");
    const Bytes second = sealed(pair.client, "second");
    Bytes plaintext;
    EXPECT_EQ(feed(pair.server, swapped ? joined({second, first}) : second, plaintext), ChannelEvent::damaged);
    EXPECT_TRUE(plaintext.empty());
    expect_dead(pair.server, ChannelEvent::damaged);
  }
}

TEST(ChannelAttack, RefusesARecordReflectedToItsSender) {
  Pair pair;
  pair.shake_hands();
  Bytes plaintext;
  EXPECT_EQ(feed(pair.client, sealed(pair.client, "mirror"), plaintext), ChannelEvent::damaged);
  EXPECT_TRUE(plaintext.empty());
}

TEST(ChannelAttack, RefusesAConversationReplayedOnANewConnection) {
  Conversation talk;
  Channel fresh = Channel::responder(*talk.pair.suite, talk.pair.server_key, test_secret(55));
  Bytes plaintext;
  EXPECT_EQ(feed(fresh, talk.to_server, plaintext), ChannelEvent::handshake_failed);
  EXPECT_TRUE(plaintext.empty());
  EXPECT_FALSE(fresh.established());
  expect_dead(fresh, ChannelEvent::handshake_failed);
}

// A record of one connection, put into another of the same two peers at the same place.
TEST(ChannelAttack, RefusesTheSpliceOfTwoConnections) {
  Pair first(1);
  Pair second(2);
  first.shake_hands();
  second.shake_hands();
  const Bytes question = sealed(first.client, "splice");
  const Bytes answer = sealed(second.server, "splice");
  Bytes plaintext;
  EXPECT_EQ(feed(second.server, question, plaintext), ChannelEvent::damaged);
  EXPECT_EQ(feed(first.client, answer, plaintext), ChannelEvent::damaged);
  EXPECT_TRUE(plaintext.empty());
}

// And in the handshake: the last message of one connection, on another where the first two were its own.
TEST(ChannelAttack, RefusesTheSpliceOfTwoHandshakes) {
  Pair first(1);
  Pair second(2);
  first.shake_hands();
  second.shake_hands();
  Channel server = Channel::responder(*first.suite, first.server_key, test_secret(101));
  Bytes none;
  ASSERT_EQ(feed(server, first.message1, none), ChannelEvent::handshake_step);
  EXPECT_EQ(feed(server, second.message3, none), ChannelEvent::handshake_failed);
  expect_dead(server, ChannelEvent::handshake_failed);
}

TEST(ChannelAttack, RefusesTheWrongServerKey) {
  Pair pair;
  const auto other = pair.suite->import(test_secret(60));
  Channel client = Channel::initiator(*pair.suite, pair.client_key, other->public_key(), test_secret(1));
  Bytes none;
  EXPECT_EQ(feed(pair.server, client.take_handshake_output(), none), ChannelEvent::handshake_failed);
  EXPECT_TRUE(pair.server.take_handshake_output().empty()) << "no byte in answer";
  expect_dead(pair.server, ChannelEvent::handshake_failed);
}

// A server that holds another key cannot answer for the one that the client asked for.
TEST(ChannelAttack, RefusesAServerWithoutThePrivateKey) {
  Pair pair;
  Channel impostor = Channel::responder(*pair.suite, pair.suite->import(test_secret(60)), test_secret(101));
  Bytes none;
  EXPECT_EQ(feed(impostor, pair.client.take_handshake_output(), none), ChannelEvent::handshake_failed);
  Bytes guess(message2_size, 0x42);
  store_be16(guess.data(), 48);
  EXPECT_EQ(feed(pair.client, guess, none), ChannelEvent::handshake_failed);
  EXPECT_TRUE(pair.client.take_handshake_output().empty()) << "no byte of the client's identity";
  expect_dead(pair.client, ChannelEvent::handshake_failed);
}

// A low-order ephemeral makes a secret of zeros, which anybody knows: so the whole message can be forged, tag included,
// by one who has the server's public key. Only the refusal of the agreement itself stops it.
TEST(ChannelAttack, RefusesAForgedFirstMessageWithALowOrderEphemeral) {
  for (const int low : {0, 1}) {
    Pair pair;
    PublicKey ephemeral;
    ephemeral.bytes[0] = static_cast<std::uint8_t>(low);
    noise::SymmetricState forger(*pair.suite, as_bytes("Noise_XK_25519_ChaChaPoly_BLAKE2s"));
    forger.mix_hash(as_bytes("dsoftbus/remote-statefs/1"));
    forger.mix_hash(pair.server_key->public_key().bytes);
    Bytes message = joined({Bytes{0, 48}, ephemeral.bytes});
    forger.mix_hash(ephemeral.bytes);
    forger.mix_key(SecretKey());
    forger.encrypt_and_hash({}, message);
    ASSERT_EQ(message.size(), message1_size);
    Bytes none;
    EXPECT_EQ(feed(pair.server, message, none), ChannelEvent::handshake_failed);
    expect_dead(pair.server, ChannelEvent::handshake_failed);
  }
}

TEST(ChannelAttack, IsDeadFromTheStartForALowOrderServerKey) {
  Pair pair;
  Channel client = Channel::initiator(*pair.suite, pair.client_key, PublicKey{}, test_secret(1));
  expect_dead(client, ChannelEvent::handshake_failed);
}

}  // namespace
}  // namespace statefs
