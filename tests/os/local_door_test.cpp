// The local door as programs of the device meet it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "os/client_stream.h"
#include "os/endpoint.h"
#include "os/local_socket.h"
#include "tests/os/programs.h"

namespace statefs {
namespace {

using test::Child;
using test::program;
using test::run;
using test::RunResult;
using ::testing::HasSubstr;

constexpr const char* other_uid = "65534";

class LocalDoor : public test::Programs {
 protected:
  void SetUp() override {
    Programs::SetUp();
    door_ = dir_.path("door.sock");
  }
  void start_with_door(const std::vector<std::string>& more = {}) {
    std::vector<std::string> all{"--local", door_};
    all.insert(all.end(), more.begin(), more.end());
    start(all);
  }
  RunResult local(std::vector<std::string> arguments, const std::string& input = "") const {
    arguments.insert(arguments.begin(), program("statefs"));
    return run(arguments, input, {"STATEFS_LOCAL=" + door_});
  }
  // As another user, with a copy of the program where that user can reach it; needs root.
  RunResult local_as_other(std::vector<std::string> arguments) {
    const std::string copy = dir_.path("statefs");
    if (::access(copy.c_str(), X_OK) != 0) dir_.write("statefs", test::read_file(program("statefs")), 0755);
    ::chmod(dir_.path("").c_str(), 0755);
    arguments.insert(arguments.begin(), {"/usr/bin/setpriv", "--reuid", other_uid, "--clear-groups", copy, "--local", door_});
    return run(arguments);
  }
  // False, and said, where this user cannot be another.
  [[nodiscard]] bool can_be_another() {
    const bool can = ::geteuid() == 0 && ::access("/usr/bin/setpriv", X_OK) == 0 && local_as_other({"--version"}).status == 0;
    if (!can) std::puts("not as another uid: only root can run a program as one, with setpriv, from a folder that it may enter");
    return can;
  }
  [[nodiscard]] Fd connected() const {
    const Endpoint to = path_endpoint(door_).value();
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to.address), to.size), 0) << errno_text(errno);
    return fd;
  }
  // What comes until the other side closes; "" where it closes at once, nullopt where it does not close in time.
  static std::optional<std::string> heard(const Fd& fd) {
    std::string all;
    char buffer[4096];
    for (pollfd watched{fd.get(), POLLIN, 0}; ::poll(&watched, 1, 20'000) == 1;) {
      const ssize_t count = ::recv(fd.get(), buffer, sizeof buffer, 0);
      if (count <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(count));
    }
    return std::nullopt;
  }
  std::string own_uid() const { return std::to_string(::geteuid()); }

  std::string door_;
};

TEST_F(LocalDoor, ServesEveryValueVerbWithoutKeys) {
  start_with_door();
  EXPECT_THAT(daemon_->out(), HasSubstr("dsoftbusd: local door at " + door_ + "\n"));
  const RunResult put = local({"put", "/state/shared/a", "value"});
  EXPECT_EQ(put.status, 0) << put.err;
  EXPECT_EQ(local({"get", "/state/shared/a"}).out, "value");
  EXPECT_EQ(local({"put", "--if-absent", "/state/shared/a", "x"}).status, 4);
  EXPECT_EQ(local({"put", "/state/keystore/k", "x"}).status, 0) << "nothing is reserved from the device itself";
  EXPECT_EQ(local({"ls", "/state/"}).out, "/state/keystore/k\n/state/shared/a\n");
  EXPECT_EQ(local({"sync"}).status, 0);
  EXPECT_THAT(local({"status"}).out, HasSubstr("protocol 1\n"));
  EXPECT_EQ(local({"bench", "put", "--seconds", "1", "--connections", "1", "--pipeline", "2"}).status, 0);
  EXPECT_EQ(local({"del", "/state/shared/a"}).status, 0);
  EXPECT_EQ(local({"get", "/state/shared/a"}).status, 2);
  EXPECT_THAT(daemon_->out(), ::testing::Not(HasSubstr("remote statefs served")));
}

TEST_F(LocalDoor, IsOneStoreWithTheRemoteDoor) {
  start_with_door();
  EXPECT_EQ(statefs({"put", "/state/shared/a", "from afar"}).status, 0);
  EXPECT_EQ(local({"get", "/state/shared/a"}).out, "from afar");
  EXPECT_EQ(local({"put", "/state/shared/a", "from here"}).status, 0);
  EXPECT_EQ(statefs({"get", "/state/shared/a"}).out, "from here");
  EXPECT_THAT(daemon_->out(), HasSubstr("remote statefs served"));
}

