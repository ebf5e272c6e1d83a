#include "sim/run.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace statefs::sim {
namespace {

// The first lines of what `statefs-sim --seeds 200 --base 1` prints, under every compiler, optimised or not, on every machine.
// Where a change moves the digests on purpose, that command writes the file anew. Optimised builds are held to all of it.
std::vector<std::string> golden_lines() {
  std::vector<std::string> lines;
  std::FILE* file = std::fopen("tests/sim/digests.txt", "r");
  if (file == nullptr) return lines;
  char line[256];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    std::string& last = lines.emplace_back(line);
    while (!last.empty() && last.back() == '\n') last.pop_back();
  }
  std::fclose(file);
  return lines;
}

TEST(Run, GivesTheSameDigestTwiceAndUnderEveryCompiler) {
  const std::vector<std::string> golden = golden_lines();
  ASSERT_EQ(golden.size(), 200u);
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const RunReport first = run(draw_plan(seed));
    const RunReport second = run(draw_plan(seed));
    EXPECT_EQ(first_difference(first.digest, second.digest), std::nullopt) << "two runs of seed " << seed << " differ";
    EXPECT_EQ(verdict_line(seed, first), golden[seed - 1]) << "if it was meant: statefs-sim --seeds 200 --base 1 > tests/sim/digests.txt";
  }
}

TEST(Run, JudgesSomethingByEveryCheckAndMeetsReconnects) {
  std::map<std::string_view, std::uint64_t> judged;
  std::uint64_t operations = 0, reconnects = 0;
  for (std::uint64_t seed = 100; seed < 130; ++seed) {
    const RunReport report = run(draw_plan(seed));
    EXPECT_TRUE(report.ok()) << verdict_line(seed, report);
    for (const CheckResult& each : report.checks) judged[each.name] += each.judged;
    operations += report.operations;
    reconnects += report.reconnects;
  }
  EXPECT_EQ(judged.size(), 20u);
  EXPECT_GT(judged.extract("rollback").mapped(), 0u);
  EXPECT_GT(judged.extract("channel").mapped(), 30u);
  EXPECT_GT(judged.extract("liveness").mapped(), 30u);
  EXPECT_GT(judged.extract("waits").mapped(), 100u);
  EXPECT_GT(judged.extract("counted").mapped(), 100u);
  EXPECT_GT(judged.extract("quota").mapped(), 100u);
  for (const auto& [name, count] : judged) EXPECT_GT(count, 1'000u) << name;
  EXPECT_GT(operations, 3'000u);
  EXPECT_GT(reconnects, 30u);
}

TEST(Draw, DiffersBetweenSeedsAndIsSometimesWithoutFaults) {
  EXPECT_EQ(print(draw_plan(5)), print(draw_plan(5)));
  EXPECT_NE(print(draw_plan(5)), print(draw_plan(6)));
  int faultless = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Plan plan = draw_plan(seed);
    faultless += plan.incidents.empty() && plan.hostile.empty() && plan.faults.stream.short_write.part == 0 ? 1 : 0;
  }
  EXPECT_GT(faultless, 3);
  EXPECT_LT(faultless, 40);
}

TEST(Draw, EveryPlanIsItsText) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Plan plan = draw_plan(seed);
    const auto parsed = parse_plan(print(plan));
    ASSERT_TRUE(parsed.ok()) << parsed.error();
    EXPECT_EQ(print(parsed.value()), print(plan));
  }
}

}  // namespace
}  // namespace statefs::sim
