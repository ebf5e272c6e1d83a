#include "sim/minimize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/draw.h"
#include "sim/run.h"

namespace statefs::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

bool does(const Plan& plan, NodeId client, std::uint32_t operation) {
  if (!plan.is_client(client)) return false;
  const auto numbers = plan.operations_of(client);
  return std::find(numbers.begin(), numbers.end(), operation) != numbers.end();
}

bool has(const Plan& plan, IncidentKind kind, NodeId node) {
  return std::any_of(plan.incidents.begin(), plan.incidents.end(), [&](const Incident& each) { return each.kind == kind && each.node == node; });
}

// A drawn plan with one more incident, which a drawn one has not.
Plan big_plan() {
  Plan plan;
  for (std::uint64_t seed = 1; plan.client_count < 5 || plan.incidents.size() < 8 || plan.server_count != 1; ++seed) plan = draw_plan(seed);
  Incident incident;
  incident.kind = IncidentKind::crash;
  incident.at = Time{1'234'567'891};
  incident.lasts = nanoseconds(72'345'678);
  incident.node = plan.server_count + 2;
  std::erase_if(plan.incidents, [&](const Incident& each) { return each.node == incident.node && each.kind == incident.kind; });
  plan.incidents.push_back(incident);
  return plan;
}

TEST(Minimize, KeepsAnIncidentAndAnOperationAndNothingElse) {
  const Plan before = big_plan();
  const NodeId crashing = before.server_count + 2;
  const auto failed_check = [crashing](const Plan& plan) {
    return std::string(has(plan, IncidentKind::crash, crashing) && does(plan, 2, 7) ? "audit" : "");
  };
  ASSERT_EQ(failed_check(before), "audit");
  const Minimized after = minimize(before, "audit", failed_check);
  EXPECT_EQ(failed_check(after.plan), "audit");
  EXPECT_FALSE(after.bounded);
  ASSERT_THAT(after.plan.incidents, SizeIs(1));
  EXPECT_EQ(after.plan.incidents[0].at, Time{});
  EXPECT_EQ(after.plan.incidents[0].lasts, Duration{});
  EXPECT_THAT(after.plan.operations, ElementsAre(std::pair(NodeId{2}, std::vector<std::uint32_t>{7})));
  EXPECT_EQ(print(after.plan), "seed " + std::to_string(before.seed) +
                                   "\nclients 3\nwork.operations 0\ncalm.operations 0\ndo 2 7\nat 0s crash node=3\n");
  EXPECT_LT(after.runs, 400u);
}

TEST(Minimize, TakesNoOtherFailureForTheSame) {
  const Plan before = big_plan();
  const auto failed_check = [](const Plan& plan) { return std::string(plan.incidents.size() >= 3 ? "audit" : "policy"); };
  const Minimized after = minimize(before, "audit", failed_check);
  EXPECT_THAT(after.plan.incidents, SizeIs(3));
}

TEST(Minimize, RoundsTimesThatAreNeededDown) {
  const Plan before = big_plan();
  const auto failed_check = [](const Plan& plan) {
    const bool late = !plan.incidents.empty() && plan.incidents.back().at > Time{1'150'000'000} && plan.incidents.back().lasts > milliseconds(70);
    return std::string(late && plan.workload.timeout > milliseconds(150) ? "crash" : "");
  };
  const Minimized after = minimize(before, "crash", failed_check);
  ASSERT_THAT(after.plan.incidents, SizeIs(1));
  EXPECT_EQ(after.plan.incidents[0].at, Time{1'200'000'000});
  EXPECT_EQ(after.plan.incidents[0].lasts, milliseconds(72));
}

TEST(Minimize, KeepsTheCalmPartForLivenessAlone) {
  const Plan before = big_plan();
  for (const std::string check : {"liveness", "audit"}) {
    const Minimized after = minimize(before, check, [&](const Plan&) { return check; });
    EXPECT_EQ(after.plan.calm_operations, check == "liveness" ? 4u : 0u);
    EXPECT_EQ(after.plan.client_count, 0u);
    EXPECT_THAT(after.plan.incidents, IsEmpty());
    EXPECT_THAT(after.plan.hostile, IsEmpty());
  }
}

// Whatever is left out makes another run of it, in which the moment is met again only now and then.
TEST(Minimize, LooksForAMomentThatEveryChangeMovesWithOtherSeeds) {
  const Plan before = big_plan();
  const NodeId crashing = before.server_count + 2;
  const auto failed_check = [&](const Plan& plan) {
    const std::string text = print(plan);
    const bool is_met = text == print(before) || hash_name(text) % 8 == 0;
    return std::string(is_met && has(plan, IncidentKind::crash, crashing) ? "audit" : "");
  };
  const std::string whole = print(before);
  ASSERT_GT(std::count(whole.begin(), whole.end(), '\n'), 40);
  const Minimized after = minimize(before, "audit", failed_check);
  EXPECT_EQ(failed_check(after.plan), "audit");
  const std::string text = print(after.plan);
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), static_cast<std::ptrdiff_t>(scenario_lines_wanted));
}

TEST(Minimize, HasTheSameSeedWhereNoOtherIsNeeded) {
  const Plan before = big_plan();
  const Minimized after = minimize(before, "audit", [](const Plan& plan) { return std::string(plan.incidents.size() >= 2 ? "audit" : ""); });
  EXPECT_EQ(after.plan.seed, before.seed);
}

TEST(Run, IsJudgedByNothingWhereItComesToABoundOfItsOwn) {
  const Plan plan = draw_plan(3);
  Watch watch;
  watch.events_max = 1'000;
  const RunReport cut = run(plan, watch);
  EXPECT_LT(cut.digest.event_count(), run(plan).digest.event_count());
  EXPECT_THAT(cut.checks, IsEmpty());
  watch.events_max = 1'000'000;
  EXPECT_EQ(run(plan, watch).digest.value(), run(plan).digest.value());
  EXPECT_FALSE(run(plan, watch).checks.empty());
}

// Each run has its disks in memory.
TEST(Plan, GivesAStoreOnADiskNoMoreThanASmallDiskHolds) {
  Plan plan;
  plan.server_count = 2;
  plan.store.journals = 2;
  EXPECT_EQ(plan.store.value_bytes_of(0), limits::store_value_bytes_default);
  EXPECT_EQ(plan.store.keys_of(0), limits::store_keys_default);
  EXPECT_EQ(plan.store.value_bytes_of(1), journal_value_bytes_most);
  EXPECT_EQ(plan.store.keys_of(1), journal_keys_most);
  plan.store.value_bytes_max = 7;
  plan.store.keys_max = 3;
  EXPECT_EQ(plan.store.value_bytes_of(1), 7u);
  EXPECT_EQ(plan.store.keys_of(1), 3u);
}

TEST(Minimize, StopsAtItsBoundWithWhatItHas) {
  const Plan before = big_plan();
  std::uint64_t runs = 0;
  const auto failed_check = [&runs](const Plan& plan) {
    ++runs;
    return std::string(plan.incidents.size() >= 2 ? "audit" : "");
  };
  for (const std::uint64_t bound : {0u, 1u, 7u}) {
    runs = 0;
    const Minimized after = minimize(before, "audit", failed_check, bound);
    EXPECT_EQ(runs, bound);
    EXPECT_EQ(after.runs, bound);
    EXPECT_TRUE(after.bounded);
    EXPECT_EQ(failed_check(after.plan), "audit");
  }
}

TEST(Minimize, GivesTheSameTwice) {
  const Plan before = big_plan();
  // Fails and does not fail in no order at all, but for the whole.
  const auto failed_check = [&before](const Plan& plan) {
    return std::string(print(plan) == print(before) || print(plan).size() % 7 < 3 ? "audit" : "");
  };
  const Minimized first = minimize(before, "audit", failed_check);
  const Minimized second = minimize(before, "audit", failed_check);
  EXPECT_EQ(print(first.plan), print(second.plan));
  EXPECT_EQ(first.runs, second.runs);
}

TEST(Minimize, NamingTheOperationsOfEachClientMovesNothing) {
  const Plan plan = draw_plan(3);
  EXPECT_EQ(run(plan).digest.value(), run(with_operations_named(plan)).digest.value());
}

TEST(Plan, WithoutANodeNamesNoneThatIsNotThere) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Plan plan = draw_plan(seed);
    for (NodeId id = 0; id < plan.node_count(); ++id) {
      const Plan less = without_node(plan, id);
      if (plan.is_server(id) && plan.server_count == 1) EXPECT_EQ(print(less), print(plan));
      else EXPECT_EQ(less.node_count() + 1, plan.node_count());
      const auto parsed = parse_plan(print(less));
      EXPECT_TRUE(parsed.ok()) << parsed.error();
    }
    for (std::size_t i = 1; i < plan.policies.size(); ++i) {
      const auto parsed = parse_plan(print(without_policy(plan, i)));
      EXPECT_TRUE(parsed.ok()) << parsed.error();
    }
  }
}

