#include "sim/exhaust.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/exhaust_scripts.h"

namespace statefs::sim {
namespace {

ExhaustReport enumerate(std::string_view name, const ExhaustOptions& options) {
  const ExhaustScript* const script = exhaust_script_of(name);
  EXPECT_NE(script, nullptr) << name;
  return script == nullptr ? ExhaustReport{} : exhaust(*script, options);
}

TEST(Exhaust, FindsNothingWithOneFaultAnywhereInAnyScript) {
  EXPECT_EQ(exhaust_scripts().size(), 6u);
  ExhaustOptions options;
  options.faults_max = 1;
  for (const ExhaustScript& script : exhaust_scripts()) {
    const ExhaustReport report = exhaust(script, options);
    for (const ExhaustFailure& each : report.failures) {
      ADD_FAILURE() << script.name << ": " << each.check << ": " << each.what << "\n" << each.scenario;
    }
    EXPECT_GT(report.schedules, 200u) << script.name;
    EXPECT_GT(report.states.size(), 10u) << script.name;
  }
}

TEST(Exhaust, SaysTheSameTwiceAndInParts) {
  ExhaustOptions options;
  options.faults_max = 1;
  const ExhaustReport whole = enumerate("evict", options);
  options.part_count = 3;
  ExhaustReport parted;
  for (options.part = 0; options.part < options.part_count; ++options.part) {
    ExhaustReport part = enumerate("evict", options);
    parted.schedules += part.schedules;
    parted.states.merge(part.states);
  }
  EXPECT_EQ(parted.schedules, whole.schedules);
  EXPECT_EQ(parted.states, whole.states);
}

TEST(Exhaust, RunsNoPlanTwiceAndEachIsItsText) {
  std::set<std::string> plans;
  std::uint64_t runs = 0;
  ExhaustOptions options;
  options.faults_max = 1;
  options.before_each = [&](const Plan& plan, std::uint64_t) {
    ++runs;
    plans.insert(print(plan));
    const auto parsed = parse_plan(print(plan));
    ASSERT_TRUE(parsed.ok()) << parsed.error();
    EXPECT_EQ(print(parsed.value()), print(plan));
  };
  const ExhaustReport report = enumerate("retry", options);
  EXPECT_EQ(report.schedules, runs);
  EXPECT_EQ(plans.size(), runs);
}

TEST(Exhaust, StopsAtTheFirstScheduleThatFailsAndTellsItsPlan) {
  ExhaustOptions options;
  options.faults_max = 1;
  std::uint64_t runs = 0;
  options.lie = [&runs](History& history) {
    if (++runs == 40) std::erase_if(history.appends, [](const SeenAppend& each) { return each.is_mutation(); });
  };
  const ExhaustReport report = enumerate("crash", options);
  EXPECT_EQ(report.schedules, 40u);
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_FALSE(report.failures[0].check.empty());
  EXPECT_NE(report.failures[0].scenario.find("\nevent "), std::string::npos) << report.failures[0].scenario;
  EXPECT_TRUE(parse_plan(report.failures[0].scenario).ok());
}

}  // namespace
}  // namespace statefs::sim
