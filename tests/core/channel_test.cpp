#include "core/channel.h"

#include <gtest/gtest.h>

#include "tests/core/channel_pair.h"

namespace statefs {
namespace {

TEST(Channel, CarriesPlaintextBothWays) {
  Pair pair;
  pair.shake_hands();
  Bytes got;
  const Bytes question = sealed(pair.client, "question");
  EXPECT_EQ(question.size(), 2 + 8 + 16);
  EXPECT_EQ(feed(pair.server, question, got), ChannelEvent::plaintext);
  EXPECT_EQ(feed(pair.client, sealed(pair.server, " and answer"), got), ChannelEvent::plaintext);
  EXPECT_EQ(as_text(got), "question and answer");
}

TEST(Channel, BothSidesKnowEachOtherAndOneHash) {
  Pair pair;
  EXPECT_FALSE(pair.client.established());
  pair.shake_hands();
  EXPECT_EQ(pair.client.peer(), pair.server_key->public_key());
  EXPECT_EQ(pair.server.peer(), pair.client_key->public_key());
  EXPECT_EQ(pair.client.handshake_hash(), pair.server.handshake_hash());
  EXPECT_EQ(pair.message1.size(), message1_size);
  EXPECT_EQ(pair.message2.size(), message2_size);
  EXPECT_EQ(pair.message3.size(), message3_size);
}

TEST(Channel, FreshEphemeralsGiveOtherBytesThroughout) {
  Pair first(1);
  Pair second(2);
  first.shake_hands();
  second.shake_hands();
  EXPECT_NE(first.message1, second.message1);
  EXPECT_NE(first.message2, second.message2);
  EXPECT_NE(first.message3, second.message3);
  EXPECT_NE(first.client.handshake_hash(), second.client.handshake_hash());
  EXPECT_NE(sealed(first.client, "same"), sealed(second.client, "same"));
  EXPECT_NE(sealed(first.server, "same"), sealed(second.server, "same"));
}

template <typename Make>
void expect_same_for_every_split(const Make& make, const Bytes& wire, const std::vector<ChannelEvent>& events,
                                 std::string_view text) {
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    Channel channel = make();
    Bytes plaintext;
    std::vector<ChannelEvent> seen = events_of(channel, ByteView(wire).first(cut), plaintext);
    for (const ChannelEvent event : events_of(channel, ByteView(wire).subspan(cut), plaintext)) seen.push_back(event);
    ASSERT_EQ(seen, events) << "cut at " << cut;
    ASSERT_EQ(as_text(plaintext), text) << "cut at " << cut;
    ASSERT_FALSE(channel.mid_message());
  }
  Channel channel = make();
  Bytes plaintext;
  std::vector<ChannelEvent> seen;
  for (std::size_t i = 0; i < wire.size(); ++i) {
    for (const ChannelEvent event : events_of(channel, ByteView(wire).subspan(i, 1), plaintext)) seen.push_back(event);
  }
  EXPECT_EQ(seen, events);
  EXPECT_EQ(as_text(plaintext), text);
}

TEST(Channel, EverySplitGivesTheServerTheSamePlaintext) {
  Conversation talk;
  const auto make = [&] { return Channel::responder(*talk.pair.suite, talk.pair.server_key, test_secret(101)); };
  expect_same_for_every_split(make, talk.to_server,
                              {ChannelEvent::handshake_step, ChannelEvent::established, ChannelEvent::plaintext,
                               ChannelEvent::keepalive, ChannelEvent::plaintext},
                              "firstsecond, a little longer");
}

TEST(Channel, EverySplitGivesTheClientTheSamePlaintext) {
  Conversation talk;
  const auto make = [&] {
    return Channel::initiator(*talk.pair.suite, talk.pair.client_key, talk.pair.server_key->public_key(),
                              test_secret(1));
  };
  expect_same_for_every_split(make, talk.to_client,
                              {ChannelEvent::established, ChannelEvent::keepalive, ChannelEvent::plaintext}, "answer");
}

TEST(Channel, EndsWithItsLastNonce) {
  Pair pair(1, 3);
  Pair longer(1, 4);  // the same keys with one record more
  pair.shake_hands();
  longer.shake_hands();
  Bytes plaintext;
  Bytes wire;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(i == 1 ? pair.client.seal_keepalive(wire) : pair.client.seal(as_bytes("x"), wire));
    ASSERT_TRUE(i == 1 ? longer.client.seal_keepalive(plaintext) : longer.client.seal(as_bytes("x"), plaintext));
  }
  const Bytes before = wire;
  EXPECT_FALSE(pair.client.seal(as_bytes("x"), wire));
  EXPECT_FALSE(pair.client.seal_keepalive(wire));
  EXPECT_EQ(wire, before);
  EXPECT_TRUE(pair.client.seal({}, wire)) << "nothing to say needs no nonce";
  plaintext.clear();
  EXPECT_EQ(feed(pair.server, wire, plaintext), ChannelEvent::plaintext);
  EXPECT_FALSE(pair.server.dead());
  EXPECT_EQ(feed(pair.server, sealed(longer.client, "y"), plaintext), ChannelEvent::exhausted);
  EXPECT_EQ(as_text(plaintext), "xx");
  expect_dead(pair.server, ChannelEvent::exhausted);
}