TEST(PlanText, NamesTheLineThatIsWrong) {
  const std::pair<const char*, const char*> wrong[] = {
      {"seed 1\nclients two\n", "line 2: not understood: clients"},
      {"# head\n\nsomething 1\n", "line 3: not understood: something"},
      {"seed 1\nservers 0\nclients 2\n", "line 2: servers: "},
      {"at 1s crash node=5\nclients 2\n", "line 1: names a node"},
      {"clients 2\nat 1s nothing node=0\n", "line 2: not understood: at"},
      {"at 1 crash node=0\n", "line 1: not understood: at"},
      {"at 1s policy node=0 amount=1\n", "line 1: loads a policy"},
      {"do 1 0,1\ndo 0 1\n", "line 2: names a node that is no client"},
      {"do 1 0,,1\n", "line 1: not understood: do"},
      {"hostile deaf dumb\n", "line 1: not understood: hostile"},
      {"policy strangers=1 colour=2\n", "line 1: not understood: policy"},
      {"work.pause_max -1ns\n", "line 1: not understood: work.pause_max"},
      {"work.value_size_max 3000000\n", "line 1: work.value_size_max: "},
      {"work.keys 0\n", "line 1: work.keys: "},
      {"limits.sessions_per_key 0\n", "line 1: limits.sessions_per_key: "},
      {"clients 2\nnode 77 drift_ppb=5\n", "line 2: names a node that is not there"},
      {"limits.connections_max 0\n", "line 1: limits.connections_max: "},
      {"clients 8\nlimits.connections_max 2\n", "fewer connections than clients"},
      {"policy quota_bytes=60000000\n", "policy: quotas"},
      {"policy quota_keys=600000\n", "policy: quotas"},
      {"store.audit_ring_size 1\n", "line 1: store.audit_ring_size: "},
  };
  for (const auto& [text, error] : wrong) {
    const auto parsed = parse_plan(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_THAT(parsed.error(), HasSubstr(error)) << text;
  }
}

}  // namespace
}  // namespace statefs::sim
