#include "core/noise.h"

#include <algorithm>
#include <array>

namespace statefs::noise {
namespace {

constexpr std::string_view protocol_name = "Noise_XK_25519_ChaChaPoly_BLAKE2s";

}  // namespace

CipherState::CipherState(const Suite& suite, const SecretKey& key, std::uint64_t nonces_max)
    : aead_(suite.aead(key)), nonces_max_(nonces_max) {
  STATEFS_CHECK(nonces_max <= limits::channel_records_max);
}

void CipherState::seal(ByteView associated, ByteView plaintext, std::uint8_t* out) {
  STATEFS_CHECK(nonce_ < nonces_max_);
  aead_->seal(nonce_++, associated, plaintext, out);
}

Result<Unit, OpenError> CipherState::open(ByteView associated, ByteView sealed, std::uint8_t* out) {
  if (nonce_ == nonces_max_) return OpenError::exhausted;
  if (sealed.size() < limits::aead_tag_size) return OpenError::damaged;
  if (!aead_->open(nonce_, associated, sealed, out)) return OpenError::damaged;
  ++nonce_;
  return Unit{};
}

SymmetricState::SymmetricState(const Suite& suite, ByteView protocol_name_bytes) : suite_(suite), hash_{} {
  if (protocol_name_bytes.size() <= hash_.size()) {
    std::copy(protocol_name_bytes.begin(), protocol_name_bytes.end(), hash_.begin());
  } else {
    hash_ = suite.hash(protocol_name_bytes, {});
  }
  chaining_key_ = hash_;
}

SymmetricState::~SymmetricState() { wipe(chaining_key_); }

SymmetricState::Pair SymmetricState::hkdf(ByteView input) const {
  Digest temporary = suite_.hmac(chaining_key_, input, {});
  const std::array<std::uint8_t, 1> one{1};
  const std::array<std::uint8_t, 1> two{2};
  Pair pair;
  pair.first = suite_.hmac(temporary, one, {});
  pair.second = suite_.hmac(temporary, pair.first, two);
  wipe(temporary);
  return pair;
}

void SymmetricState::mix_hash(ByteView data) { hash_ = suite_.hash(hash_, data); }

void SymmetricState::mix_key(const SecretKey& input) {
  Pair pair = hkdf(input.bytes());
  chaining_key_ = pair.first;
  cipher_.emplace(suite_, SecretKey(pair.second));
  wipe(pair.first);
  wipe(pair.second);
}

void SymmetricState::encrypt_and_hash(ByteView plaintext, Bytes& out) {
  const std::size_t at = out.size();
  out.resize(at + plaintext.size() + overhead());
  if (cipher_) {
    cipher_->seal(hash_, plaintext, out.data() + at);
  } else {
    std::copy(plaintext.begin(), plaintext.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
  }
  mix_hash(ByteView(out).subspan(at));
}

bool SymmetricState::decrypt_and_hash(ByteView sealed, Bytes& out) {
  if (sealed.size() < overhead()) return false;
  const std::size_t at = out.size();
  out.resize(at + sealed.size() - overhead());
  if (!cipher_) {
    std::copy(sealed.begin(), sealed.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
  } else if (!cipher_->open(hash_, sealed, out.data() + at)) {
    out.resize(at);
    return false;
  }
  mix_hash(sealed);
  return true;
}

SymmetricState::Split SymmetricState::split(std::uint64_t nonces_max) const {
  Pair pair = hkdf({});
  Split result{CipherState(suite_, SecretKey(pair.first), nonces_max),
               CipherState(suite_, SecretKey(pair.second), nonces_max)};
  wipe(pair.first);
  wipe(pair.second);
  return result;
}

HandshakeState::HandshakeState(const Suite& suite, Role role, ByteView prologue, Keys keys)
    : suite_(suite),
      role_(role),
      symmetric_(suite, as_bytes(protocol_name)),
      self_(std::move(keys.self)),
      ephemeral_secret_(keys.ephemeral) {
  STATEFS_CHECK(self_ != nullptr);
  symmetric_.mix_hash(prologue);
  if (role == Role::initiator) peer_static_ = keys.server;
  symmetric_.mix_hash(role == Role::initiator ? keys.server.bytes : self_->public_key().bytes);
}

bool HandshakeState::my_turn() const {
  return !failed_ && !finished() && (message_ % 2 == 0) == (role_ == Role::initiator);
}

Result<Unit, HandshakeError> HandshakeState::write(ByteView payload, Bytes& out) {
  STATEFS_CHECK(my_turn());
  for (const Token token : pattern[message_]) {
    if (!write_token(token, out)) {
      failed_ = true;
      return HandshakeError::bad_message;
    }
  }
  symmetric_.encrypt_and_hash(payload, out);
  ++message_;
  return Unit{};
}

Result<Unit, HandshakeError> HandshakeState::read(ByteView message, Bytes& payload) {
  STATEFS_CHECK(!failed_ && !finished() && !my_turn());
  failed_ = true;  // until all of it was good
  ByteView rest = message;
  for (const Token token : pattern[message_]) {
    if (!read_token(token, rest)) return HandshakeError::bad_message;
  }
  if (!symmetric_.decrypt_and_hash(rest, payload)) return HandshakeError::bad_message;
  failed_ = false;
  ++message_;
  return Unit{};
}

bool HandshakeState::write_token(Token token, Bytes& out) {
  switch (token) {
    case Token::e: {
      // Not before: a connection that sends rubbish costs a responder no key generation.
      ephemeral_ = suite_.import(ephemeral_secret_);
      const PublicKey& key = ephemeral_->public_key();
      out.insert(out.end(), key.bytes.begin(), key.bytes.end());
      symmetric_.mix_hash(key.bytes);
      return true;
    }
    case Token::s:
      symmetric_.encrypt_and_hash(self_->public_key().bytes, out);
      return true;
    case Token::ee:
    case Token::es:
    case Token::se:
      return mix_agreement(token);
  }
  return false;
}

bool HandshakeState::read_token(Token token, ByteView& rest) {
  if (token == Token::ee || token == Token::es || token == Token::se) return mix_agreement(token);
  PublicKey key;
  const std::size_t size = key.bytes.size() + (token == Token::s ? symmetric_.overhead() : 0);
  if (rest.size() < size) return false;
  const ByteView field = rest.first(size);
  rest = rest.subspan(size);
  if (token == Token::e) {
    std::copy(field.begin(), field.end(), key.bytes.begin());
    symmetric_.mix_hash(field);
    peer_ephemeral_ = key;
    return true;
  }
  Bytes opened;
  if (!symmetric_.decrypt_and_hash(field, opened)) return false;
  std::copy(opened.begin(), opened.end(), key.bytes.begin());
  peer_static_ = key;
  return true;
}

bool HandshakeState::agree(const DhKey* own, const std::optional<PublicKey>& other) {
  STATEFS_CHECK(own != nullptr && other.has_value());
  const Result<SecretKey, DhError> shared = own->agree(*other);
  if (!shared) return false;
  symmetric_.mix_key(shared.value());
  return true;
}

// In `es` and `se` the first letter is the initiator's key, the second the responder's.
bool HandshakeState::mix_agreement(Token token) {
  if (token == Token::ee) return agree(ephemeral_.get(), peer_ephemeral_);
  const bool own_ephemeral = (token == Token::es) == (role_ == Role::initiator);
  return own_ephemeral ? agree(ephemeral_.get(), peer_static_) : agree(self_.get(), peer_ephemeral_);
}

const PublicKey& HandshakeState::peer() const {
  STATEFS_CHECK(finished());
  return *peer_static_;
}

const Digest& HandshakeState::handshake_hash() const {
  STATEFS_CHECK(finished());
  return symmetric_.handshake_hash();
}

SymmetricState::Split HandshakeState::split(std::uint64_t nonces_max) const {
  STATEFS_CHECK(finished());
  return symmetric_.split(nonces_max);
}

}  // namespace statefs::noise
