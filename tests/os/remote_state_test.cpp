// The blocking face for programs, against a real daemon: what it returns, and what it says of what went wrong.
#include "os/remote_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"
#include "os/clock.h"
#include "tests/os/cutting_proxy.h"
#include "tests/os/programs.h"

namespace statefs {
namespace {

using test::Programs;
using Kind = RemoteError::Kind;

class RemoteStateTest : public Programs {
 protected:
  RemoteState open(const std::string& address = "") {
    auto state = RemoteState::over_network(address.empty() ? address_ : address, server_key_, dir_.path("client.key"));
    EXPECT_TRUE(state.ok()) << state.error().line;
    return std::move(state).value();
  }
  // With the same address again, on a state in memory that knows nothing of before.
  void start_again() {
    daemon_.reset();
    std::vector<std::string> arguments = daemon_arguments();
    for (std::string& each : arguments) {
      if (each == "127.0.0.1:0") each = address_;
    }
    daemon_ = std::make_unique<test::Child>(arguments, dir_.path(""), "again");
    ASSERT_TRUE(daemon_->wait_for("dsoftbusd: ready\n")) << daemon_->err();
  }
};

template <typename T>
Status refusal_of(const Result<T, RemoteError>& result) {
  EXPECT_FALSE(result.ok());
  if (result.ok()) return Status::ok;
  EXPECT_EQ(result.error().kind, Kind::refused) << result.error().text();
  return result.error().status;
}

TEST_F(RemoteStateTest, PutsGetsListsAndErases) {
  start();
  RemoteState state = open();
  const auto first = state.put("/state/shared/a", "one");
  ASSERT_TRUE(first.ok()) << first.error().text();
  EXPECT_EQ(first.value().revision, first.value().index);
  EXPECT_TRUE(state.put("/state/shared/b", "").ok());
  const auto got = state.get("/state/shared/a");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got.value().bytes, "one");
  EXPECT_EQ(got.value().revision, first.value().revision);
  const auto page = state.list("/state/shared/", {}, 1);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page.value().entries.size(), 1u);
  EXPECT_EQ(page.value().entries[0].key, "/state/shared/a");
  EXPECT_EQ(page.value().entries[0].size, 3u);
  EXPECT_TRUE(page.value().has_more);
  const auto rest = state.list("/state/shared/", page.value().entries[0].key);
  ASSERT_TRUE(rest.ok());
  EXPECT_EQ(rest.value().entries.size(), 1u);
  EXPECT_TRUE(state.erase("/state/shared/a").ok());
  EXPECT_EQ(refusal_of(state.get("/state/shared/a")), Status::not_found);
  EXPECT_TRUE(state.sync().ok());
  EXPECT_FALSE(state.take_lost().has_value());
  EXPECT_FALSE(state.take_rollback().has_value());
}

TEST_F(RemoteStateTest, SaysWhyItWasRefused) {
  start();
  RemoteState state = open();
  EXPECT_EQ(refusal_of(state.put("/state/keystore/a", "x")), Status::access_denied);
  EXPECT_EQ(refusal_of(state.put("no key", "x")), Status::invalid_key);
  EXPECT_EQ(refusal_of(state.put("/state/shared/" + std::string(300, 'k'), "x")), Status::key_too_long);
  EXPECT_EQ(refusal_of(state.erase("/state/shared/none")), Status::not_found);
  ASSERT_TRUE(state.put("/state/shared/a", "x", 0).ok());
  EXPECT_EQ(refusal_of(state.put("/state/shared/a", "y", 0)), Status::revision_conflict);
  EXPECT_EQ(refusal_of(state.put("/state/shared/a", std::string(limits::total_value_size_ceiling, 'x'))), Status::value_too_large);
}

TEST_F(RemoteStateTest, CarriesLargeValuesWhole) {
  start();
  RemoteState state = open();
  for (const std::size_t size : {limits::value_size_max, limits::value_size_max + 1, limits::total_value_size_default}) {
    std::string value(size, 'v');
    value.back() = 'e';
    ASSERT_TRUE(state.put("/state/shared/large", value).ok()) << size;
    const auto got = state.get("/state/shared/large");
    ASSERT_TRUE(got.ok()) << size;
    EXPECT_EQ(got.value().bytes, value) << size;
  }
  EXPECT_TRUE(state.sync().ok());
}

TEST_F(RemoteStateTest, ComesInByTheLocalDoor) {
  start({"--local", dir_.path("door")});
  auto state = RemoteState::at_local_door(dir_.path("door"));
  ASSERT_TRUE(state.ok());
  EXPECT_TRUE(state.value().put("/state/keystore/a", "own").ok()) << "to the daemon's own user all of /state/ is open";
  EXPECT_TRUE(state.value().sync().ok());
  EXPECT_EQ(refusal_of(open().get("/state/keystore/a")), Status::access_denied);
}

