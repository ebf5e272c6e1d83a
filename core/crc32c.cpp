#include "core/crc32c.h"

#include <array>

namespace statefs {

namespace {

constexpr std::uint32_t reflected_polynomial = 0x82f63b78;

// slices[n][b]: what byte b adds when n more bytes follow it in the same word.
using Slices = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Slices make_slices() {
  Slices slices{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? reflected_polynomial : 0);
    slices[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < slices.size(); ++slice) {
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = slices[slice - 1][byte];
      slices[slice][byte] = (before >> 8) ^ slices[0][before & 0xff];
    }
  }
  return slices;
}

constexpr Slices slices = make_slices();

// Both take and give the checksum without its inversions.
std::uint32_t by_tables(ByteView bytes, std::uint32_t crc) {
  const std::uint8_t* at = bytes.data();
  std::size_t rest = bytes.size();
  for (; rest >= 8; rest -= 8, at += 8) {
    const std::uint64_t word = load_le<std::uint64_t>(at) ^ crc;
    crc = slices[7][word & 0xff] ^ slices[6][(word >> 8) & 0xff] ^ slices[5][(word >> 16) & 0xff] ^ slices[4][(word >> 24) & 0xff] ^
          slices[3][(word >> 32) & 0xff] ^ slices[2][(word >> 40) & 0xff] ^ slices[1][(word >> 48) & 0xff] ^ slices[0][word >> 56];
  }
  for (; rest > 0; --rest, ++at) crc = (crc >> 8) ^ slices[0][(crc ^ *at) & 0xff];
  return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(ByteView bytes, std::uint32_t crc) {
  const std::uint8_t* at = bytes.data();
  std::size_t rest = bytes.size();
  std::uint64_t wide = crc;
  for (; rest >= 8; rest -= 8, at += 8) wide = __builtin_ia32_crc32di(wide, load_le<std::uint64_t>(at));
  crc = static_cast<std::uint32_t>(wide);
  for (; rest > 0; --rest, ++at) crc = __builtin_ia32_crc32qi(crc, *at);
  return crc;
}
#endif

}  // namespace

std::uint32_t crc32c(ByteView bytes, std::uint32_t before) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("sse4.2")) return ~by_instruction(bytes, ~before);
#endif
  return ~by_tables(bytes, ~before);
}

std::uint32_t crc32c_by_tables(ByteView bytes, std::uint32_t before) { return ~by_tables(bytes, ~before); }

}  // namespace statefs
