// NOISE: the state machine of Noise_XK_25519_ChaChaPoly_BLAKE2s, without framing and without a stream.
//
//   crypto.h (primitives) -> NOISE (handshake, transport ciphers) -> channel.h (records on a stream)
//
// The Noise Protocol Framework, revision 34 (noiseprotocol.org); the three types have its names and its sections:
// CipherState 5.1, SymmetricState 5.2, HandshakeState 5.3. The pattern is XK and no other:
//
//   <- s            the initiator knows the responder's key beforehand
//   -> e, es
//   <- e, ee
//   -> s, se        the responder learns who the initiator is
//
// Prologue and payloads are arguments, so that standard vectors can be replayed. A state that has failed is dead;
// using it again is a bug of the caller. `Suite` outlives everything here. Secrets are wiped with their state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/bytes.h"
#include "core/crypto.h"
#include "core/limits.h"
#include "core/result.h"

namespace statefs::noise {

enum class OpenError {
  damaged,    // the tag does not match, or there is no room for one
  exhausted,  // every nonce of this direction was used
};

// One AEAD key and its counter. Nonces 0 to nonces_max - 1 are used, each once, in order.
class CipherState {
 public:
  CipherState(const Suite& suite, const SecretKey& key, std::uint64_t nonces_max = limits::channel_records_max);

  [[nodiscard]] std::uint64_t nonces_left() const { return nonces_max_ - nonce_; }
  // Writes plaintext.size() + 16 bytes at `out`; needs a nonce left (checked).
  void seal(ByteView associated, ByteView plaintext, std::uint8_t* out);
  // Writes sealed.size() - 16 bytes at `out`, which is of no use after an error. A nonce is spent only by success.
  [[nodiscard]] Result<Unit, OpenError> open(ByteView associated, ByteView sealed, std::uint8_t* out);

 private:
  std::unique_ptr<Aead> aead_;
  std::uint64_t nonce_ = 0;
  std::uint64_t nonces_max_;
};

// The chaining key, the handshake hash, and the cipher under the newest key.
class SymmetricState {
 public:
  SymmetricState(const Suite& suite, ByteView protocol_name);
  SymmetricState(const SymmetricState&) = delete;
  SymmetricState& operator=(const SymmetricState&) = delete;
  ~SymmetricState();

  void mix_hash(ByteView data);
  void mix_key(const SecretKey& input);
  // Appends to `out`: the sealed plaintext, or the plaintext itself while there is no key.
  void encrypt_and_hash(ByteView plaintext, Bytes& out);
  // The reverse; false, and nothing appended, where it does not authenticate.
  [[nodiscard]] bool decrypt_and_hash(ByteView sealed, Bytes& out);
  [[nodiscard]] std::size_t overhead() const { return cipher_.has_value() ? limits::aead_tag_size : 0; }
  [[nodiscard]] const Digest& handshake_hash() const { return hash_; }

  struct Split {
    CipherState initiator;  // what the initiator sends with
    CipherState responder;
  };
  [[nodiscard]] Split split(std::uint64_t nonces_max) const;

 private:
  struct Pair {
    Digest first;
    Digest second;
  };
  [[nodiscard]] Pair hkdf(ByteView input) const;

  const Suite& suite_;
  Digest chaining_key_;
  Digest hash_;
  std::optional<CipherState> cipher_;
};

enum class Role { initiator, responder };

enum class HandshakeError { bad_message };  // too short, a tag that does not match, or a low-order point

// The three messages, in turn: the initiator writes 0 and 2 and reads 1, the responder the reverse.
class HandshakeState {
 public:
  struct Keys {
    std::shared_ptr<const DhKey> self;  // the static key
    SecretKey ephemeral;                // fresh for this handshake; imported when it is first needed
    PublicKey server;                   // the responder's static key; a responder leaves it alone
  };
  HandshakeState(const Suite& suite, Role role, ByteView prologue, Keys keys);

  [[nodiscard]] bool my_turn() const;  // to write
  [[nodiscard]] std::size_t next_message() const { return message_; }  // 0, 1, 2; 3 when finished
  [[nodiscard]] bool finished() const { return message_ == messages; }
  // Appends the next message to `out`. Fails only for a peer's low-order point; then `out` is of no use.
  [[nodiscard]] Result<Unit, HandshakeError> write(ByteView payload, Bytes& out);
  // Takes one whole message and appends its payload to `payload`.
  [[nodiscard]] Result<Unit, HandshakeError> read(ByteView message, Bytes& payload);

  // Only when finished.
  [[nodiscard]] const PublicKey& peer() const;
  [[nodiscard]] const Digest& handshake_hash() const;
  [[nodiscard]] SymmetricState::Split split(std::uint64_t nonces_max = limits::channel_records_max) const;

  static constexpr std::size_t messages = 3;

 private:
  enum class Token { e, s, ee, es, se };
  static constexpr Token pattern[messages][2] = {
      {Token::e, Token::es}, {Token::e, Token::ee}, {Token::s, Token::se}};

  [[nodiscard]] bool write_token(Token token, Bytes& out);
  [[nodiscard]] bool read_token(Token token, ByteView& rest);
  [[nodiscard]] bool agree(const DhKey* own, const std::optional<PublicKey>& other);
  [[nodiscard]] bool mix_agreement(Token token);

  const Suite& suite_;
  Role role_;
  SymmetricState symmetric_;
  std::shared_ptr<const DhKey> self_;
  SecretKey ephemeral_secret_;
  std::shared_ptr<const DhKey> ephemeral_;
  std::optional<PublicKey> peer_static_;
  std::optional<PublicKey> peer_ephemeral_;
  std::size_t message_ = 0;
  bool failed_ = false;
};

}  // namespace statefs::noise
