#include "core/byte_mask.h"

#include <algorithm>
#include <array>
#include <string>

namespace statefs {
namespace {

template <typename Block>
class ByteMask : public testing::Test {};

#if defined(__SSE2__)
using Blocks = testing::Types<Block8, Block16>;
#else
using Blocks = testing::Types<Block8>;
#endif
TYPED_TEST_SUITE(ByteMask, Blocks);

bool is_special(unsigned byte) { return byte < 0x20 || byte == '\\' || byte >= 0x7f; }

// Every byte at every place beside every byte that could disturb it by a carry or a borrow.
TYPED_TEST(ByteMask, MarksEachByteWhateverStandsBesideIt) {
  std::size_t specials = 0;
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (const unsigned beside : {0x00u, 0x1fu, 0x20u, 0x2du, 0x2eu, 0x2fu, 0x30u, 0x5cu, 0x61u, 0x7eu, 0x7fu, 0x80u, 0xafu, 0xffu}) {
      for (std::size_t place = 0; place < TypeParam::size; ++place) {
        std::array<std::uint8_t, TypeParam::size> text{};
        text.fill(static_cast<std::uint8_t>(beside));
        text[place] = static_cast<std::uint8_t>(byte);
        std::uint64_t slashes = 0;
        std::uint64_t dots = 0;
        bool special = false;
        for (std::size_t i = 0; i < text.size(); ++i) {
          if (text[i] == '/') slashes |= std::uint64_t{1} << i;
          if (text[i] == '.') dots |= std::uint64_t{1} << i;
          special = special || is_special(text[i]);
        }
        const TypeParam block(text.data());
        ASSERT_EQ(block.slashes(), slashes);
        ASSERT_EQ(block.marks().slashes, slashes);
        ASSERT_EQ(block.marks().dots, dots);
        ASSERT_EQ(block.marks().special != 0, special) << byte << " beside " << beside;
        if (special) ++specials;
      }
    }
  }
  EXPECT_GT(specials, 1'000u);
}

// Texts of exact size, so that a sanitizer sees a byte read too far.
TEST(ByteMaskBlocks, CoverEveryRangeOfATextOnce) {
  for (std::size_t size = 1; size <= 70; ++size) {
    std::string exact(size, 'a');
    for (std::size_t i = 0; i < size; i += 3) exact[i] = '/';
    const Bytes text(exact.begin(), exact.end());
    for (std::size_t base = 0; base < size; base += 64) {
      const std::size_t end = std::min(size, base + 64);
      std::uint64_t slashes = 0;
      for_each_block(text, base, end, [&](std::size_t offset, auto block, std::size_t skip) {
        slashes |= (block.slashes() >> skip) << offset;
        EXPECT_EQ(block.marks().special, 0u);
      });
      for (std::size_t i = base; i < end; ++i) ASSERT_EQ((slashes >> (i - base)) & 1, text[i] == '/' ? 1u : 0u) << size << " " << i;
    }
  }
}

TEST(ByteMaskHead, IsZeroPastItsEnd) {
  const Bytes text{1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT_EQ(load_head(text, 3), 0x030201u);
  EXPECT_EQ(load_head(text, 7), 0x07060504030201u);
  EXPECT_EQ(load_head(ByteView(text).first(3), 3), 0x030201u);
}

}  // namespace
}  // namespace statefs
