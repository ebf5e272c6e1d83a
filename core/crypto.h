// CRYPTO: the primitives of Noise_XK_25519_ChaChaPoly_BLAKE2s and of the audit chain, all from libcrypto.
//
//   crypto.h -> noise.h (handshake) -> channel.h (records)
//                audit.h (SHA-256 chain, HMAC-SHA-256 of values)
//
// Nothing here draws randomness: private keys and ephemerals are bytes that the caller brings. libcrypto objects
// are kept alive inside these types, because importing a key again for each use more than doubles a handshake; so no
// object here may be used by two threads at once. libcrypto is initialised without its configuration file. Where it
// refuses what cannot be refused (no memory, an algorithm missing) that is a STATEFS_CHECK.
// `Suite` is the seam behind which the simulator may put a stand-in that costs nothing; figures never mix the two.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <span>

#include "core/bytes.h"
#include "core/result.h"

namespace statefs {

struct PublicKey {
  std::array<std::uint8_t, 32> bytes{};
  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;
};

// 32 secret bytes; wiped when destroyed. Not printable, not comparable.
class SecretKey {
 public:
  SecretKey() = default;
  explicit SecretKey(std::span<const std::uint8_t, 32> from);
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();
  [[nodiscard]] std::span<const std::uint8_t, 32> bytes() const { return bytes_; }

 private:
  std::array<std::uint8_t, 32> bytes_{};
};

// Overwrites secret bytes in a way that no compiler removes.
void wipe(std::span<std::uint8_t> bytes);

enum class DhError { invalid_point };  // the result is all zeros: a low-order public key (RFC 7748 section 6.1)

// A key pair ready for Diffie-Hellman, whatever the suite keeps imported for it.
class DhKey {
 public:
  virtual ~DhKey() = default;
  [[nodiscard]] virtual const PublicKey& public_key() const = 0;
  [[nodiscard]] virtual Result<SecretKey, DhError> agree(const PublicKey& other) const = 0;
};

// One direction of AEAD under one key. `nonce` is the 64-bit Noise nonce; the caller never repeats it.
class Aead {
 public:
  virtual ~Aead() = default;
  // Writes plaintext.size() + 16 bytes to `out`, which has room for them and may not overlap `plaintext`.
  virtual void seal(std::uint64_t nonce, ByteView associated, ByteView plaintext, std::uint8_t* out) = 0;
  // Writes sealed.size() - 16 bytes to `out`; false where the tag does not match, and then `out` holds nothing of use.
  [[nodiscard]] virtual bool open(std::uint64_t nonce, ByteView associated, ByteView sealed, std::uint8_t* out) = 0;
};

class Suite {
 public:
  virtual ~Suite() = default;
  [[nodiscard]] virtual std::shared_ptr<const DhKey> import(const SecretKey& secret) const = 0;
  [[nodiscard]] virtual std::unique_ptr<Aead> aead(const SecretKey& key) const = 0;
  // BLAKE2s-256, and HMAC with it, of first || second.
  [[nodiscard]] virtual Digest hash(ByteView first, ByteView second) const = 0;
  [[nodiscard]] virtual Digest hmac(const Digest& key, ByteView first, ByteView second) const = 0;
};

// The real one. Stateless to its users; one instance serves any number of channels of one thread.
[[nodiscard]] std::unique_ptr<Suite> make_crypto_suite();

// SHA-256 with its context kept alive between uses: hash of the concatenation of up to three parts.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  [[nodiscard]] Digest of(ByteView first, ByteView second = {}, ByteView third = {});
  // The same in steps: begin, any number of updates, finish.
  void begin();
  void update(ByteView bytes);
  [[nodiscard]] Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// HMAC-SHA-256 under one key, its key schedule computed once.
class HmacSha256 {
 public:
  explicit HmacSha256(const SecretKey& key);
  ~HmacSha256();
  HmacSha256(HmacSha256&&) noexcept;
  HmacSha256& operator=(HmacSha256&&) noexcept;
  [[nodiscard]] Digest of(ByteView message);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace statefs
