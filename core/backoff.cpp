#include "core/backoff.h"

#include <algorithm>

namespace statefs {

Duration Backoff::next() {
  constexpr unsigned doublings_max = 30;
  std::int64_t whole = max_.ns;
  if (failures_ < doublings_max && min_.ns <= (max_.ns >> failures_)) whole = min_.ns << failures_;
  failures_ = std::min(failures_ + 1, doublings_max);
  // SplitMix64 (Steele, Lea, Flood 2014): enough to spread clients, not to hide anything.
  jitter_ += 0x9e3779b97f4a7c15u;
  std::uint64_t z = jitter_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  const std::int64_t half = whole / 2;
  return {half + static_cast<std::int64_t>(z % static_cast<std::uint64_t>(whole - half + 1))};
}

}  // namespace statefs
