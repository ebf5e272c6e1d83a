// dsoftbusd as an operator meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "os/endpoint.h"
#include "tests/os/programs.h"

namespace statefs {
namespace {

using test::Child;
using test::first_line;
using test::lines_in;
using test::program;
using test::Programs;
using test::run;
using test::RunResult;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(Programs, EndTheBenchWhenTheDaemonIsKilled) {
  start();
  Child load({program("statefs"), "bench", "put", "--connections", "1", "--pipeline", "2", "--seconds", "20", "--connect",
              address_, "--server-key", server_key_, "--identity", dir_.path("client.key")},
             dir_.path(""), "load");
  for (int i = 0; i < 400 && audit_lines("/state/shared/bench/") < 100; ++i) ::usleep(5'000);
  daemon_->signal(SIGKILL);
  EXPECT_EQ(load.wait(), 1);
  EXPECT_THAT(load.err(), HasSubstr("the server closed a connection"));
}

TEST_F(Programs, RefuseFilesThatAreWrongBeforeListening) {
  const auto with = [this](const std::string& flag, const std::string& value) {
    auto arguments = daemon_arguments();
    const auto at = std::find(arguments.begin(), arguments.end(), flag);
    if (at == arguments.end()) {
      arguments.insert(arguments.end(), {flag, value});
    } else {
      *(at + 1) = value;
    }
    return arguments;
  };
  const std::string none = dir_.path("none");
  expect_daemon_refuses(with("--identity", none), none);
  expect_daemon_refuses(with("--peers", none), none);
  expect_daemon_refuses(with("--policy", none), none);
  expect_daemon_refuses(with("--config", none), none);
  expect_daemon_refuses(with("--audit", dir_.path("no/such/folder")), dir_.path("no/such/folder"));
  expect_daemon_refuses(with("--audit", dir_.path("")), "audit");
  expect_daemon_refuses(with("--identity", dir_.write("open.key", test::read_file(dir_.path("server.key")), 0644)), "chmod 600");
  expect_daemon_refuses(with("--identity", dir_.write("bad.key", "private 00\n")), "bad.key");
  expect_daemon_refuses(with("--peers", dir_.write("bad.peers", "nothex\n")), "bad.peers:1");
  expect_daemon_refuses(with("--peers", dir_.write("loose.peers", "", 0666)), "chmod o-w");
  expect_daemon_refuses(
      with("--policy", dir_.write("bad.policy", "[default]\nrules = [ { grant = \"/state/boot/\", access = [\"put\"] } ]\n")),
      "bad.policy");
  expect_daemon_refuses(with("--policy", dir_.write("torn.policy", "[default\n")), "torn.policy");
  expect_daemon_refuses(with("--config", dir_.write("bad.config", "bogus = 1\n")), "bad.config");
  expect_daemon_refuses(with("--state", dir_.path("no/such/folder")), "no/such/folder");
  expect_daemon_refuses(with("--state-size", "much"), "--state-size");
  expect_daemon_refuses(with("--durability", "perhaps"), "--durability");
  expect_daemon_refuses(with("--listen", "nowhere"), "--listen");
  expect_daemon_refuses(with("--listen", "192.0.2.1:1"), "192.0.2.1:1");
  expect_daemon_refuses({program("dsoftbusd")}, "--identity");
  EXPECT_EQ(lines_in(run({program("dsoftbusd"), "extra"}).err), 1);
}

TEST_F(Programs, WarnThatNobodyIsEnrolled) {
  dir_.write("peers", "# nobody yet\n", 0644);
  start();
  EXPECT_THAT(daemon_->err(), HasSubstr("names no peer"));
  EXPECT_EQ(lines_in(daemon_->err()), 1) << daemon_->err();
}

TEST_F(Programs, TakeWhatFlagsDoNotSayFromTheConfiguration) {
  const std::string config =
      dir_.write("config.toml", "listen = \"127.0.0.1:0\"\nidentity = \"" + dir_.path("server.key") + "\"\npeers = \"" +
                                    dir_.path("wrong") + "\"\naudit = \"" + dir_.path("audit.jsonl") + "\"\n");
  daemon_ = std::make_unique<Child>(
      std::vector<std::string>{program("dsoftbusd"), "--config", config, "--peers", dir_.path("peers")}, dir_.path(""), "daemon");
  ASSERT_TRUE(daemon_->wait_for("dsoftbusd: ready\n")) << daemon_->err();
}

TEST_F(Programs, PrintTheMarkersInOrderAndEndCleanlyOnATerminateSignal) {
  start();
  EXPECT_EQ(daemon_->out().find("remote statefs served"), std::string::npos);
  EXPECT_EQ(statefs({"put", "/state/boot/x", "1"}).status, 3);
  EXPECT_EQ(statefs({"get", "/state/shared/x"}).status, 2);
  EXPECT_EQ(statefs({"get", "/state/boot/x"}).status, 3);
  EXPECT_EQ(daemon_->out().find("remote statefs served"), std::string::npos) << "nothing has succeeded";
  ASSERT_EQ(statefs({"put", "/state/shared/x", "1"}).status, 0);
  ASSERT_TRUE(daemon_->wait_for("dsoftbusd: remote statefs served\n"));
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 0);
  EXPECT_THAT(daemon_->out(),
              EndsWith("dsoftbusd: ready\ndsoftbusd: remote statefs served\ndsoftbusd: stopping\ndsoftbusd: stopped\n"));
  EXPECT_EQ(daemon_->err(), "");
  EXPECT_EQ(audit_lines("\"/state/shared/x\"", 1), 1);
  EXPECT_EQ(audit_lines("\"/state/boot/x\"", 1), 1);
}

TEST_F(Programs, ExportTheFirstRecordsBeforeAnybodyComes) {
  start();
  EXPECT_EQ(audit_lines("\"kind\":\"epoch\"", 1), 1);
  EXPECT_EQ(audit_lines("\"kind\":\"policy\"", 1), 1);
}

TEST_F(Programs, AuditOnTheConsoleWhereNothingElseIsSaid) {
  const std::vector<std::string> arguments = {program("dsoftbusd"),    "--listen", "[::1]:0",         "--identity",
                                              dir_.path("server.key"), "--peers",  dir_.path("peers")};
  daemon_ = std::make_unique<Child>(arguments, dir_.path(""), "daemon");
  ASSERT_TRUE(daemon_->wait_for("dsoftbusd: ready\n")) << daemon_->err();
  const std::string out = daemon_->out();
  address_ = first_line(out.substr(out.find("[::1]:")));
  ASSERT_EQ(statefs({"put", "/state/shared/x y", "1"}).status, 0);
  EXPECT_TRUE(daemon_->wait_for("dsoftbusd: audit remote statefs put allow peer=")) << daemon_->out();
  EXPECT_TRUE(daemon_->wait_for("key=/state/shared/x%20y ")) << daemon_->out();
}

TEST_F(Programs, ReloadPeersAndReopenTheAuditOnHangup) {
  start();
  ASSERT_EQ(statefs({"put", "/state/shared/before", "1"}).status, 0);
  ASSERT_EQ(audit_lines("/state/shared/before", 1), 1);
  const std::string other = keygen("other.key");
  dir_.write("peers", other + "\n", 0644);
  ASSERT_EQ(::rename(dir_.path("audit.jsonl").c_str(), dir_.path("audit.old").c_str()), 0);
  daemon_->signal(SIGHUP);
  ASSERT_TRUE(daemon_->wait_for("dsoftbusd: policy loaded again\n"));
  EXPECT_EQ(statefs({"get", "/state/shared/before"}).status, 3);
  EXPECT_EQ(statefs({"put", "/state/shared/after", "1", "--identity", dir_.path("other.key")}).status, 0);
  EXPECT_EQ(audit_lines("/state/shared/after", 1), 1);
  EXPECT_EQ(audit_lines("/state/shared/before"), 0);
  EXPECT_THAT(test::read_file(dir_.path("audit.old")), HasSubstr("/state/shared/before"));

  dir_.write("peers", "broken\n", 0644);
  daemon_->signal(SIGHUP);
  for (int i = 0; i < 400 && daemon_->err().empty(); ++i) ::usleep(5000);
  EXPECT_THAT(daemon_->err(), HasSubstr("the policy in force stays: peers file"));
  EXPECT_EQ(statefs({"get", "/state/shared/after", "--identity", dir_.path("other.key")}).status, 0);
}

TEST_F(Programs, BenchMeasuresAndLeavesOneRecordForEachPutAndNoneForReads) {
  start();
  const RunResult puts = statefs({"bench", "put", "--connections", "2", "--pipeline", "2", "--seconds", "1", "--json"});
  EXPECT_EQ(puts.status, 0) << puts.err;
  EXPECT_THAT(puts.out, HasSubstr("\"op\":\"put\""));
  ASSERT_EQ(statefs({"put", "/state/shared/then", "1"}).status, 0);  // with a SYNC, so all before it is exported before it
  ASSERT_EQ(audit_lines("/state/shared/then", 1), 1);
  const long recorded = audit_lines("/state/shared/bench/");
  EXPECT_GT(recorded, 100);
  const RunResult gets = statefs({"bench", "get", "--connections", "2", "--pipeline", "8", "--seconds", "1", "--keys", "10"});
  EXPECT_EQ(gets.status, 0) << gets.err;
  EXPECT_THAT(gets.out, StartsWith("bench get: 2 connections x 8 in flight"));
  EXPECT_EQ(audit_lines("/state/shared/bench/", recorded + 10), recorded + 10) << "the ten writes that filled are recorded, reads are not";
}

TEST_F(Programs, RefuseChangesAndServeReadsWhileTheAuditCannotBeWritten) {
  // A limit on the size of files stands for a full disk.
  start();
  ASSERT_EQ(statefs({"put", "/state/shared/a", "1"}).status, 0);
  const rlimit full{4096, RLIM_INFINITY};
  ASSERT_EQ(::prlimit(daemon_->pid(), RLIMIT_FSIZE, &full, nullptr), 0);
  const RunResult bench = statefs({"bench", "put", "--connections", "4", "--pipeline", "64", "--seconds", "20", "--json"});
  expect_refusal(bench, 7, "AUDIT_UNAVAILABLE");
  expect_refusal(statefs({"put", "/state/shared/a", "2"}), 7, "AUDIT_UNAVAILABLE");
  expect_refusal(statefs({"put", "/state/shared/a", "2"}), 7, "; ask again in 200 ms or later");
  const RunResult told = statefs({"put", "/state/shared/a", "2", "--output", "json"});
  EXPECT_EQ(told.status, 7);
  EXPECT_EQ(told.out, "{\"key\":\"/state/shared/a\",\"status\":\"AUDIT_UNAVAILABLE\",\"retry_ms\":200}\n");
  expect_refusal(statefs({"del", "/state/shared/a"}), 7, "AUDIT_UNAVAILABLE");
  expect_refusal(statefs({"put", "/state/boot/a", "2"}), 7, "AUDIT_UNAVAILABLE");
  EXPECT_EQ(statefs({"get", "/state/shared/a"}).out, "1");
  EXPECT_THAT(daemon_->err(), HasSubstr("cannot be written (file too large)"));
  const std::string said = daemon_->err();
  EXPECT_EQ(said.find("cannot be written"), said.rfind("cannot be written")) << "said once: " << said;
  EXPECT_THAT(said, ::testing::AllOf(HasSubstr("75"), HasSubstr("90"))) << "and how full the log has become";

  const rlimit roomy{RLIM_INFINITY, RLIM_INFINITY};
  ASSERT_EQ(::prlimit(daemon_->pid(), RLIMIT_FSIZE, &roomy, nullptr), 0);
  for (int i = 0; i < 400 && statefs({"put", "/state/shared/a", "3"}).status != 0; ++i) ::usleep(10'000);
  EXPECT_EQ(statefs({"get", "/state/shared/a"}).out, "3");
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 0) << daemon_->err();
  // Nothing was lost and nothing torn: every line is whole, and every index follows the one before.
  const std::string all = test::read_file(dir_.path("audit.jsonl"));
  long long expected = 0;
  long lines = 0;
  for (std::size_t at = 0; at < all.size(); at = all.find('\n', at) + 1, ++lines) {
    const std::string line = all.substr(at, all.find('\n', at) - at);
    ASSERT_THAT(line, StartsWith("{"));
    ASSERT_THAT(line, EndsWith("}"));
    const long long index = std::atoll(line.c_str() + line.find("\"index\":") + 8);
    if (lines > 0) {
      ASSERT_EQ(index, expected) << line;
    }
    expected = index + 1;
  }
  EXPECT_GT(lines, 10'000);
}

// The sum of `count` over the lines of the audit of that kind.
long counted(const std::string& audit, const std::string& kind) {
  long sum = 0;
  for (std::size_t at = 0; at < audit.size(); at = audit.find('\n', at) + 1) {
    const std::string line = audit.substr(at, audit.find('\n', at) - at);
    if (line.find("\"kind\":\"" + kind + "\"") != std::string::npos) sum += std::atol(line.c_str() + line.find("\"count\":") + 8);
  }
  return sum;
}

TEST_F(Programs, CountAtTheEndTheHandshakesThatFailedInItsLastSecond) {
  start();
  const auto endpoint = parse_endpoint(address_);
  ASSERT_TRUE(endpoint.ok());
  for (int i = 0; i < 3; ++i) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&endpoint.value().address), endpoint.value().size), 0);
    const std::string garbage("\0\1x", 3);
    ASSERT_EQ(::send(fd.get(), garbage.data(), garbage.size(), MSG_NOSIGNAL), 3);
    char byte = 0;
    while (::recv(fd.get(), &byte, 1, 0) > 0) {
    }
  }
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 0) << daemon_->err();
  EXPECT_EQ(counted(test::read_file(dir_.path("audit.jsonl")), "handshakes"), 3);
}

