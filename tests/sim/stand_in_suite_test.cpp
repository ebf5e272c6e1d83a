#include "sim/stand_in_suite.h"

#include <gtest/gtest.h>

#include <set>

#include "core/channel.h"

namespace statefs::sim {
namespace {

SecretKey secret(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(seed + 31 * i);
  return SecretKey(bytes);
}

std::string text_of(ByteView bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

// Every run of every seed stands on these; they are what gcc and clang both compute.
TEST(StandInSuite, GivesTheSameOnEveryCompiler) {
  const auto suite = make_stand_in_suite();
  const auto key = suite->import(secret(1));
  const auto shared = key->agree(suite->import(secret(2))->public_key());
  EXPECT_EQ(text_of(key->public_key().bytes), "c64904528fc2801270c08b755df16842a545e89ee8817d5b881b2185a14b88c5");
  EXPECT_EQ(text_of(shared.value().bytes()), "ae624da3a9f8ba10fdeb7542a31835a3ce513eeac5763e387b1ee3e513be33a5");
  EXPECT_EQ(text_of(suite->hash(as_bytes("abc"), {})), "0b902db0997dd8c4f6831b6f6bf2d0eb5328abed3771d470ae71c010e37cffde");
  EXPECT_EQ(text_of(suite->hmac(Digest{}, as_bytes("abc"), {})), "3b2ad66832a42037974ab9be800f69935dcadfa8467c1e42631e98aad8f91778");
  Bytes sealed(3 + 16);
  suite->aead(secret(1))->seal(7, as_bytes("ad"), as_bytes("abc"), sealed.data());
  EXPECT_EQ(text_of(sealed), "3cc6644bdcd0af2566d2fe5343023e3a78c8e8");
}

TEST(StandInSuite, AgreesOnlyWithTheRightKey) {
  const auto suite = make_stand_in_suite();
  std::set<std::string> secrets;
  for (std::uint8_t i = 0; i < 20; ++i) {
    for (std::uint8_t j = 0; j < i; ++j) {
      const auto a = suite->import(secret(i));
      const auto b = suite->import(secret(j));
      const auto there = a->agree(b->public_key());
      const auto back = b->agree(a->public_key());
      ASSERT_TRUE(equal(there.value().bytes(), back.value().bytes()));
      secrets.insert(text_of(there.value().bytes()));
    }
  }
  EXPECT_EQ(secrets.size(), 190u);
  EXPECT_FALSE(suite->import(secret(1))->agree(PublicKey{}).ok());
}

TEST(StandInSuite, HashesTheConcatenationOfItsParts) {
  const auto suite = make_stand_in_suite();
  Bytes bytes(40);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 3);
  const ByteView all(bytes);
  std::set<Digest> seen;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const Digest whole = suite->hash(all.first(size), {});
    for (std::size_t cut = 0; cut <= size; ++cut) {
      ASSERT_EQ(suite->hash(all.first(cut), all.subspan(cut, size - cut)), whole);
    }
    seen.insert(whole);
  }
  EXPECT_EQ(seen.size(), bytes.size() + 1);
}

TEST(StandInSuite, RefusesEveryChangedBit) {
  const auto suite = make_stand_in_suite();
  const auto aead = suite->aead(secret(1));
  std::size_t refused = 0;
  for (std::size_t size = 0; size < 70; ++size) {
    const Bytes plaintext(size, 9);
    Bytes sealed(size + 16);
    Bytes opened(size);
    aead->seal(5, {}, plaintext, sealed.data());
    ASSERT_TRUE(aead->open(5, {}, sealed, opened.data()));
    ASSERT_EQ(opened, plaintext);
    if (size >= 8) {
      ASSERT_FALSE(equal(ByteView(sealed).first(size), plaintext));
    }
    for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
      sealed[bit / 8] = static_cast<std::uint8_t>(sealed[bit / 8] ^ (1u << (bit % 8)));
      ASSERT_FALSE(aead->open(5, {}, sealed, opened.data())) << "size " << size << " bit " << bit;
      sealed[bit / 8] = static_cast<std::uint8_t>(sealed[bit / 8] ^ (1u << (bit % 8)));
      ++refused;
    }
    EXPECT_FALSE(aead->open(6, {}, sealed, opened.data()));
    EXPECT_FALSE(aead->open(5, as_bytes("x"), sealed, opened.data()));
    EXPECT_FALSE(suite->aead(secret(2))->open(5, {}, sealed, opened.data()));
  }
  EXPECT_EQ(refused, 28'280u);
}

TEST(StandInSuite, CarriesAChannel) {
  const auto suite = make_stand_in_suite();
  const auto client_key = suite->import(secret(1));
  const auto server_key = suite->import(secret(2));
  Channel client = Channel::initiator(*suite, client_key, server_key->public_key(), secret(3));
  Channel server = Channel::responder(*suite, server_key, secret(4));
  Channel impostor = Channel::responder(*suite, suite->import(secret(5)), secret(4));
  const auto give = [](Channel& to, const Bytes& wire, Bytes& plaintext) {
    ByteView rest = wire;
    return to.receive(rest, plaintext);
  };
  Bytes got;
  const Bytes message1 = client.take_handshake_output();
  EXPECT_EQ(give(impostor, message1, got), ChannelEvent::handshake_failed);
  EXPECT_EQ(give(server, message1, got), ChannelEvent::handshake_step);
  EXPECT_EQ(give(client, server.take_handshake_output(), got), ChannelEvent::established);
  EXPECT_EQ(give(server, client.take_handshake_output(), got), ChannelEvent::established);
  EXPECT_EQ(server.peer(), client_key->public_key());
  EXPECT_EQ(server.handshake_hash(), client.handshake_hash());
  Bytes wire;
  ASSERT_TRUE(client.seal(as_bytes("through the world"), wire));
  EXPECT_EQ(give(server, wire, got), ChannelEvent::plaintext);
  EXPECT_EQ(as_text(got), "through the world");
  EXPECT_EQ(give(server, wire, got), ChannelEvent::damaged) << "a repeated record";
}

}  // namespace
}  // namespace statefs::sim
