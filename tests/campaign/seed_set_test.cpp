#include "sim/campaign/seed_set.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace statefs::sim {
namespace {

class FakeEnvironment {
 public:
  FakeEnvironment(std::map<std::string, std::string> values) : values_(std::move(values)) {}  // NOLINT: a table is an environment
  const char* operator()(const char* name) const {
    const auto at = values_.find(name);
    return at == values_.end() ? nullptr : at->second.c_str();
  }

 private:
  std::map<std::string, std::string> values_;
};

using Values = std::map<std::string, std::string>;

std::optional<std::uint64_t> index_of(const Values& values, std::optional<std::uint64_t> index = {}, std::optional<std::uint64_t> count = {}) {
  const auto shard = shard_of(index, count, FakeEnvironment(values));
  EXPECT_TRUE(shard.ok());
  return shard.ok() ? shard.value() : std::nullopt;
}

TEST(SeedSet, CountsFromItsBaseWhereThereIsNoShard) {
  const SeedSet seeds{7, 3, {}};
  EXPECT_EQ(seeds.seed(0), 7u);
  EXPECT_EQ(seeds.seed(2), 9u);
}

TEST(SeedSet, GivesEachShardSeedsOfItsOwn) {
  std::set<std::uint64_t> all;
  for (std::uint64_t base = 0; base < 3; ++base) {
    for (std::uint64_t shard = 0; shard < 50; ++shard) {
      const SeedSet seeds{base, 100, shard};
      for (std::uint64_t i = 0; i < 100; ++i) EXPECT_TRUE(all.insert(seeds.seed(i)).second) << base << " " << shard << " " << i;
    }
  }
  EXPECT_EQ(all.size(), 15'000u);
}

TEST(SeedSet, IsTheSameForEverWhereAFleetHasReportedASeed) {
  EXPECT_EQ((SeedSet{0, 1, 0}).seed(0), 17321892641553566508u);
  EXPECT_EQ((SeedSet{0, 2, 3}).seed(1), 8389240423365387651u);
}

TEST(Shard, IsNoneWithoutOptionsAndEnvironment) {
  EXPECT_EQ(index_of({}), std::nullopt);
  EXPECT_EQ(index_of({{"JOB_COMPLETION_INDEX", ""}}), std::nullopt);
}

TEST(Shard, ComesFromTheSchedulerAndAnOptionWins) {
  EXPECT_EQ(index_of({{"JOB_COMPLETION_INDEX", "3"}}), 3u);
  EXPECT_EQ(index_of({{"SLURM_ARRAY_TASK_ID", "17"}, {"SLURM_ARRAY_TASK_COUNT", "1"}, {"SLURM_ARRAY_TASK_MIN", "17"}}), 17u);
  EXPECT_EQ(index_of({{"GTEST_SHARD_INDEX", "1"}, {"GTEST_TOTAL_SHARDS", "2"}}), 1u);
  EXPECT_EQ(index_of({{"SLURM_ARRAY_TASK_ID", "17"}, {"JOB_COMPLETION_INDEX", "3"}}), 3u);
  EXPECT_EQ(index_of({{"JOB_COMPLETION_INDEX", "3"}}, 5), 5u);
}

TEST(Shard, IsRefusedWhereItIsNotBelowItsCount) {
  EXPECT_EQ(index_of({}, 9, 10), 9u);
  EXPECT_FALSE(shard_of(10, 10, FakeEnvironment({})).ok());
  EXPECT_FALSE(shard_of({}, 4, FakeEnvironment(Values{{"JOB_COMPLETION_INDEX", "4"}})).ok());
  EXPECT_FALSE(shard_of({}, {}, FakeEnvironment(Values{{"GTEST_SHARD_INDEX", "2"}, {"GTEST_TOTAL_SHARDS", "2"}})).ok());
  EXPECT_FALSE(shard_of({}, 4, FakeEnvironment({})).ok()) << "a count alone";
}

TEST(Shard, IsRefusedWhereAVariableIsNoNumber) {
  for (const char* const bad : {"x", "-1", "1 ", "1234567890123456789"}) {
    const auto shard = shard_of({}, {}, FakeEnvironment(Values{{"JOB_COMPLETION_INDEX", bad}}));
    ASSERT_FALSE(shard.ok()) << bad;
    EXPECT_NE(shard.error().find("JOB_COMPLETION_INDEX"), std::string::npos);
  }
}

}  // namespace
}  // namespace statefs::sim