TEST_F(LocalDoor, IsAuditedByUid) {
  start_with_door();
  ASSERT_EQ(local({"put", "/state/shared/a", "value"}).status, 0);
  ASSERT_EQ(statefs({"put", "/state/shared/b", "value"}).status, 0);
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 0);
  const std::string by_uid = R"("peer_kind":"local","peer":null,"uid":)" + own_uid() + R"(,"alias":"")";
  EXPECT_EQ(audit_lines(by_uid, 2), 2) << "OPEN and PUT";
  const std::string all = test::read_file(dir_.path("audit.jsonl"));
  const std::size_t at = all.find(R"("key":"/state/shared/a")");
  ASSERT_NE(at, std::string::npos);
  const std::string line = all.substr(all.rfind('\n', at) + 1, all.find('\n', at) - all.rfind('\n', at) - 1);
  EXPECT_THAT(line, HasSubstr(by_uid));
  EXPECT_THAT(line, HasSubstr(R"("allowed":true)"));
}

TEST_F(LocalDoor, PrintsTheUidOnTheConsole) {
  auto arguments = daemon_arguments({"--local", door_});
  *(std::find(arguments.begin(), arguments.end(), "--audit") + 1) = "-";
  daemon_ = std::make_unique<Child>(arguments, dir_.path(""), "daemon");
  ASSERT_TRUE(daemon_->wait_for("dsoftbusd: ready\n")) << daemon_->err();
  ASSERT_EQ(local({"put", "/state/shared/a", "value"}).status, 0);
  EXPECT_TRUE(daemon_->wait_for("dsoftbusd: audit local statefs put allow uid=" + own_uid() + " key=/state/shared/a status=OK"))
      << daemon_->out();
}

TEST_F(LocalDoor, IsChosenByFlagOverVariable) {
  start_with_door();
  ASSERT_EQ(local({"put", "/state/shared/a", "x"}).status, 0);
  std::vector<std::string> both = environment();
  both.push_back("STATEFS_LOCAL=" + dir_.path("nobody.sock"));
  expect_refusal(run({program("statefs"), "get", "/state/shared/a"}, "", both), 1, dir_.path("nobody.sock"));
  EXPECT_EQ(run({program("statefs"), "--connect", address_, "get", "/state/shared/a"}, "", both).out, "x");
  EXPECT_EQ(run({program("statefs"), "--local", door_, "get", "/state/shared/a"}, "", both).out, "x");
  expect_refusal(run({program("statefs"), "--local", door_, "--connect", address_, "get", "/k"}), 1, "--local");
  expect_refusal(run({program("statefs"), "--local", std::string(108, 'x'), "get", "/k"}), 1, "108 bytes");
}

TEST_F(LocalDoor, IsMadeForEverybodyAndRemovedAtTheEnd) {
  start_with_door();
  struct stat found {};
  ASSERT_EQ(::stat(door_.c_str(), &found), 0);
  EXPECT_TRUE(S_ISSOCK(found.st_mode));
  EXPECT_EQ(found.st_mode & 07777u, 0666u);
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 0);
  EXPECT_NE(::stat(door_.c_str(), &found), 0);
}

TEST_F(LocalDoor, ReplacesASocketThatADeadDaemonLeft) {
  start_with_door();
  daemon_->signal(SIGKILL);
  (void)daemon_->wait();
  struct stat found {};
  ASSERT_EQ(::stat(door_.c_str(), &found), 0) << "nothing was left behind, so nothing is shown";
  start_with_door();
  EXPECT_EQ(local({"sync"}).status, 0);
}

TEST_F(LocalDoor, TakesNoSocketFromALivingDaemonAndNoFileFromAnybody) {
  start_with_door();
  expect_daemon_refuses(daemon_arguments({"--local", door_}), "another program listens there");
  EXPECT_EQ(local({"sync"}).status, 0) << "the one that is there goes on";
  const std::string file = dir_.write("file", "mine");
  expect_daemon_refuses(daemon_arguments({"--local", file}), "no socket");
  EXPECT_EQ(test::read_file(file), "mine");
  expect_daemon_refuses(daemon_arguments({"--local", dir_.path("no/such/folder")}), "no such file");
  expect_daemon_refuses(daemon_arguments({"--local", dir_.path(std::string(108, 'x'))}), "take a shorter one");
}

TEST_F(LocalDoor, TakesAPathOf107BytesAndNoneOf108) {
  std::string path = dir_.path("");
  path.resize(107, 's');
  EXPECT_TRUE(LocalSocket::listen(path).ok());
  EXPECT_FALSE(LocalSocket::listen(path + "s").ok());
}

TEST_F(LocalDoor, LeavesASocketAloneThatIsAnothersByNow) {
  auto first = std::make_unique<LocalSocket>(LocalSocket::listen(door_).value());
  ASSERT_EQ(::unlink(door_.c_str()), 0);
  const auto second = LocalSocket::listen(door_);
  ASSERT_TRUE(second.ok());
  first.reset();
  EXPECT_EQ(::access(door_.c_str(), F_OK), 0);
}

TEST_F(LocalDoor, ReadsItsPathFromTheConfiguration) {
  start({"--config", dir_.write("config.toml", "local = \"" + door_ + "\"\n")});
  EXPECT_EQ(local({"sync"}).status, 0);
}

