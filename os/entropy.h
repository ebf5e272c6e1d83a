// ENTROPY: random bytes of the kernel. The only source of keys and ephemerals outside tests.
//
//   getrandom(2) -> ENTROPY -> identity.h, stream_driver.h, client_stream.h
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/crypto.h"

namespace statefs {

// Fills all of `out`, or ends the process with one line: a program without randomness must not go on to make keys.
void fill_random(std::span<std::uint8_t> out);

template <std::size_t N>
[[nodiscard]] std::array<std::uint8_t, N> random_bytes() {
  std::array<std::uint8_t, N> out{};
  fill_random(out);
  return out;
}

// 32 fresh bytes: a private key or an ephemeral. The intermediate copy is wiped.
[[nodiscard]] SecretKey random_secret();

}  // namespace statefs
