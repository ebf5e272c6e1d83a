// One script through the simulator and through real sockets: the same answers and the same audit.
#include "sim/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "os/client_link.h"
#include "os/clock.h"
#include "sim/shadow.h"
#include "sim/world.h"
#include "tests/os/loopback_server.h"
#include "tests/os/temp_dir.h"

namespace statefs {
namespace {

// Carries a script over a real socket.
class SocketDriver final : public sim::Driver {
 public:
  // At the local door, where it has a path.
  SocketDriver(const Suite& suite, const test::LoopbackServer& server, const std::string& local_path)
      : link_(suite, local_path.empty() ? suite.import(test::test_secret(10)) : nullptr, config_for(server),
              local_path.empty() ? server.endpoint() : path_endpoint(local_path).value(), seconds(10)) {}

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

enum class Door { remote, local };

// What a peer may do by default, so that both doors have the same rules.
const Rule shared{std::string(shared_subtree), access_all, false};

// sim::describe() leaves out what must differ between two runs: index, previous hash, both times, epoch, node, policy
// version, peer key and uid (kind and alias stay) and value MAC; revisions are named in order of first appearance. Everything
// else of every record is compared: kind, op, peer kind and alias, status, verdict, rule, count, key, sizes, old and new revision.
Told in_the_simulator(std::span<const sim::Step> steps, Door door) {
  sim::World world(7, sim::Faults{});
  sim::Node& node = world.add_node();
  sim::ServerProgramOptions options{door == Door::remote ? world.enrol({1}) : PolicySource{}, {}, {}};
  if (door == Door::local) {
    options.policy.locals.push_back({sim::uid_of(1), {shared}, std::nullopt});
    options.locals.insert(1);
  }
  world.add_server(node, options);
  sim::WorldDriver driver(world, node.id(), door == Door::local);
  const sim::ScriptRun run = sim::run_script(steps, driver);
  EXPECT_THAT(run.surprises, ::testing::IsEmpty());
  Told told{run.transcript, {}};
  sim::RevisionNames names;
  for (const AuditRecord& record : sim::audit_in(world.trace())) told.audit.push_back(sim::describe(record, names));
  return told;
}

Told on_real_sockets(std::span<const sim::Step> steps, Door door) {
  const auto suite = make_crypto_suite();
  const test::TempDir folder;
  test::LoopbackOptions options;
  if (door == Door::remote) options.peers.push_back(test::test_secret(10));
  if (door == Door::local) options.local_path = folder.path("door.sock");
  options.local_rules = {shared};
  test::LoopbackServer server(options);
  SocketDriver driver(*suite, server, options.local_path);
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

// The same lines as if a remote peer had been there.
std::vector<std::string> as_remote(std::vector<std::string> audit) {
  for (std::string& line : audit) {
    const std::string local = " peer=2:\"\"";
    const std::size_t at = line.find(local);
    if (at != std::string::npos) line.replace(at, local.size(), " peer=1:\"node-1\"");
  }
  return audit;
}

TEST(OneScript, IsAnsweredAndAuditedAlikeInTheSimulatorAndOnRealSockets) {
  const std::vector<sim::Step> steps = sim::tour();
  ASSERT_GT(steps.size(), 30u);
  const Told simulated = in_the_simulator(steps, Door::remote);
  const Told real = on_real_sockets(steps, Door::remote);
  EXPECT_EQ(simulated.transcript.size(), steps.size());
  EXPECT_GT(simulated.audit.size(), 30u);
  EXPECT_EQ(real.transcript, simulated.transcript);
  EXPECT_EQ(real.audit, simulated.audit);
}

TEST(OneScript, IsAnsweredAndAuditedAtTheLocalDoorAsAtTheRemoteOne) {
  const std::vector<sim::Step> steps = sim::tour();
  const Told remote = in_the_simulator(steps, Door::remote);
  const Told simulated = in_the_simulator(steps, Door::local);
  const Told real = on_real_sockets(steps, Door::local);
  EXPECT_EQ(real.transcript, simulated.transcript);
  EXPECT_EQ(real.audit, simulated.audit);
  EXPECT_EQ(simulated.transcript, remote.transcript);
  EXPECT_NE(simulated.audit, remote.audit) << "who asked is recorded";
  EXPECT_EQ(as_remote(simulated.audit), remote.audit);
}

}  // namespace
}  // namespace statefs