TEST_F(LocalDoor, LetsAUidDoWhatThePolicySays) {
  if (!can_be_another()) return;  // core/local_door_test.cpp shows the same of the server alone
  const std::string policy = dir_.write("policy.toml", "[[local]]\nuid = 65534\n"
                                                       "rules = [ { grant = \"/state/shared/\", access = [\"get\", \"put\"] } ]\n"
                                                       "quota = { value_bytes = 4, keys = 10 }\n");
  start_with_door({"--policy", policy});
  EXPECT_EQ(local_as_other({"put", "/state/shared/a", "four"}).status, 0);
  EXPECT_EQ(local_as_other({"get", "/state/shared/a"}).out, "four");
  EXPECT_EQ(local_as_other({"put", "/state/shared/b", "x"}).status, 6) << "its quota is used up";
  EXPECT_EQ(local_as_other({"ls", "/state/shared/"}).status, 3);
  EXPECT_EQ(local_as_other({"put", "/state/own", "x"}).status, 3);
  EXPECT_EQ(local({"put", "/state/own", "x"}).status, 0) << "the daemon's user has another quota and other rules";
  EXPECT_GT(audit_lines(R"("uid":65534)", 4), 3);
}

TEST_F(LocalDoor, TurnsAwayAUidThatThePolicyDoesNotName) {
  if (!can_be_another()) return;
  start_with_door();
  expect_refusal(local_as_other({"get", "/state/shared/a"}), 3, "does not let uid 65534 in");
  for (int i = 0; i < 400 && audit_lines(R"("op":"unnamed_uid")") == 0; ++i) ::usleep(10'000);
  EXPECT_EQ(audit_lines(R"("op":"unnamed_uid")", 1), 1);
}

TEST_F(LocalDoor, ClosesForAUidWhoseSectionIsGoneAfterSighup) {
  const std::string policy = dir_.write("policy.toml", "[[local]]\nuid = " + own_uid() + "\nrules = []\n");
  start_with_door({"--policy", policy});
  EXPECT_EQ(local({"put", "/state/shared/a", "x"}).status, 3) << "its own section replaces what it may by default";
  dir_.write("policy.toml", "");
  daemon_->signal(SIGHUP);
  ASSERT_TRUE(daemon_->wait_for("policy loaded again"));
  EXPECT_EQ(local({"put", "/state/shared/a", "x"}).status, 0);
}

TEST_F(LocalDoor, EndsAConnectionThatSaysNonsenseAndGoesOn) {
  start_with_door();
  const std::string garbage[] = {std::string(64, '\xff'), std::string("\0\x30", 2) + std::string(48, 'e'), std::string(200'000, '\0'),
                                 "GET / HTTP/1.0\r\n\r\n"};
  for (const std::string& bytes : garbage) {
    const Fd fd = connected();
    (void)::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ::shutdown(fd.get(), SHUT_WR);
    EXPECT_TRUE(heard(fd).has_value());
  }
  EXPECT_EQ(local({"sync"}).status, 0);
  EXPECT_GE(audit_lines(R"("status":"MALFORMED")", 1), 1);
}

TEST_F(LocalDoor, BoundsTheConnectionsOfAUid) {
  const std::string config = dir_.write("config.toml", "[limits]\nlocal_connections = 4\nlocal_connections_per_uid = 3\n");
  start_with_door({"--config", config});
  std::vector<Fd> held;
  for (int i = 0; i < 3; ++i) held.push_back(connected());
  const Fd refused = connected();
  EXPECT_EQ(heard(refused), "");
  EXPECT_EQ(local({"sync"}).status, 3);
  EXPECT_EQ(statefs({"sync"}).status, 0) << "the remote door has room of its own";
  held.pop_back();
  for (int i = 0; i < 200 && local({"sync"}).status != 0; ++i) ::usleep(10'000);
  EXPECT_EQ(local({"sync"}).status, 0);
}

// Programs that wait for the same daemon do not knock in step: none of them has a key that would tell them apart.
TEST(LocalLinks, WaitEachForATimeOfItsOwn) {
  const auto suite = make_crypto_suite();
  const test::TempDir dir;
  const Endpoint nowhere = path_endpoint(dir.path("door")).value();
  std::vector<Time> next;
  for (int i = 0; i < 8; ++i) {
    ClientLink link(*suite, nullptr, ClientConfig{}, nowhere, seconds(1));
    const Now now{Time{1'000'000'000}, 0};
    ASSERT_TRUE(link.client().submit(SyncRequest{1}, never, now.monotonic).ok());
    EXPECT_FALSE(link.open(now));
    next.push_back(link.deadline());
  }
  std::sort(next.begin(), next.end());
  EXPECT_EQ(std::unique(next.begin(), next.end()), next.end());
}

}  // namespace
}  // namespace statefs