TEST_F(Programs, CountAtTheEndWhatAFullLogHadNoRoomFor) {
  for (const std::string& state : {std::string("memory"), dir_.path("state.img")}) {
    start({"--state", state, "--state-size", "64MiB", "--local", dir_.path("door")});
    ASSERT_EQ(statefs({"put", "/state/shared/a", "1"}).status, 0);
    const rlimit full{64u << 20, RLIM_INFINITY};  // no larger than the state, which goes on being written
    ASSERT_EQ(::truncate(dir_.path("audit.jsonl").c_str(), 64u << 20), 0);
    ASSERT_EQ(::prlimit(daemon_->pid(), RLIMIT_FSIZE, &full, nullptr), 0);
    const RunResult bench = run({program("statefs"), "--local", dir_.path("door"), "bench", "put", "--connections", "4", "--pipeline",
                                 "64", "--seconds", "20"});
    expect_refusal(bench, 7, "AUDIT_UNAVAILABLE");
    for (int i = 0; i < 60; ++i) EXPECT_EQ(statefs({"get", "/state/boot/a"}).status, 3);
    const rlimit roomy{RLIM_INFINITY, RLIM_INFINITY};
    ASSERT_EQ(::prlimit(daemon_->pid(), RLIMIT_FSIZE, &roomy, nullptr), 0);
    daemon_->signal(SIGTERM);
    EXPECT_EQ(daemon_->wait(seconds(70)), 0) << daemon_->err();
    const std::string audit = test::read_file(dir_.path("audit.jsonl"));
    EXPECT_EQ(counted(audit.substr(std::min(audit.size(), std::size_t{64} << 20)), "refusals"), 60) << state;
    ASSERT_EQ(::unlink(dir_.path("audit.jsonl").c_str()), 0);
  }
}

