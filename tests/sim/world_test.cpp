#include "sim/world.h"

#include <gtest/gtest.h>

namespace statefs::sim {
namespace {

struct Told {
  std::vector<std::string> transcript, audit;
};

Told run_tour(std::uint64_t seed, const Faults& faults) {
  World world(seed, faults);
  Node& node = world.add_node(NodeOptions{{}, seed % 2 == 0 ? microseconds(500) : Duration{}});
  world.add_server(node, {world.enrol({1}), {}, {}});
  WorldDriver driver(world, node.id());
  const std::vector<Step> steps = tour();
  const ScriptRun run = run_script(steps, driver);
  for (const std::string& line : run.surprises) ADD_FAILURE() << line << "; " << describe(faults);
  EXPECT_EQ(run.transcript.size(), steps.size());
  Told told{run.transcript, {}};
  RevisionNames names;
  for (const AuditRecord& record : audit_in(world.trace())) told.audit.push_back(describe(record, names));
  return told;
}

TEST(World, AnswersAndRecordsTheTourAlikeUnderEveryTearing) {
  const Told plain = run_tour(1, Faults{});
  EXPECT_GT(plain.audit.size(), 40u);
  Faults torn;
  torn.stream = {4'000, {1, 2, 3, 4}, {1, 2}, {1, 8}, {1, 2}, {}, {}};
  torn.link = {microseconds(300), milliseconds(2), 20'000'000};
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const Told told = run_tour(seed, torn);
    EXPECT_EQ(told.transcript, plain.transcript) << "seed " << seed;
    EXPECT_EQ(told.audit, plain.audit) << "seed " << seed;
  }
}

TEST(World, NothingButKeepalivesHappensWhenNobodyCalls) {
  World world(1, Faults{});
  Node& node = world.add_node();
  ServerProgram& server = world.add_server(node, {world.enrol({1}), {}, {}});
  WorldDriver driver(world, node.id());
  ASSERT_EQ(driver.call(PutRequest{{}, {}, as_bytes("/state/shared/a"), 1, as_bytes("v"), {}}).response.status, Status::ok);
  const std::uint64_t before = world.schedule().digest().event_count();
  world.run_until(world.now() + seconds(3'600));
  EXPECT_LT(world.schedule().digest().event_count() - before, 3'600u / 15 * 20);
  EXPECT_EQ(server.server().connection_count(), 1u) << "keepalives kept it";
}

TEST(World, ACrashedServerBreaksItsStreamsAndRefusesNewOnes) {
  World world(1, Faults{});
  Node& node = world.add_node();
  ServerProgram& server = world.add_server(node, {world.enrol({1}), {}, {}});
  WorldDriver driver(world, node.id());
  ASSERT_EQ(driver.call(GetRequest{{}, 0, 10, as_bytes("/state/shared/a")}).response.status, Status::not_found);
  server.crash();
  EXPECT_EQ(driver.call(GetRequest{{}, 0, 10, as_bytes("/state/shared/a")}).result, CallResult::timed_out);
  EXPECT_EQ(driver.client().client().last_disconnect(), Disconnect::no_stream);
}

}  // namespace
}  // namespace statefs::sim
