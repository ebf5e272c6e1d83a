// RATE: how much of something may happen: a bucket that fills evenly, never above its burst, and may be in debt.
//
//   limits.h -> RATE -> peer_rates.h
//
// All in integers: the level is counted in units of one token / 10^9, so that `per_second` of them come in with each nanosecond, none
// is ever rounded away, and the level depends on what was taken when, not on how often anybody looked.
// Invariant: in any time of t seconds no more than burst + t x per_second tokens are taken by those who ask has() first, beside what the
// last of them took beyond its one token.
#pragma once

#include <cstdint>

#include "core/time.h"

namespace statefs {

struct RateLimit {
  static constexpr std::uint64_t tokens_max = std::uint64_t{1} << 32;  // of both

  std::uint64_t per_second = 0;  // 0: no limit
  std::uint64_t burst = 0;       // at least 1 where there is a limit

  [[nodiscard]] bool limits() const { return per_second > 0; }
  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

class Rate {
 public:
  // Full at `now`.
  Rate(const RateLimit& limit, Time now);

  // Whether that many tokens are there; more than a burst never are. Time that goes back stands still.
  [[nodiscard]] bool has(std::uint64_t tokens, Time now);
  // Takes them whether they are there or not; a debt of more than RateLimit::tokens_max is forgiven above that.
  void take(std::uint64_t tokens, Time now);
  // When that many, at most a burst, will be there if nothing is taken; `now` or earlier where they are.
  [[nodiscard]] Time has_at(std::uint64_t tokens) const;

 private:
  static constexpr std::int64_t unit = 1'000'000'000;
  void fill(Time now);

  RateLimit limit_;
  std::int64_t level_ = 0;  // -tokens_max to burst, in units
  Time filled_;             // as of then
};

}  // namespace statefs