TEST(Channel, SealsNothingWhereTheNoncesDoNotSufficeForAll) {
  Pair pair(1, 2);
  pair.shake_hands();
  Bytes wire;
  EXPECT_FALSE(pair.client.seal(Bytes(2 * limits::record_plaintext_size_max + 1), wire));
  EXPECT_TRUE(wire.empty());
  EXPECT_TRUE(pair.client.seal(Bytes(2 * limits::record_plaintext_size_max), wire));
}

TEST(Channel, SplitsPlaintextIntoAsFewRecordsAsCanBe) {
  constexpr std::size_t most = limits::record_plaintext_size_max;
  for (const std::size_t size : {std::size_t{1}, most - 1, most, most + 1, 2 * most, 2 * most + 1}) {
    Pair pair;
    pair.shake_hands();
    Bytes text(size);
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<std::uint8_t>(i % 251);
    Bytes wire(5, 0xee);  // what is there stays there
    ASSERT_TRUE(pair.client.seal(text, wire));
    const std::size_t records = (size + most - 1) / most;
    EXPECT_EQ(wire.size(), 5 + size + 18 * records);
    EXPECT_EQ(Bytes(wire.begin(), wire.begin() + 5), Bytes(5, 0xee));
    // One step a record, and bytes that were there stay here too.
    Bytes got(3, 0xdd);
    const std::vector<ChannelEvent> events = events_of(pair.server, ByteView(wire).subspan(5), got);
    EXPECT_EQ(events, std::vector<ChannelEvent>(records, ChannelEvent::plaintext));
    ASSERT_EQ(got.size(), 3 + size);
    EXPECT_TRUE(equal(ByteView(got).subspan(3), text));
  }
}

TEST(Channel, KeepaliveIsARecordOfNothing) {
  Pair pair;
  pair.shake_hands();
  Bytes wire;
  ASSERT_TRUE(pair.server.seal_keepalive(wire));
  EXPECT_EQ(wire.size(), 18u);
  Bytes plaintext;
  EXPECT_EQ(feed(pair.client, wire, plaintext), ChannelEvent::keepalive);
  EXPECT_TRUE(plaintext.empty());
}