// More changes than can be written and synced, for long enough to fill the log many times: they are slowed down, not refused.
TEST_F(Programs, SlowDownWhoChangesMoreThanTheAuditTakes) {
  start({"--local", dir_.path("door")});
  const RunResult load = run({program("statefs"), "--local", dir_.path("door"), "bench", "put", "--connections", "4", "--pipeline", "16",
                              "--seconds", "4"});
  EXPECT_EQ(load.status, 0) << load.err;
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(seconds(70)), 0) << daemon_->err();
  EXPECT_GT(audit_lines("/state/shared/bench/"), 10'000);
}

TEST_F(Programs, ServeOnThroughHostileStreams) {
  start();
  ASSERT_EQ(statefs({"put", "/state/shared/a", "1"}).status, 0);
  const auto endpoint = parse_endpoint(address_);
  ASSERT_TRUE(endpoint.ok());
  std::vector<Fd> streams;
  for (int i = 0; i < 240; ++i) {  // fewer than half_open: beyond that it is right to turn others away
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&endpoint.value().address), endpoint.value().size) != 0) break;
    const std::string garbage(static_cast<std::size_t>(i * 13), static_cast<char>(i));
    ::send(fd.get(), garbage.data(), garbage.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (i % 3 != 0) streams.push_back(std::move(fd));
  }
  EXPECT_GT(streams.size(), 100u);
  streams.resize(60);
  const RunResult got = statefs({"get", "/state/shared/a"});
  EXPECT_EQ(got.out, "1") << got.err;
  EXPECT_TRUE(daemon_->running()) << daemon_->err();
}

}  // namespace
}  // namespace statefs
