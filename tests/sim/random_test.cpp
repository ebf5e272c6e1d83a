#include "sim/random.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace statefs::sim {
namespace {

std::vector<std::uint64_t> draws_of(RandomStream stream, std::size_t count) {
  std::vector<std::uint64_t> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(stream.next());
  return out;
}

TEST(RandomStream, IsTheSameOnEveryCompilerAndMachine) {
  RandomSource source(1);
  RandomStream stream = source.stream("net/0->1");
  EXPECT_EQ(draws_of(stream, 3), (std::vector<std::uint64_t>{0x9bef453af24eb20b, 0xe063db23e46cba8c, 0x9a2b4c7c5c7d36e1}));
}

TEST(RandomStream, ADrawInOneNeverMovesAnother) {
  RandomSource quiet(7);
  const auto alone = draws_of(quiet.stream("disk/2"), 100);
  RandomSource busy(7);
  RandomStream other = busy.stream("disk/1");
  RandomStream stream = busy.stream("disk/2");
  for (std::size_t i = 0; i < alone.size(); ++i) {
    for (std::size_t j = 0; j < i % 5; ++j) other.below(1000);
    EXPECT_EQ(stream.next(), alone[i]);
  }
}

TEST(RandomStream, DiffersByNameAndBySeed) {
  RandomSource one(1), two(2);
  EXPECT_NE(draws_of(one.stream("key/0"), 4), draws_of(one.stream("key/1"), 4));
  EXPECT_NE(draws_of(one.stream("key/0"), 4), draws_of(two.stream("key/0"), 4));
  EXPECT_EQ(draws_of(one.stream("key/0"), 4), draws_of(one.stream("key/0"), 4));
}

TEST(RandomStream, SplitDependsOnNoDraw) {
  RandomSource source(3);
  RandomStream early = source.stream("key/0");
  RandomStream late = source.stream("key/0");
  (void)draws_of(late, 1);
  late.next();
  EXPECT_EQ(draws_of(early.split("ephemeral"), 4), draws_of(late.split("ephemeral"), 4));
  EXPECT_NE(draws_of(early.split("ephemeral"), 4), draws_of(early, 4));
}

TEST(RandomStream, BelowStaysBelowAndReachesEveryValueAlike) {
  RandomSource source(4);
  RandomStream stream = source.stream("x");
  std::array<int, 7> seen{};
  for (int i = 0; i < 70'000; ++i) ++seen[stream.below(7)];
  for (const int count : seen) {
    EXPECT_GT(count, 9'500);
    EXPECT_LT(count, 10'500);
  }
  const std::uint64_t wide = (std::uint64_t{1} << 40) + 3;
  for (int i = 0; i < 1'000; ++i) EXPECT_LT(stream.below(wide), wide);
}

TEST(RandomStream, BetweenReachesBothEnds) {
  RandomSource source(5);
  RandomStream stream = source.stream("x");
  bool low = false, high = false;
  for (int i = 0; i < 1'000; ++i) {
    const std::uint64_t value = stream.between(10, 13);
    ASSERT_GE(value, 10u);
    ASSERT_LE(value, 13u);
    low = low || value == 10;
    high = high || value == 13;
  }
  EXPECT_TRUE(low && high);
}

TEST(RandomStream, ChanceIsARatio) {
  RandomSource source(6);
  RandomStream stream = source.stream("x");
  int hits = 0;
  for (int i = 0; i < 30'000; ++i) hits += stream.chance({1, 3}) ? 1 : 0;
  EXPECT_GT(hits, 9'700);
  EXPECT_LT(hits, 10'300);
  EXPECT_FALSE(stream.chance({0, 1}));
  EXPECT_TRUE(stream.chance({1, 1}));
}

TEST(RandomStream, RunLengthAndSkewedStayUnderTheirMaximum) {
  RandomSource source(8);
  RandomStream stream = source.stream("x");
  std::uint64_t longest = 0, small = 0, large = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t length = stream.run_length({1, 2}, 5);
    ASSERT_LE(length, 5u);
    longest = length > longest ? length : longest;
    const std::uint64_t value = stream.skewed(1000);
    ASSERT_LE(value, 1000u);
    small += value < 10 ? 1 : 0;
    large += value > 500 ? 1 : 0;
  }
  EXPECT_EQ(longest, 5u);
  EXPECT_GT(small, 3'000u);
  EXPECT_GT(large, 500u);
}

TEST(RandomStream, FillGivesTheWordsInOrder) {
  RandomSource source(9);
  RandomStream words = source.stream("x");
  RandomStream filled = source.stream("x");
  std::array<std::uint8_t, 20> bytes{};
  filled.fill(bytes);
  EXPECT_EQ(load_le<std::uint64_t>(bytes.data()), words.next());
  EXPECT_EQ(load_le<std::uint64_t>(bytes.data() + 8), words.next());
  EXPECT_EQ(load_le<std::uint32_t>(bytes.data() + 16), static_cast<std::uint32_t>(words.next()));
}

TEST(RandomSource, CountsTheDrawsOfAllItsStreams) {
  RandomSource source(10);
  RandomStream a = source.stream("a"), b = source.stream("b");
  a.next();
  b.below(10);
  b.below(1);  // no choice, no draw
  EXPECT_EQ(source.draws(), a.count() + b.count());
  EXPECT_EQ(a.count(), 1u);
}

}  // namespace
}  // namespace statefs::sim
