#include "sim/campaign/summary.h"

#include <gtest/gtest.h>

#include "sim/campaign/progress.h"

namespace statefs::sim {
namespace {

SeedResult result_with(std::uint64_t operations) {
  SeedResult result;
  result.nodes = 3;
  result.reconnects = 1;
  result.operations = operations;
  result.checks = {{"chain", 5, ""}, {"idle", 0, ""}};
  result.faults = {{"cut", 1, false}, {"flood", 0, false}};
  result.marks = {{"hit", 3, false}, {"missed", 0, false}, {"seldom", 0, true}};
  return result;
}

TEST(Summary, IsAFailureOfTheSimulatorWhereEnoughSeedsJudgedOrAppliedNothing) {
  Summary summary;
  for (std::uint64_t i = 1; i < coverage_seeds; ++i) summary.add(result_with(200));
  EXPECT_EQ(summary.shortfalls(false).size(), 0u);
  summary.add(result_with(200));
  EXPECT_EQ(summary.shortfalls(false), (std::vector<std::string>{"the check idle judged nothing in 10000 seeds",
                                                                  "the fault flood was never applied in 10000 seeds"}));
  SeedResult late = result_with(200);
  late.checks[1].judged = 1;
  late.faults[1].count = 1;
  summary.add(late);
  EXPECT_EQ(summary.shortfalls(false).size(), 0u);
}

TEST(Summary, IsAFailureOfTheSimulatorWhereTheMedianSeedIsSmall) {
  Summary summary;
  for (std::uint64_t i = 0; i < coverage_seeds; ++i) {
    SeedResult small = result_with(199);
    small.checks[1].judged = small.faults[1].count = 1;
    small.nodes = 2;
    small.reconnects = 0;
    summary.add(small);
  }
  EXPECT_EQ(summary.shortfalls(false), (std::vector<std::string>{"the median seed has 2 nodes, fewer than 3",
                                                                  "the median seed has 199 operations, fewer than 200",
                                                                  "the median seed has 0 reconnects, fewer than 1"}));
}

TEST(Summary, MissesMarksThatAreNotRareOnlyWhereAskedFor) {
  Summary summary;
  summary.add(result_with(1));
  EXPECT_EQ(summary.missing_marks(), 1u);
  EXPECT_EQ(summary.shortfalls(false).size(), 0u);
  EXPECT_EQ(summary.shortfalls(true), std::vector<std::string>{"marks that are not declared rare and that no seed hit: missed"});
}

TEST(Summary, TakesTheMedianOfSeedsThatEnded) {
  Summary summary;
  EXPECT_EQ(summary.median(Summary::Figure::operations), 0u);
  for (const std::uint64_t operations : {900u, 10u, 30u, 20u}) summary.add(result_with(operations));
  EXPECT_EQ(summary.median(Summary::Figure::operations), 20u);
  summary.add(result_with(31));
  EXPECT_EQ(summary.median(Summary::Figure::operations), 30u);
  for (std::uint64_t i = 0; i < 9; ++i) summary.add(crashed(i, "exit status 1", ""));
  EXPECT_EQ(summary.median(Summary::Figure::operations), 30u);
  EXPECT_EQ(summary.crashes(), 9u);
  EXPECT_EQ(summary.failures(), 9u);
}

TEST(Progress, ComesAtItsIntervalsAndTellsWhatIsLeft) {
  Progress progress(Progress::Style::lines, 1000, 5'000);
  EXPECT_EQ(progress.due(14'999, {99, 0, false, 0}), "");
  EXPECT_EQ(progress.due(15'000, {100, 1, false, 0}), "campaign: 100 of 1000 seeds, 10 a second, 1 failed, 1 min 30 s to go\n");
  EXPECT_EQ(progress.due(15'001, {101, 1, false, 0}), "");
  EXPECT_EQ(progress.wipe(), "");
}

TEST(Progress, IsWrittenOverItselfOnATerminalAndWiped) {
  Progress progress(Progress::Style::terminal, 8, 0);
  EXPECT_EQ(progress.due(200, {0, 0, true, 7}), "\r0 of 8 seeds, 0 a second, 0 failed, 7 marks missing\x1b[K");
  EXPECT_EQ(progress.wipe(), "\r\x1b[K");
  EXPECT_EQ(progress.wipe(), "");
}

TEST(Progress, SaysNothingWhereQuiet) {
  Progress progress(Progress::Style::none, 8, 0);
  EXPECT_EQ(progress.due(1'000'000, {4, 0, false, 0}), "");
}

}  // namespace
}  // namespace statefs::sim
