#include "os/entropy.h"

#include <strings.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

#include "os/problem.h"

namespace statefs {

void fill_random(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t count = ::getrandom(out.data(), out.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      complain("statefs", "the kernel gives no random bytes (getrandom: " + errno_text(errno) + "): refusing to make keys");
      std::_Exit(1);
    }
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

SecretKey random_secret() {
  std::array<std::uint8_t, 32> bytes{};
  fill_random(bytes);
  SecretKey secret{std::span<const std::uint8_t, 32>(bytes)};
  ::explicit_bzero(bytes.data(), bytes.size());
  return secret;
}

}  // namespace statefs
