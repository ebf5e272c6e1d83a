#include "sim/ddmin.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace statefs::sim {
namespace {

using Things = std::vector<std::size_t>;

// Every set of needed things among up to seven.
TEST(Ddmin, FindsExactlyWhatIsNeededInEverySmallCase) {
  for (std::size_t count = 0; count <= 7; ++count) {
    for (std::uint32_t set = 0; set < (1u << count); ++set) {
      Things needed;
      for (std::size_t i = 0; i < count; ++i) {
        if ((set >> i & 1) != 0) needed.push_back(i);
      }
      const auto fails = [&](const Things& kept) { return std::includes(kept.begin(), kept.end(), needed.begin(), needed.end()); };
      EXPECT_EQ(ddmin(count, fails), needed) << count << " things, needed " << set;
    }
  }
}

TEST(Ddmin, LeavesNothingThatCanBeLeftOutAlone) {
  // Not monotone: three of any kind, and no even sum.
  const auto fails = [](const Things& kept) {
    std::size_t sum = 0;
    for (const std::size_t each : kept) sum += each;
    return kept.size() >= 3 && sum % 2 == 1;
  };
  const Things found = ddmin(22, fails);
  EXPECT_TRUE(fails(found));
  for (std::size_t i = 0; i < found.size(); ++i) {
    Things less = found;
    less.erase(less.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(fails(less));
  }
}

TEST(Ddmin, TakesFewTestsWhereFewThingsAreNeeded) {
  std::size_t tests = 0;
  const auto fails = [&tests](const Things& kept) {
    ++tests;
    return std::binary_search(kept.begin(), kept.end(), 700u);
  };
  EXPECT_EQ(ddmin(1'000, fails), Things{700});
  EXPECT_LE(tests, 25u);
}

TEST(Ddmin, TestsNothingMoreOnceItIsEnough) {
  std::size_t tests = 0;
  const auto fails = [&tests](const Things& kept) {
    ++tests;
    return kept.size() >= 3;
  };
  EXPECT_EQ(ddmin(1'000'000, fails, [&tests] { return tests >= 4; }).size(), 125'000u);
  EXPECT_EQ(tests, 4u);
}

}  // namespace
}  // namespace statefs::sim