TEST(Channel, StopsAtEachMessageSoThatItsCallerCanAct) {
  Conversation talk;
  Channel server = Channel::responder(*talk.pair.suite, talk.pair.server_key, test_secret(101));
  ByteView rest = talk.to_server;
  Bytes plaintext;
  EXPECT_EQ(server.receive(rest, plaintext), ChannelEvent::handshake_step);
  EXPECT_EQ(rest.size(), talk.to_server.size() - message1_size);
  EXPECT_EQ(server.receive(rest, plaintext), ChannelEvent::established);
  EXPECT_EQ(rest.size(), talk.to_server.size() - message1_size - message3_size);
  EXPECT_EQ(server.receive(rest, plaintext), ChannelEvent::plaintext);
  EXPECT_EQ(as_text(plaintext), "first");
  ByteView none;
  EXPECT_EQ(server.receive(none, plaintext), ChannelEvent::need_more);
}

// Two bytes that announce 64 KiB must not make the channel take 64 KiB, nor may it ever take more than a message.
TEST(Channel, HoldsNoMoreThanWhatCame) {
  Pair pair;
  pair.shake_hands();
  Bytes text(limits::record_plaintext_size_max);
  Bytes wire;
  ASSERT_TRUE(pair.client.seal(text, wire));
  ASSERT_EQ(wire.size(), 65'537u);
  Bytes plaintext;
  std::size_t given = 0;
  while (given < wire.size()) {
    EXPECT_LE(pair.server.buffered_size(), 2 * given);
    EXPECT_LE(pair.server.buffered_size(), 65'537u);
    const ByteView piece = ByteView(wire).subspan(given, std::min<std::size_t>(777, wire.size() - given));
    given += piece.size();
    const ChannelEvent event = feed(pair.server, piece, plaintext);
    EXPECT_EQ(event, given < wire.size() ? ChannelEvent::need_more : ChannelEvent::plaintext);
  }
  EXPECT_EQ(plaintext, text);
  EXPECT_EQ(pair.server.buffered_size(), 0u) << "an idle channel holds no buffer";
}

// The real suite, but it remembers where the last bytes lay that were opened.
class WatchedSuite final : public Suite {
 public:
  std::shared_ptr<const DhKey> import(const SecretKey& secret) const override { return real_->import(secret); }
  Digest hash(ByteView first, ByteView second) const override { return real_->hash(first, second); }
  Digest hmac(const Digest& key, ByteView first, ByteView second) const override {
    return real_->hmac(key, first, second);
  }
  std::unique_ptr<Aead> aead(const SecretKey& key) const override {
    return std::make_unique<Watched>(real_->aead(key), opened);
  }
  mutable const std::uint8_t* opened = nullptr;

 private:
  class Watched final : public Aead {
   public:
    Watched(std::unique_ptr<Aead> real, const std::uint8_t*& opened_at) : real_(std::move(real)), opened_(opened_at) {}
    void seal(std::uint64_t nonce, ByteView associated, ByteView plaintext, std::uint8_t* out) override {
      real_->seal(nonce, associated, plaintext, out);
    }
    bool open(std::uint64_t nonce, ByteView associated, ByteView sealed, std::uint8_t* out) override {
      opened_ = sealed.data();
      return real_->open(nonce, associated, sealed, out);
    }

   private:
    std::unique_ptr<Aead> real_;
    const std::uint8_t*& opened_;
  };
  std::unique_ptr<Suite> real_ = make_crypto_suite();
};

TEST(Channel, OpensAWholeMessageWhereItLies) {
  Conversation talk;
  const WatchedSuite suite;
  Channel server = Channel::responder(suite, talk.pair.server_key, test_secret(101));
  ByteView rest = talk.to_server;
  Bytes plaintext;
  std::size_t in_place = 0;
  while (!rest.empty()) {
    const std::uint8_t* const body = rest.data() + limits::record_length_size;
    (void)server.receive(rest, plaintext);
    in_place += suite.opened == body ? 1u : 0u;
  }
  EXPECT_EQ(as_text(plaintext), "firstsecond, a little longer");
  // Not the third message: there the sealed key comes first, and its own tag after it.
  EXPECT_EQ(in_place, 3u);
}

}  // namespace
}  // namespace statefs
