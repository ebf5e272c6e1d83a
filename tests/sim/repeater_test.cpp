#include "sim/repeater.h"

#include <gtest/gtest.h>

#include "sim/checkers.h"
#include "sim/world.h"

namespace statefs::sim {
namespace {

// One server and two repeaters that write the same keys, over streams that are cut.
struct Repetition {
  explicit Repetition(std::uint64_t seed, const RepeaterOptions& options = {}) : world(seed, faults()) {
    ServerProgramOptions serving;
    serving.policy = world.enrol({1, 2});
    serving.durability = Durability::commit;
    serving.flush_delay = milliseconds(seed % 4);
    world.add_server(world.add_node(), serving);
    for (int i = 0; i < 2; ++i) repeaters.push_back(&world.add_repeater(world.add_node(), options));
  }
  static Faults faults() {
    Faults out;
    out.link.jitter = milliseconds(3);
    return out;
  }
  [[nodiscard]] bool run() {
    constexpr std::uint64_t events_max = 200'000;
    const bool finished = world.run_while_not([this] { return repeaters[0]->done() && repeaters[1]->done(); }, events_max);
    world.run_until(world.now() + seconds(120));
    return finished;
  }
  [[nodiscard]] std::vector<CheckResult> judge() {
    CheckContext context;
    context.servers[0].mac_key = ServerProgram::mac_key_of(world.random(), 0);
    context.servers[0].durability = Durability::commit;
    context.policies.emplace_back();
    for (NodeId id = 0; id <= 2; ++id) {
      context.keys.push_back(world.public_key_of(id));
      if (id > 0) context.server_of[id] = 0;
    }
    return check(history_of(world.trace()), context);
  }

  World world;
  std::vector<Repeater*> repeaters;
};

TEST(Repeater, HasEachOfItsCallsRunOnceHoweverOftenItSendsThem) {
  std::uint64_t replayed = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Repetition repetition(seed);
    ASSERT_TRUE(repetition.run()) << "seed " << seed;
    for (const CheckResult& each : repetition.judge()) EXPECT_EQ(each.failure, "") << "seed " << seed << ": " << each.name;
    for (const Repeater* each : repetition.repeaters) replayed += each->repeated_count();
  }
  EXPECT_GT(replayed, 100u);
}

TEST(Repeater, ComesToEveryVerdictOfASlot) {
  Marks marks;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Repetition repetition(seed);
    ASSERT_TRUE(repetition.run());
    marks.add(repetition.world.marks());
  }
  for (const MarkName& mark : mark_table) {
    if (mark.name.starts_with("slots.")) {
      EXPECT_GT(marks.count(mark_named(mark.name)), 0u) << mark.name;
    }
  }
}

TEST(Repeater, IsDoneWithoutFaultsAfterAsManyRecordsAsCalls) {
  RepeaterOptions options;
  options.cut = {};
  options.probe = {};
  Repetition repetition(7, options);
  ASSERT_TRUE(repetition.run());
  std::size_t mutations = 0;
  for (const AuditRecord& record : audit_in(repetition.world.trace())) mutations += record.kind == AuditKind::mutation ? 1 : 0;
  EXPECT_EQ(mutations, 2 * options.call_count);
}

}  // namespace
}  // namespace statefs::sim
