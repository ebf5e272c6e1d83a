// One script through the simulator and through real sockets: the same answers and the same audit.
#include "sim/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "os/client_link.h"
#include "os/clock.h"
#include "sim/world.h"
#include "tests/os/loopback_server.h"

namespace statefs {
namespace {

// Carries a script over a real socket.
class SocketDriver final : public sim::Driver {
 public:
  SocketDriver(const Suite& suite, const test::LoopbackServer& server)
      : link_(suite, suite.import(test::test_secret(10)), config_for(server), server.endpoint(), seconds(10)) {}

  Completion call(const RequestBody& request) override {
    const auto id = link_.client().submit(request, read_monotonic() + seconds(20), read_monotonic());
    STATEFS_CHECK(id.ok());
    for (;;) {
      if (auto completion = link_.client().take_completion()) return std::move(*completion);
      step();
    }
  }
  std::uint64_t epoch() override {
    while (!link_.client().server_hello()) step();
    return link_.client().server_hello()->epoch;
  }
  void break_stream() override { link_.close(read_clock()); }

 private:
  static ClientConfig config_for(const test::LoopbackServer& server) {
    ClientConfig config;
    config.server = server.key();
    config.backoff_min = milliseconds(1);
    config.backoff_max = milliseconds(5);
    return config;
  }
  void step() {
    const Now before = read_clock();
    if (link_.client().wants_connection(before.monotonic)) link_.open(before);
    link_.flush(before);
    pollfd watched{link_.fd(), static_cast<short>(POLLIN | (link_.wants_write() ? POLLOUT : 0)), 0};
    ::poll(&watched, link_.fd() >= 0 ? 1 : 0, 2);
    const auto events = link_.fd() >= 0 ? watched.revents : 0;
    link_.service((events & (POLLIN | POLLHUP | POLLERR)) != 0, (events & POLLOUT) != 0, read_clock());
  }
  ClientLink link_;
};

struct Told {
  std::vector<std::string> transcript;
  std::vector<std::string> audit;
};

// sim::describe() leaves out what must differ between two runs: index, previous hash, both times, epoch, node, policy
// version, peer key (the alias stays) and value MAC; revisions are named in order of first appearance. Everything else of
// every record is compared: kind, op, peer kind and alias, status, verdict, rule, count, key, sizes, old and new revision.
Told in_the_simulator(std::span<const sim::Step> steps) {
  sim::World world(7, sim::Faults{});
  sim::Node& node = world.add_node();
  world.add_server(node, {world.enrol({1}), {}, {}});
  sim::WorldDriver driver(world, node.id());
  const sim::ScriptRun run = sim::run_script(steps, driver);
  EXPECT_THAT(run.surprises, ::testing::IsEmpty());
  Told told{run.transcript, {}};
  sim::RevisionNames names;
  for (const AuditRecord& record : sim::audit_in(world.trace())) told.audit.push_back(sim::describe(record, names));
  return told;
}

Told on_real_sockets(std::span<const sim::Step> steps) {
  const auto suite = make_crypto_suite();
  test::LoopbackServer server({test::test_secret(10)});
  SocketDriver driver(*suite, server);
  const sim::ScriptRun run = sim::run_script(steps, driver);
  EXPECT_THAT(run.surprises, ::testing::IsEmpty());
  Told told{run.transcript, {}};
  sim::RevisionNames names;
  for (const Bytes& encoded : server.stop()) {
    const auto record = decode_audit(encoded);
    EXPECT_TRUE(record.ok());
    if (record) told.audit.push_back(sim::describe(record.value(), names));
  }
  return told;
}

TEST(OneScript, IsAnsweredAndAuditedAlikeInTheSimulatorAndOnRealSockets) {
  const std::vector<sim::Step> steps = sim::tour();
  ASSERT_GT(steps.size(), 30u);
  const Told simulated = in_the_simulator(steps);
  const Told real = on_real_sockets(steps);
  EXPECT_EQ(simulated.transcript.size(), steps.size());
  EXPECT_GT(simulated.audit.size(), 30u);
  EXPECT_EQ(real.transcript, simulated.transcript);
  EXPECT_EQ(real.audit, simulated.audit);
}

}  // namespace
}  // namespace statefs
