#include "sim/stand_in_suite.h"

#include <algorithm>
#include <bit>

#include "core/limits.h"
#include "sim/random.h"

namespace statefs::sim {
namespace {

__extension__ typedef unsigned __int128 Wide;  // no ISO C++ type is as wide as a product

constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
constexpr std::uint64_t odd[4] = {0xd6e8feb86659fd93, 0xff51afd7ed558ccd, 0xc4ceb9fe1a85ec53, 0x9fb21c651e98df25};

// A checksum in Lanes words. Each step is a bijection of the lane for a given word, and of the word for a given lane,
// so two inputs that differ in one word alone never end in the same lane.
template <std::size_t Lanes>
class Checksum {
 public:
  explicit Checksum(ByteView key, std::uint64_t tweak) {
    for (std::size_t i = 0; i < Lanes; ++i) lanes_[i] = mix(tweak + (i + 1) * golden);
    add(key);
  }

  // Bytes in parts or at once: the same.
  void add(ByteView bytes) {
    size_ += bytes.size();
    while (pending_size_ != 0 && !bytes.empty()) {
      add_byte(bytes.front());
      bytes = bytes.subspan(1);
    }
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) add_word(load_le<std::uint64_t>(bytes.data()));
    for (const std::uint8_t byte : bytes) add_byte(byte);
  }

  [[nodiscard]] std::array<std::uint8_t, 8 * Lanes> finish() {
    add_word(pending_);
    add_word(size_);
    std::array<std::uint8_t, 8 * Lanes> out{};
    for (std::size_t i = 0; i < Lanes; ++i) store_le(out.data() + 8 * i, mix(lanes_[i] + odd[i]));
    return out;
  }

 private:
  void add_word(std::uint64_t word) {
    for (std::size_t i = 0; i < Lanes; ++i) lanes_[i] = std::rotl((lanes_[i] ^ word) * odd[i], 29) + golden;
  }
  void add_byte(std::uint8_t byte) {
    pending_ |= std::uint64_t{byte} << (8 * pending_size_);
    if (++pending_size_ < 8) return;
    add_word(pending_);
    pending_ = 0;
    pending_size_ = 0;
  }

  std::array<std::uint64_t, Lanes> lanes_{};
  std::uint64_t pending_ = 0;
  unsigned pending_size_ = 0;
  std::uint64_t size_ = 0;
};

constexpr std::uint64_t prime = (std::uint64_t{1} << 61) - 1;
constexpr std::uint64_t base = 37;

std::uint64_t times(std::uint64_t a, std::uint64_t b) { return static_cast<std::uint64_t>(Wide{a} * b % prime); }

std::uint64_t power(std::uint64_t value, std::uint64_t exponent) {
  std::uint64_t result = 1;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = times(result, value);
    value = times(value, value);
  }
  return result;
}

// 32 bytes that look like a key and begin with the number.
std::array<std::uint8_t, 32> spread(std::uint64_t number) {
  std::array<std::uint8_t, 32> bytes{};
  for (std::size_t i = 0; i < 4; ++i) store_le(bytes.data() + 8 * i, i == 0 ? number : mix(number + i * golden));
  return bytes;
}

// Diffie-Hellman in numbers that a pocket calculator can take logarithms of.
class StandInKey final : public DhKey {
 public:
  explicit StandInKey(const SecretKey& secret) {
    const auto digest = Checksum<1>(secret.bytes(), 1).finish();
    exponent_ = load_le<std::uint64_t>(digest.data()) % (prime - 1);
    public_key_.bytes = spread(power(base, exponent_));
  }
  const PublicKey& public_key() const override { return public_key_; }
  Result<SecretKey, DhError> agree(const PublicKey& other) const override {
    const std::uint64_t number = load_le<std::uint64_t>(other.bytes.data()) % prime;
    if (number <= 1 || number == prime - 1) return DhError::invalid_point;
    return SecretKey(spread(power(number, exponent_)));
  }

 private:
  std::uint64_t exponent_;
  PublicKey public_key_;
};

class StandInAead final : public Aead {
 public:
  explicit StandInAead(const SecretKey& key) : key_(key) {
    const auto digest = Checksum<1>(key.bytes(), 2).finish();
    stream_ = load_le<std::uint64_t>(digest.data());
  }
  void seal(std::uint64_t nonce, ByteView associated, ByteView plaintext, std::uint8_t* out) override {
    cover(nonce, plaintext, out);
    const auto tag = tag_of(nonce, associated, {out, plaintext.size()});
    std::copy(tag.begin(), tag.end(), out + plaintext.size());
  }
  bool open(std::uint64_t nonce, ByteView associated, ByteView sealed, std::uint8_t* out) override {
    STATEFS_CHECK(sealed.size() >= limits::aead_tag_size);
    const ByteView covered = sealed.first(sealed.size() - limits::aead_tag_size);
    if (!equal(tag_of(nonce, associated, covered), sealed.last(limits::aead_tag_size))) return false;
    cover(nonce, covered, out);
    return true;
  }

 private:
  std::array<std::uint8_t, limits::aead_tag_size> tag_of(std::uint64_t nonce, ByteView associated, ByteView covered) {
    Checksum<2> checksum(key_.bytes(), mix(nonce) ^ associated.size());
    checksum.add(associated);
    checksum.add(covered);
    return checksum.finish();
  }
  // The same there and back.
  void cover(std::uint64_t nonce, ByteView in, std::uint8_t* out) const {
    std::uint64_t word = stream_ + mix(nonce + golden);
    for (std::size_t at = 0; at < in.size(); at += 8) {
      word += golden;
      std::array<std::uint8_t, 8> mask{};
      store_le(mask.data(), mix(word));
      const std::size_t size = std::min<std::size_t>(8, in.size() - at);
      for (std::size_t i = 0; i < size; ++i) out[at + i] = static_cast<std::uint8_t>(in[at + i] ^ mask[i]);
    }
  }

  SecretKey key_;
  std::uint64_t stream_;
};

class StandInSuite final : public Suite {
 public:
  std::shared_ptr<const DhKey> import(const SecretKey& secret) const override {
    return std::make_shared<const StandInKey>(secret);
  }
  std::unique_ptr<Aead> aead(const SecretKey& key) const override { return std::make_unique<StandInAead>(key); }
  Digest hash(ByteView first, ByteView second) const override { return digest({}, 3, first, second); }
  Digest hmac(const Digest& key, ByteView first, ByteView second) const override {
    return digest(key, 4, first, second);
  }

 private:
  static Digest digest(ByteView key, std::uint64_t tweak, ByteView first, ByteView second) {
    Checksum<4> checksum(key, tweak);
    checksum.add(first);
    checksum.add(second);
    return checksum.finish();
  }
};

}  // namespace

std::unique_ptr<Suite> make_stand_in_suite() { return std::make_unique<StandInSuite>(); }

}  // namespace statefs::sim
