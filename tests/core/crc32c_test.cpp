#include "core/crc32c.h"

#include <gtest/gtest.h>

#include "tests/core/hex.h"

namespace statefs {
namespace {

// RFC 3720 appendix B.4, whose table gives the bytes of each checksum in the order they are sent.
TEST(Crc32c, GivesTheVectorsOfTheStandard) {
  EXPECT_EQ(crc32c(Bytes(32, 0x00)), 0x8a9136aau);
  EXPECT_EQ(crc32c(Bytes(32, 0xff)), 0x62a8ab43u);
  EXPECT_EQ(crc32c(counted<32>(0)), 0x46dd794eu);
  Bytes falling(32);
  for (std::size_t i = 0; i < 32; ++i) falling[i] = static_cast<std::uint8_t>(31 - i);
  EXPECT_EQ(crc32c(falling), 0x113fdb5cu);
  EXPECT_EQ(crc32c(from_hex("01c00000000000000000000000000000"
                            "14000000000004000000001400000018"
                            "28000000000000000200000000000000")), 0xd9963a56u);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c({}), 0u);
}

// One bit at a time, as the definition has it.
std::uint32_t bitwise(ByteView bytes) {
  std::uint32_t crc = ~0u;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

TEST(Crc32c, IsThatOfTheDefinitionAtEverySizeAndSplit) {
  Bytes bytes(70);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 + 11);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const ByteView whole = ByteView(bytes).first(size);
    const std::uint32_t expected = bitwise(whole);
    for (std::size_t split = 0; split <= size; ++split) {
      ASSERT_EQ(crc32c(whole.subspan(split), crc32c(whole.first(split))), expected) << size << ' ' << split;
      ASSERT_EQ(crc32c_by_tables(whole.subspan(split), crc32c_by_tables(whole.first(split))), expected) << size << ' ' << split;
    }
  }
}

}  // namespace
}  // namespace statefs
