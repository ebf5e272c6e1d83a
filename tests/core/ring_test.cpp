#include "core/ring.h"

#include <gtest/gtest.h>

#include <deque>

namespace statefs {
namespace {

Bytes string_of(std::size_t size, std::uint8_t seed) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(seed + i);
  return out;
}

TEST(Ring, GivesBackWhatItTookInOrderThroughEveryWrap) {
  ByteRing ring(61);  // prime: the wrap falls on every offset in time
  std::deque<Bytes> model;
  Bytes front;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    const Bytes next = string_of(i * 7 % 23, static_cast<std::uint8_t>(i));
    const std::size_t free = ring.free_size();
    const bool pushed = ring.push(next);
    EXPECT_EQ(pushed, free >= 4 + next.size());
    if (pushed) model.push_back(next);
    if (!pushed || i % 3 == 0) {
      ASSERT_FALSE(model.empty());
      ring.front(front);
      EXPECT_EQ(front, model.front());
      ring.pop();
      model.pop_front();
    }
    EXPECT_EQ(ring.empty(), model.empty());
  }
}

TEST(Ring, MayHaveNoRoomAtAll) {
  ByteRing ring(0);
  EXPECT_FALSE(ring.push({}));
  EXPECT_TRUE(ring.empty());
  ring.drop(0);
}

TEST(Ring, IsLookedThroughWithoutForgetting) {
  ByteRing ring(64);
  Bytes out;
  for (std::uint8_t round = 0; round < 40; ++round) {
    for (std::uint8_t i = 0; i < 3; ++i) ASSERT_TRUE(ring.push(string_of(5 + i, static_cast<std::uint8_t>(round + i))));
    std::size_t at = 0;
    for (std::uint8_t i = 0; i < 3; ++i) {
      at = ring.peek(at, out);
      EXPECT_EQ(out, string_of(5 + i, static_cast<std::uint8_t>(round + i)));
    }
    EXPECT_EQ(at, ring.size());
    (void)ring.peek(0, out);
    ring.drop(4 + 5 + 4 + 6);
    ring.front(out);
    EXPECT_EQ(out, string_of(7, static_cast<std::uint8_t>(round + 2)));
    ring.pop();
    EXPECT_TRUE(ring.empty());
  }
}

TEST(Ring, TakesAStringThatJustFitsAndRefusesOneByteMore) {
  ByteRing ring(20);
  EXPECT_FALSE(ring.push(string_of(17, 1)));
  EXPECT_EQ(ring.free_size(), 20u);
  EXPECT_TRUE(ring.push(string_of(16, 1)));
  EXPECT_EQ(ring.free_size(), 0u);
  EXPECT_FALSE(ring.push({}));
}

}  // namespace
}  // namespace statefs