TEST_F(RemoteStateTest, TellsWhatIsWrongWithItsArgumentsAndWithTheServer) {
  EXPECT_FALSE(RemoteState::over_network("nowhere", server_key_, dir_.path("client.key")).ok());
  EXPECT_FALSE(RemoteState::over_network("127.0.0.1:1", "beef", dir_.path("client.key")).ok());
  EXPECT_FALSE(RemoteState::over_network("127.0.0.1:1", server_key_, dir_.path("none.key")).ok());
  EXPECT_FALSE(RemoteState::at_local_door(std::string(200, 'p')).ok());
  const auto failure_of = [](RemoteState state) {
    const auto connected = state.connect();
    EXPECT_FALSE(connected.ok());
    if (connected.ok()) return StreamFailure::too_large;
    EXPECT_EQ(connected.error().kind, Kind::no_connection);
    return connected.error().stream;
  };
  EXPECT_EQ(failure_of(open("127.0.0.1:1")), StreamFailure::unreachable);
  start();
  EXPECT_TRUE(open().connect().ok());
  (void)keygen("stranger.key");
  auto stranger = RemoteState::over_network(address_, server_key_, dir_.path("stranger.key"));
  ASSERT_TRUE(stranger.ok());
  EXPECT_EQ(failure_of(std::move(stranger).value()), StreamFailure::not_enrolled);
  auto misled = RemoteState::over_network(address_, std::string(64, '7'), dir_.path("client.key"));
  ASSERT_TRUE(misled.ok());
  EXPECT_EQ(failure_of(std::move(misled).value()), StreamFailure::not_accepted);
}

TEST_F(RemoteStateTest, AnOutcomeThatIsUnknownCanBeAskedForLater) {
  start();
  const auto endpoint = parse_endpoint(address_);
  ASSERT_TRUE(endpoint.ok());
  const test::CuttingProxy proxy(endpoint.value(), {1, 3, true});
  RemoteState cut = open(to_text(proxy.endpoint()));
  cut.set_timeout(seconds(1));
  const auto written = cut.put("/state/shared/once", "1");
  ASSERT_FALSE(written.ok());
  ASSERT_EQ(written.error().kind, Kind::outcome_unknown) << written.error().text();
  ASSERT_TRUE(written.error().question.has_value());
  const auto told = open().outcome(*written.error().question);
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(told.value().outcome, Outcome::applied);
}

TEST_F(RemoteStateTest, NamesWhatWasLost) {
  start();
  RemoteState state = open();
  ASSERT_TRUE(state.put("/state/shared/kept", "1").ok());
  ASSERT_TRUE(state.sync().ok());
  ASSERT_TRUE(state.put("/state/shared/gone", "1").ok());
  start_again();
  const auto synced = state.sync();
  ASSERT_FALSE(synced.ok());
  EXPECT_EQ(synced.error().kind, Kind::writes_lost) << synced.error().text();
  const auto lost = state.take_lost();
  ASSERT_TRUE(lost.has_value());
  EXPECT_EQ(lost->key, "/state/shared/gone");
  EXPECT_FALSE(lost->certain) << "the server is another and cannot tell";
  EXPECT_FALSE(state.take_lost().has_value()) << "what was durable is not suspected";
  EXPECT_TRUE(state.sync().ok());
}

TEST_F(RemoteStateTest, WaitsAsItIsToldAndNoLongerThanItMay) {
  dir_.write("config.toml", "[limits]\nrequests_per_second = 20\n", 0644);
  start({"--config", dir_.path("config.toml")});
  RemoteState state = open();
  const Time begin = read_monotonic();
  for (int i = 0; i < 100; ++i) {
    const auto written = state.put("/state/shared/a", std::to_string(i));
    ASSERT_TRUE(written.ok()) << i << " " << written.error().text();
  }
  EXPECT_GE((read_monotonic() - begin).ns, milliseconds(700).ns) << "100 of 20 a second, 80 of them at once";
  state.set_timeout(milliseconds(20));
  Status last = Status::ok;
  for (int i = 0; i < 100 && last == Status::ok; ++i) {
    const auto got = state.get("/state/shared/a");
    const auto erased = state.erase("/state/shared/none");
    if (!erased && erased.error().status == Status::overloaded) last = Status::overloaded;
    if (!got && got.error().kind == Kind::refused) last = got.error().status;
  }
  EXPECT_EQ(last, Status::overloaded) << "the wait is longer than the call has time";
}

TEST_F(RemoteStateTest, IsNotReadForAWhileAfterManyRefusals) {
  const std::string other = keygen("other.key");
  dir_.write("peers", test::read_file(dir_.path("peers")) + other + " other\n", 0644);
  dir_.write("config.toml", "[limits]\nrefusals_per_second = 10\n", 0644);
  start({"--config", dir_.path("config.toml")});
  RemoteState state = open();
  const Time begin = read_monotonic();
  for (int i = 0; i < 60; ++i) ASSERT_EQ(refusal_of(state.get("/state/other")), Status::access_denied) << i;
  EXPECT_GE((read_monotonic() - begin).ns, milliseconds(1'500).ns) << "60 of 10 a second, 40 of them at once";
  auto quiet = RemoteState::over_network(address_, server_key_, dir_.path("other.key"));
  ASSERT_TRUE(quiet.ok());
  for (int i = 0; i < 30; ++i) EXPECT_EQ(refusal_of(quiet.value().get("/state/other")), Status::access_denied);
  EXPECT_LT((read_monotonic() - begin).ns, seconds(20).ns) << "another has refusals of its own";
  EXPECT_EQ(audit_lines("\"ACCESS_DENIED\"", 90), 90);
}

TEST_F(RemoteStateTest, TheExampleCountsItsStarts) {
  start({"--local", dir_.path("door")});
  const std::vector<std::string> remote{test::program("remote-state-example"), address_, server_key_, dir_.path("client.key")};
  EXPECT_EQ(test::run(remote).out, "started 1 times\n");
  EXPECT_EQ(test::run({test::program("remote-state-example"), dir_.path("door")}).out, "started 2 times\n");
  EXPECT_EQ(test::run(remote).out, "started 3 times\n");
  daemon_.reset();
  const test::RunResult failed = test::run(remote);
  EXPECT_EQ(failed.status, 1);
  EXPECT_EQ(failed.err, "remote-state-example: cannot connect: nobody listens there\n");
}

}  // namespace
}  // namespace statefs
