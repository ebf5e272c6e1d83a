#include "core/noise.h"

#include <gtest/gtest.h>

#include "core/channel.h"
#include "tests/core/hex.h"
#include "tests/core/noise_vectors.h"

namespace statefs {
namespace {

using noise::CipherState;
using noise::HandshakeState;
using noise::Role;
using noise::SymmetricState;

// Both sides of one vector, each fed with the vector's bytes and never with the other's.
class Replay {
 public:
  explicit Replay(const NoiseVector& vector)
      : vector_(vector),
        suite_(make_crypto_suite()),
        client_key_(suite_->import(vector.initiator_static)),
        server_key_(suite_->import(vector.responder_static)) {}

  void run() {
    HandshakeState initiator(*suite_, Role::initiator, vector_.prologue,
                             {client_key_, vector_.initiator_ephemeral, server_key_->public_key()});
    HandshakeState responder(*suite_, Role::responder, vector_.prologue,
                             {server_key_, vector_.responder_ephemeral, {}});
    for (std::size_t i = 0; i < HandshakeState::messages; ++i) {
      const bool by_initiator = i % 2 == 0;
      ASSERT_EQ(vector_.messages[i].by_initiator, by_initiator);
      handshake_message(vector_.messages[i], by_initiator ? initiator : responder,
                        by_initiator ? responder : initiator);
      if (testing::Test::HasFatalFailure()) return;
    }
    ASSERT_TRUE(initiator.finished() && responder.finished());
    EXPECT_EQ(initiator.peer(), server_key_->public_key());
    EXPECT_EQ(responder.peer(), client_key_->public_key());
    EXPECT_EQ(initiator.handshake_hash(), responder.handshake_hash());
    if (!vector_.handshake_hash.empty()) {
      EXPECT_TRUE(equal(initiator.handshake_hash(), vector_.handshake_hash));
    }
    transport(initiator.split(), responder.split());
  }

 private:
  static void handshake_message(const NoiseMessage& message, HandshakeState& from, HandshakeState& to) {
    Bytes written;
    ASSERT_TRUE(from.my_turn() && !to.my_turn());
    ASSERT_TRUE(from.write(message.payload, written));
    ASSERT_EQ(to_hex(written), to_hex(message.ciphertext));
    Bytes read;
    ASSERT_TRUE(to.read(message.ciphertext, read));
    ASSERT_EQ(read, message.payload);
  }

  void transport(SymmetricState::Split initiator, SymmetricState::Split responder) {
    for (std::size_t i = HandshakeState::messages; i < vector_.messages.size(); ++i) {
      const NoiseMessage& message = vector_.messages[i];
      CipherState& from = message.by_initiator ? initiator.initiator : responder.responder;
      CipherState& to = message.by_initiator ? responder.initiator : initiator.responder;
      Bytes sealed(message.payload.size() + limits::aead_tag_size);
      from.seal({}, message.payload, sealed.data());
      ASSERT_EQ(to_hex(sealed), to_hex(message.ciphertext)) << "message " << i;
      Bytes opened(message.payload.size());
      ASSERT_TRUE(to.open({}, message.ciphertext, opened.data()));
      ASSERT_EQ(opened, message.payload);
    }
  }

