#include "core/rate.h"

#include <algorithm>
#include <limits>

#include "core/check.h"

namespace statefs {

static_assert(RateLimit::tokens_max <= (std::uint64_t{1} << 32), "a full bucket and the deepest debt are 2^33 tokens apart, in units below 2^63");

Rate::Rate(const RateLimit& limit, Time now) : limit_(limit), filled_(now) {
  STATEFS_CHECK(limit.per_second <= RateLimit::tokens_max && limit.burst <= RateLimit::tokens_max);
  STATEFS_CHECK(!limit.limits() || limit.burst >= 1);
  level_ = static_cast<std::int64_t>(limit.burst) * unit;
}

void Rate::fill(Time now) {
  if (now <= filled_) return;
  // Instants may be as far apart as the clock can tell: the difference fits 64 bits without a sign alone.
  const std::uint64_t passed_ns = static_cast<std::uint64_t>(now.ns) - static_cast<std::uint64_t>(filled_.ns);
  const std::uint64_t missing = static_cast<std::uint64_t>(static_cast<std::int64_t>(limit_.burst) * unit - level_);
  const bool full = passed_ns > missing / limit_.per_second;
  level_ += static_cast<std::int64_t>(full ? missing : passed_ns * limit_.per_second);
  filled_ = now;
}

bool Rate::has(std::uint64_t tokens, Time now) {
  if (!limit_.limits()) return true;
  fill(now);
  return tokens <= limit_.burst && level_ >= static_cast<std::int64_t>(tokens) * unit;
}

void Rate::take(std::uint64_t tokens, Time now) {
  if (!limit_.limits()) return;
  fill(now);
  constexpr std::int64_t deepest = -static_cast<std::int64_t>(RateLimit::tokens_max) * unit;
  const std::int64_t cost = static_cast<std::int64_t>(std::min(tokens, RateLimit::tokens_max)) * unit;
  level_ = level_ - deepest <= cost ? deepest : level_ - cost;
}

Time Rate::has_at(std::uint64_t tokens) const {
  if (!limit_.limits()) return filled_;
  STATEFS_CHECK(tokens <= limit_.burst);
  const std::int64_t missing = static_cast<std::int64_t>(tokens) * unit - level_;
  if (missing <= 0) return filled_;
  const auto per_second = static_cast<std::int64_t>(limit_.per_second);
  return filled_ + nanoseconds((missing - 1) / per_second + 1);
}

}  // namespace statefs
