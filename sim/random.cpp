#include "sim/random.h"

#include <bit>

namespace statefs::sim {

std::uint64_t hash_name(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : name) hash = (hash ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3;
  return mix(hash);
}

RandomStream::RandomStream(std::uint64_t seed, std::string_view name, std::uint64_t* draws)
    : key_(mix(mix(seed + 0x9e3779b97f4a7c15) ^ hash_name(name))), draws_(draws) {}

std::uint64_t RandomStream::next() {
  ++count_;
  if (draws_ != nullptr) ++*draws_;
  return mix(mix(key_ + count_ * 0x9e3779b97f4a7c15) ^ key_);
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
  STATEFS_CHECK(bound > 0);
  if (bound == 1) return 0;  // no choice, no draw
  if (bound <= 0xffffffff) {
    // Multiply-shift; the few low parts that would favour some results are drawn again.
    const std::uint64_t unfair = (std::uint64_t{1} << 32) % bound;
    for (;;) {
      const std::uint64_t product = (next() >> 32) * bound;
      if ((product & 0xffffffff) >= unfair) return product >> 32;
    }
  }
  const std::uint64_t mask = ~std::uint64_t{0} >> std::countl_zero(bound - 1);
  for (;;) {
    const std::uint64_t word = next() & mask;
    if (word < bound) return word;
  }
}

std::uint64_t RandomStream::between(std::uint64_t low, std::uint64_t high) {
  STATEFS_CHECK(low <= high);
  if (low == 0 && high == ~std::uint64_t{0}) return next();
  return low + below(high - low + 1);
}

bool RandomStream::chance(Ratio ratio) {
  STATEFS_CHECK(ratio.part <= ratio.whole && ratio.whole > 0);
  if (ratio.part == 0) return false;
  return below(ratio.whole) < ratio.part;
}

std::uint64_t RandomStream::run_length(Ratio again, std::uint64_t max) {
  std::uint64_t length = 0;
  while (length < max && chance(again)) ++length;
  return length;
}

std::uint64_t RandomStream::skewed(std::uint64_t max) {
  const auto width = static_cast<std::uint64_t>(std::bit_width(max));
  const std::uint64_t bits = below(width + 1);
  if (bits == 0) return 0;
  const std::uint64_t low = std::uint64_t{1} << (bits - 1);
  const std::uint64_t high = bits == 64 ? ~std::uint64_t{0} : (low << 1) - 1;
  return between(low, high < max ? high : max);
}

void RandomStream::fill(std::span<std::uint8_t> bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    std::uint8_t word[8];
    store_le<std::uint64_t>(word, next());
    const std::size_t size = bytes.size() - at < 8 ? bytes.size() - at : 8;
    std::memcpy(bytes.data() + at, word, size);
  }
}

RandomStream RandomStream::split(std::string_view name) const { return {mix(key_ ^ hash_name(name)), draws_}; }

}  // namespace statefs::sim