  const NoiseVector& vector_;
  std::unique_ptr<Suite> suite_;
  std::shared_ptr<const DhKey> client_key_;
  std::shared_ptr<const DhKey> server_key_;
};

std::size_t replay_all(const std::vector<NoiseVector>& vectors) {
  for (const NoiseVector& vector : vectors) {
    SCOPED_TRACE(vector.name);
    Replay(vector).run();
  }
  return vectors.size();
}

TEST(Noise, ReplaysVectorsOfAnIndependentImplementation) {
  EXPECT_EQ(replay_all(read_noise_vectors("tests/vectors/noise_xk.json")), 12u);
}

// Vectors of other projects, where a checkout has them beside it. There are two forms in it; both must be found.
TEST(Noise, ReplaysSharedVectorsWhereTheyAre) {
  const std::string path = "../shared/vectors/noise_xk.json";
  if (!file_exists(path)) return;
  const std::vector<NoiseVector> vectors = read_noise_vectors(path);
  std::size_t with_hash = 0;
  for (const NoiseVector& vector : vectors) with_hash += vector.handshake_hash.empty() ? 0u : 1u;
  EXPECT_GE(replay_all(vectors), 8u);
  EXPECT_GE(with_hash, 2u);
}

// What one side of a vector makes of the other's stream: its own stream, and the plaintexts.
void replay_stream(const NoiseVector& vector, bool as_initiator) {
  const std::unique_ptr<Suite> suite = make_crypto_suite();
  const auto client_key = suite->import(vector.initiator_static);
  const auto server_key = suite->import(vector.responder_static);
  Channel channel = as_initiator ? Channel::initiator(*suite, client_key, server_key->public_key(),
                                                      vector.initiator_ephemeral)
                                 : Channel::responder(*suite, server_key, vector.responder_ephemeral);
  Bytes sent = channel.take_handshake_output();
  Bytes received;
  Bytes expected;
  ByteView input = as_initiator ? vector.responder_stream : vector.initiator_stream;
  for (const NoiseMessage& message : vector.messages) {
    const std::size_t at = static_cast<std::size_t>(&message - vector.messages.data());
    if (message.by_initiator != as_initiator) {
      const ChannelEvent event = channel.receive(input, received);
      const bool last = at + (as_initiator ? 2 : 1) == HandshakeState::messages;
      const ChannelEvent shaking = last ? ChannelEvent::established : ChannelEvent::handshake_step;
      const ChannelEvent talking = message.payload.empty() ? ChannelEvent::keepalive : ChannelEvent::plaintext;
      ASSERT_EQ(event, at < HandshakeState::messages ? shaking : talking) << "message " << at;
      expected.insert(expected.end(), message.payload.begin(), message.payload.end());
      const Bytes answer = channel.take_handshake_output();
      sent.insert(sent.end(), answer.begin(), answer.end());
    } else if (at >= HandshakeState::messages) {
      ASSERT_TRUE(message.payload.empty() ? channel.seal_keepalive(sent) : channel.seal(message.payload, sent));
    }
  }
  EXPECT_TRUE(input.empty());
  EXPECT_EQ(received, expected);
  EXPECT_EQ(to_hex(sent), to_hex(as_initiator ? vector.initiator_stream : vector.responder_stream));
  EXPECT_TRUE(equal(channel.handshake_hash(), vector.handshake_hash));
}

TEST(Channel, SendsTheStreamsOfTheVectors) {
  std::size_t count = 0;
  for (const NoiseVector& vector : read_noise_vectors("tests/vectors/noise_xk.json")) {
    if (vector.name.rfind("channel", 0) != 0) continue;
    SCOPED_TRACE(vector.name);
    replay_stream(vector, true);
    replay_stream(vector, false);
    ++count;
  }
  EXPECT_EQ(count, 5u);
}

struct Ciphers {
  explicit Ciphers(std::uint64_t nonces_max)
      : suite(make_crypto_suite()),
        sender(*suite, SecretKey(array_from_hex<32>(std::string(64, '7'))), nonces_max),
        receiver(*suite, SecretKey(array_from_hex<32>(std::string(64, '7'))), nonces_max) {}
  std::unique_ptr<Suite> suite;
  CipherState sender;
  CipherState receiver;
};

TEST(CipherState, RefusesToOpenPastItsLastNonce) {
  Ciphers ciphers(3);
  Ciphers longer(4);  // the same key with one nonce more
  Bytes sealed(17);
  std::uint8_t opened = 0;
  for (std::uint8_t i = 0; i < 3; ++i) {
    EXPECT_EQ(ciphers.receiver.nonces_left(), 3u - i);
    ciphers.sender.seal({}, Bytes{i}, sealed.data());
    ASSERT_TRUE(ciphers.receiver.open({}, sealed, &opened));
    EXPECT_EQ(opened, i);
    longer.sender.seal({}, Bytes{i}, sealed.data());
  }
  longer.sender.seal({}, Bytes{3}, sealed.data());
  const auto past = ciphers.receiver.open({}, sealed, &opened);
  ASSERT_FALSE(past.ok());
  EXPECT_EQ(past.error(), noise::OpenError::exhausted);
  EXPECT_EQ(ciphers.sender.nonces_left(), 0u);
}

TEST(CipherStateDeathTest, SealsNeverPastItsLastNonce) {
  Ciphers ciphers(1);
  Bytes sealed(17);
  ciphers.sender.seal({}, Bytes{1}, sealed.data());
  EXPECT_DEATH(ciphers.sender.seal({}, Bytes{1}, sealed.data()), "nonce_ < nonces_max_");
}

TEST(CipherState, OpensTheRightRecordAfterAWrongOne) {
  Ciphers ciphers(9);
  Bytes sealed(17);
  std::uint8_t opened = 0;
  ciphers.sender.seal({}, Bytes{42}, sealed.data());
  Bytes wrong = sealed;
  wrong[3] ^= 1;
  EXPECT_EQ(ciphers.receiver.open({}, wrong, &opened).error(), noise::OpenError::damaged);
  EXPECT_EQ(ciphers.receiver.open({}, Bytes(15), &opened).error(), noise::OpenError::damaged);
  ASSERT_TRUE(ciphers.receiver.open({}, sealed, &opened));
  EXPECT_EQ(opened, 42);
  EXPECT_EQ(ciphers.receiver.open({}, sealed, &opened).error(), noise::OpenError::damaged) << "a repeated record";
}

TEST(HandshakeState, RefusesAnotherPrologue) {
  const auto suite = make_crypto_suite();
  const auto client = suite->import(SecretKey(array_from_hex<32>(std::string(64, '1'))));
  const auto server = suite->import(SecretKey(array_from_hex<32>(std::string(64, '2'))));
  const SecretKey ephemeral(array_from_hex<32>(std::string(64, '3')));
  HandshakeState initiator(*suite, Role::initiator, as_bytes("one"), {client, ephemeral, server->public_key()});
  HandshakeState responder(*suite, Role::responder, as_bytes("two"), {server, ephemeral, {}});
  Bytes message;
  Bytes payload;
  ASSERT_TRUE(initiator.write({}, message));
  EXPECT_FALSE(responder.read(message, payload).ok());
  EXPECT_TRUE(payload.empty());
  EXPECT_FALSE(responder.my_turn()) << "a failed handshake goes nowhere";
}

// Every length of each message below its own, with payloads so that the fields have neighbours.
TEST(HandshakeState, RefusesEveryTruncation) {
  const std::vector<NoiseVector> vectors = read_noise_vectors("tests/vectors/noise_xk.json");
  std::size_t refused = 0;
  for (const NoiseVector& vector : vectors) {
    if (vector.name != "payloads in the handshake") continue;
    const auto suite = make_crypto_suite();
    const auto client = suite->import(vector.initiator_static);
    const auto server = suite->import(vector.responder_static);
    for (const std::size_t victim : {0u, 1u, 2u}) {
      const ByteView message = vector.messages[victim].ciphertext;
      for (std::size_t size = 0; size < message.size(); ++size) {
        HandshakeState initiator(*suite, Role::initiator, vector.prologue,
                                 {client, vector.initiator_ephemeral, server->public_key()});
        HandshakeState responder(*suite, Role::responder, vector.prologue, {server, vector.responder_ephemeral, {}});
        Bytes scratch;
        for (std::size_t i = 0; i < victim; ++i) {
          HandshakeState& from = i == 1 ? responder : initiator;
          HandshakeState& to = i == 1 ? initiator : responder;
          ASSERT_TRUE(from.write(vector.messages[i].payload, scratch));
          ASSERT_TRUE(to.read(vector.messages[i].ciphertext, scratch));
        }
        EXPECT_FALSE((victim == 1 ? initiator : responder).read(message.first(size), scratch).ok());
        ++refused;
      }
    }
  }
  EXPECT_EQ(refused, 64u + 63u + 75u);
}

}  // namespace
}  // namespace statefs
