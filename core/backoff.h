// BACKOFF: how long to wait before the next attempt: exponential, half of it jitter.
//
//   client.h waits this long between connections
#pragma once

#include <cstdint>

#include "core/time.h"

namespace statefs {

class Backoff {
 public:
  // `seed` tells clients apart; it need not be secret.
  Backoff(Duration min, Duration max, std::uint64_t seed) : min_(min), max_(max), jitter_(seed) {}

  // The wait after one more failure: between half and all of min * 2^failures, never above max.
  [[nodiscard]] Duration next();
  void succeeded() { failures_ = 0; }
  void stir(std::uint64_t random) { jitter_ ^= random; }

 private:
  Duration min_;
  Duration max_;
  std::uint64_t jitter_;
  unsigned failures_ = 0;
};

}  // namespace statefs
