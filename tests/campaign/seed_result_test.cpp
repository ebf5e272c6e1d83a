#include "sim/campaign/seed_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/campaign/determinism.h"
#include "sim/campaign/jsonl.h"
#include "sim/campaign/seed_run.h"

namespace statefs::sim {
namespace {

SeedResult some_result() {
  SeedResult result;
  result.seed = 18'000'000'000'000'000'000u;
  result.digest = 0xab;
  result.nodes = 3;
  result.operations = 20;
  result.reconnects = 4;
  result.simulated_ns = 1'002'999'999;
  result.checks = {{"chain", 7, ""}, {"policy", 8, "a \"quoted\"\nline \x01\xff"}};
  result.faults = {{"cut", 5, false}};
  result.marks = {{"a.b", 0, true}, {"c.d", 9, false}};
  result.notes = "plan\n";
  return result;
}

TEST(SeedResult, IsReadBackAsItWasWritten) {
  Bytes bytes;
  encode(some_result(), bytes);
  EXPECT_EQ(decode_result(bytes), some_result());
}

TEST(SeedResult, IsNoneWhereBytesAreMissingOrTooMany) {
  Bytes bytes;
  encode(some_result(), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_EQ(decode_result(ByteView(bytes).first(size)), std::nullopt) << size;
  bytes.push_back(0);
  EXPECT_EQ(decode_result(bytes), std::nullopt);
}

TEST(SeedResult, HasTheVerdictLineOfItsReport) {
  for (std::uint64_t seed = 1; seed < 4; ++seed) {
    const Plan plan = draw_plan(seed);
    const RunReport report = run(plan);
    EXPECT_EQ(verdict_line(result_of(plan, report)), verdict_line(seed, report));
    EXPECT_EQ(run_seed(seed, {}), result_of(plan, report));
    EXPECT_EQ(result_of(plan, report).nodes, plan.nodes.size());
  }
}

TEST(SeedResult, SaysWhyAndThenTheVerdict) {
  EXPECT_EQ(lines_of(some_result()),
            "plan\npolicy: a \"quoted\"\nline \x01\xff\n"
            "seed=18000000000000000000 digest=00000000000000ab operations=20 simulated=1.002 verdict=failed:policy\n");
  EXPECT_EQ(lines_of(crashed(5, "signal 6 (Aborted)", "  | last words\n")),
            "  | last words\ncrash: signal 6 (Aborted)\nseed=5 digest=0000000000000000 operations=0 simulated=0.000 verdict=failed:crash\n");
}

TEST(SeedRun, WithoutFaultsBreaksNothing) {
  std::uint64_t with = 0, without = 0;
  for (std::uint64_t seed = 1; seed < 12; ++seed) {
    with += run_seed(seed, {}).reconnects;
    const SeedResult calm = run_seed(seed, {true, false, false, {}});
    EXPECT_TRUE(calm.ok());
    without += calm.reconnects;
  }
  EXPECT_GT(with, 0u);
  EXPECT_EQ(without, 0u);
}

TEST(SeedRun, ComparesTwoRuns) {
  const SeedResult result = run_seed(3, {false, true, false, {}});
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.checks.back(), (CheckCount{"determinism", 1, ""}));
}

TEST(Determinism, NamesTheFirstEventInWhichTwoRunsDiffer) {
  const Plan plan = draw_plan(3);
  Plan other = plan;
  other.incidents.push_back({IncidentKind::clock_drift, Time{} + seconds(1), 0, 0, 0, {}, 1'000});
  int count = 0;
  const CheckResult result =
      check_determinism(run(plan), [&](const EventRange& recorded) { return run(count++ % 2 == 0 ? other : plan, {recorded, {}, nullptr, {}}); });
  EXPECT_EQ(count, 3);
  EXPECT_EQ(result.name, "determinism");
  EXPECT_THAT(result.failure, ::testing::MatchesRegex("two runs differ among events [0-9]+ to [0-9]+, in event [0-9]+: time=.* and time=.*"));
  const std::size_t colon = result.failure.find(": ");
  const std::string seen = result.failure.substr(colon + 2);
  EXPECT_NE(seen.substr(0, seen.find(" and ")), seen.substr(seen.find(" and ") + 5));
}

TEST(SeedRun, IsTheSameWhereItIsTold) {
  std::string told;
  SeedRunOptions options;
  options.tell = [&](const Story& story) { told = story.verdict_line; };
  const SeedResult result = run_seed(3, options);
  EXPECT_EQ(result, run_seed(3, {}));
  EXPECT_EQ(told, verdict_line(result));
}

TEST(Jsonl, WritesOneLineWhateverAFailureSays) {
  EXPECT_EQ(json_of(some_result(), true),
            R"({"seed":"18000000000000000000","digest":"00000000000000ab","nodes":3,"operations":20,"reconnects":4,"simulated_ms":1002,)"
            R"("verdict":"failed","failed_check":"policy","failures":{"policy":"a \u0022quoted\u0022\u000aline \u0001\u00ff"},)"
            R"("judged":{"chain":7,"policy":8},"applied":{"cut":5},"marks":{"a.b":0,"c.d":9}})");
  EXPECT_EQ(json_of(some_result(), false).find("marks"), std::string::npos);
}

TEST(Jsonl, EndsWithASummary) {
  Summary summary;
  summary.add(some_result());
  summary.add(crashed(6, "exit status 1", ""));
  EXPECT_EQ(json_of(summary, false),
            R"({"summary":true,"seeds":2,"failed":2,"crashed":1,"verdict":"failed","failed_seeds":["18000000000000000000","6"],)"
            R"("shortfalls":[],"median":{"nodes":3,"operations":20,"reconnects":4},"judged":{"chain":7,"policy":8},"applied":{"cut":5}})");
}

}  // namespace
}  // namespace statefs::sim
