// RANDOM: every draw of a run comes from a named stream of one seed, so a new draw in one stream never moves another.
//
//   seed + name (`net/3->5`, `workload/1`, `key/0`) -> RandomStream -> below(), chance(), ...
//
// A stream is a counter under a 64-bit mixing function, keyed by seed and name: draw n is a function of (seed, name, n)
// and of nothing else. All distributions are on integers and written here, because those of <random> differ between
// libraries. `below` is what every other decision is made of: whoever wants to enumerate instead of draw replaces it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/bytes.h"

namespace statefs::sim {

// A bijection of 64-bit words in which every input bit moves about half of the output bits.
constexpr std::uint64_t mix(std::uint64_t word) {
  word ^= word >> 32;
  word *= 0xd6e8feb86659fd93;
  word ^= word >> 32;
  word *= 0xd6e8feb86659fd93;
  word ^= word >> 32;
  return word;
}

[[nodiscard]] std::uint64_t hash_name(std::string_view name);

struct Ratio {
  std::uint32_t part = 0;
  std::uint32_t whole = 1;
};

class RandomStream {
 public:
  // `draws`, where given, counts the draws of all streams of a world, and outlives the stream.
  RandomStream(std::uint64_t seed, std::string_view name, std::uint64_t* draws = nullptr);

  std::uint64_t next();                                          // any 64-bit word
  std::uint64_t below(std::uint64_t bound);                      // uniform in [0, bound); bound > 0
  std::uint64_t between(std::uint64_t low, std::uint64_t high);  // uniform in [low, high]
  bool chance(Ratio ratio);                                      // true `part` times in `whole`
  // How many times in a row `again` came true, at most `max`.
  std::uint64_t run_length(Ratio again, std::uint64_t max);
  // Small values often, large ones seldom: uniform over the bit lengths up to that of `max`, then within one.
  std::uint64_t skewed(std::uint64_t max);
  void fill(std::span<std::uint8_t> bytes);

  // A stream of its own that no draw here moves.
  [[nodiscard]] RandomStream split(std::string_view name) const;
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  RandomStream(std::uint64_t key, std::uint64_t* draws) : key_(key), draws_(draws) {}
  std::uint64_t key_;
  std::uint64_t count_ = 0;
  std::uint64_t* draws_;
};

// Where the streams of one world come from.
class RandomSource {
 public:
  explicit RandomSource(std::uint64_t seed) : seed_(seed) {}
  RandomSource(const RandomSource&) = delete;  // streams point at draws_
  RandomSource& operator=(const RandomSource&) = delete;

  [[nodiscard]] RandomStream stream(std::string_view name) { return {seed_, name, &draws_}; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] std::uint64_t draws() const { return draws_; }

 private:
  std::uint64_t seed_;
  std::uint64_t draws_ = 0;
};

}  // namespace statefs::sim
