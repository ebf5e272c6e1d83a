// selftest-client and guest-init as a person or a guest meets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/os/programs.h"

namespace statefs {
namespace {

using test::program;
using test::run;
using test::RunResult;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Selftest : public test::Programs {
 protected:
  void SetUp() override {
    Programs::SetUp();
    stranger_key_ = keygen("stranger.key");
  }
  RunResult check(const std::vector<std::string>& checks, const std::string& identity = "client.key") {
    std::vector<std::string> arguments = {program("selftest-client"), "--connect", address_, "--server-key", server_key_, "--identity",
                                          dir_.path(identity), "--stranger-identity", dir_.path("stranger.key"), "--patience", "1s"};
    arguments.insert(arguments.end(), checks.begin(), checks.end());
    return run(arguments);
  }
  std::string stranger_key_;
};

TEST_F(Selftest, PrintsOneMarkerForEachCheckThatHeld) {
  start();
  const RunResult result = check({});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out,
            "SELFTEST: remote statefs rw ok\nSELFTEST: remote statefs eperm ok\nSELFTEST: remote statefs oversize ok\n"
            "SELFTEST: remote statefs unauthenticated ok\nSELFTEST: remote statefs chunks ok\nSELFTEST: remote statefs retry ok\n");
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 0);
  EXPECT_EQ(audit_lines("\"/state/shared/selftest/retry\"", 10), 10) << "nine PUTs whose streams were cut, and a DELETE";
}

TEST_F(Selftest, SaysThatItIsNotEnrolled) {
  start();
  keygen("other.key");
  const RunResult result = check({}, "other.key");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, StartsWith("SELFTEST: remote statefs fail authentication: "));
  EXPECT_EQ(test::lines_in(result.out), 1);
}

TEST_F(Selftest, SaysThatNobodyIsThere) {
  address_ = "127.0.0.1:1";
  const RunResult result = check({"rw"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, StartsWith("SELFTEST: remote statefs fail network: "));
}

// A policy that gives more than the default is what eperm is there to find; one that gives less breaks rw.
TEST_F(Selftest, FindsAPolicyThatGivesTooMuchOrTooLittle) {
  const std::string access = ", access = [\"get\", \"put\", \"delete\", \"list\"] }";
  const std::string wide = dir_.write("wide", "[default]\nrules = [ { grant = \"/state/\"" + access + " ]\n");
  start({"--policy", wide});
  RunResult result = check({"eperm"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, StartsWith("SELFTEST: remote statefs eperm fail policy: PUT /state/sharedx: got OK, not ACCESS_DENIED"));
  const std::string narrow = dir_.write("narrow", "[default]\nrules = [ { grant = \"/state/shared/other/\"" + access + " ]\n");
  daemon_.reset();
  start({"--policy", narrow});
  result = check({"rw"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, StartsWith("SELFTEST: remote statefs rw fail "));
}

TEST_F(Selftest, FindsAServerThatTakesNoValueInChunksOrRefusesIts) {
  const std::string small = dir_.write("small", "[limits]\ntotal_value_size = \"64KiB\"\n");
  start({"--config", small});
  RunResult result = check({"chunks"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "SELFTEST: remote statefs chunks fail operation: the server takes no value above one request\n");
  const std::string wide = dir_.write("wide", "[default]\nrules = [ { grant = \"/state/\", access = [\"get\", \"put\", \"delete\", \"list\"] } ]\n");
  daemon_.reset();
  start({"--policy", wide});
  result = check({"chunks"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "SELFTEST: remote statefs chunks fail policy: PUT in chunks of /state/sharedx: got OK, not ACCESS_DENIED\n");
}

// Whoever cuts the network says when it is enough, and without anybody the time decides.
TEST_F(Selftest, FlapsUntilItIsToldToStop) {
  start();
  const auto flap = [&](const std::string& limit, const std::string& input) {
    return run({program("selftest-client"), "--connect", address_, "--server-key", server_key_, "--identity", dir_.path("client.key"),
                "--patience", "1s", "--seconds", limit, "flap"}, input);
  };
  const RunResult told = flap("600", "stop\n");
  EXPECT_EQ(told.status, 0);
  EXPECT_THAT(told.out, StartsWith("SELFTEST: flap load\nSELFTEST: flap ok operations=4 "));
  daemon_.reset();
  start();
  const RunResult untold = flap("1", "stop it\n");
  EXPECT_EQ(untold.status, 0);
  EXPECT_THAT(untold.out, StartsWith("SELFTEST: flap load\nSELFTEST: flap ok operations="));
}

TEST_F(Selftest, FindsAStrangerThatIsEnrolled) {
  dir_.write("peers", keygen("again.key") + "\n" + stranger_key_ + "\n", 0644);
  start();
  const RunResult result = check({"unauthenticated"}, "again.key");
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "SELFTEST: remote statefs unauthenticated fail authentication: a key that is not enrolled: was answered\n");
}

TEST_F(Selftest, RefusesOptionsItDoesNotKnow) {
  EXPECT_EQ(run({program("selftest-client"), "nonsense"}).status, 2);
  EXPECT_EQ(run({program("selftest-client"), "--nonsense"}).status, 2);
  EXPECT_EQ(run({program("selftest-client"), "rw"}).status, 2) << "no key of a server";
}

TEST(GuestInit, RefusesToBeAnythingButTheFirstProcess) {
  const RunResult result = run({program("guest-init")});
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("first process of a guest"));
}

}  // namespace
}  // namespace statefs
