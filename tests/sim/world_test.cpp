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
  server.crash(0);
  EXPECT_EQ(driver.call(GetRequest{{}, 0, 10, as_bytes("/state/shared/a")}).result, CallResult::timed_out);
  EXPECT_EQ(driver.client().client().last_disconnect(), Disconnect::no_stream);
}

TEST(World, ARestartedServerHasWhatWasDurableAndWhatTheCrashKept) {
  for (const std::size_t kept : {0u, 1u, 100u}) {
    World world(1, Faults{});
    Node& node = world.add_node();
    ServerProgramOptions options{world.enrol({1}), {}, Durability::sync};
    options.flush_interval = seconds(60);
    ServerProgram& server = world.add_server(node, options);
    WorldDriver driver(world, node.id());
    const auto put = [&driver](std::string_view value) {
      return driver.call(PutRequest{{}, {}, as_bytes("/state/shared/a"), 1, as_bytes(value), {}}).response.status;
    };
    const auto get = [&driver] {
      const Completion completion = driver.call(GetRequest{{}, 0, 10, as_bytes("/state/shared/a")});
      return std::string(as_text(std::get<GetResponse>(completion.response.body).data));
    };
    ASSERT_EQ(put("1"), Status::ok);
    ASSERT_EQ(driver.call(SyncRequest{driver.epoch()}).response.status, Status::ok);
    ASSERT_EQ(put("2"), Status::ok);
    ASSERT_EQ(put("3"), Status::ok);
    ASSERT_EQ(server.store().volatile_count(), 2u);
    const std::uint64_t epoch = driver.epoch();
    server.crash(static_cast<std::int64_t>(kept));
    server.restart();
    EXPECT_EQ(get(), kept == 0 ? "1" : kept == 1 ? "2" : "3");
    EXPECT_EQ(driver.epoch(), epoch + 1);
    ASSERT_EQ(put("4"), Status::ok);
    EXPECT_EQ(get(), "4");
    std::size_t lost = 0;
    for (const TraceEntry& entry : world.trace().entries()) lost += entry.kind == TraceKind::lost_write ? 1 : 0;
    EXPECT_EQ(lost, kept < 2 ? 2 - kept : 0u) << "the client is told of each";
  }
}

}  // namespace
}  // namespace statefs::sim
