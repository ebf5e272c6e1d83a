// The daemon over a journal in a file: what was promised is there after its end, however it ended.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "tests/os/programs.h"

namespace statefs {
namespace {

using test::program;
using test::read_file;
using test::run;
using ::testing::HasSubstr;

class StateFilePrograms : public test::Programs {
 protected:
  std::string image() const { return dir_.path("state.img"); }
  void start_on_file(const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = {"--state", image(), "--state-size", "64MiB"};
    all.insert(all.end(), more.begin(), more.end());
    start(all);
  }
  void put(const std::string& key, const std::string& value) {
    const auto done = statefs({"put", "/state/shared/" + key, value});
    ASSERT_EQ(done.status, 0) << done.err;
  }
  std::string get(const std::string& key) { return statefs({"get", "/state/shared/" + key}).out; }
  void end(int number, int status) {
    daemon_->signal(number);
    EXPECT_EQ(daemon_->wait(), status) << daemon_->err();
  }
  void expect_file_refused(const std::string& text) {
    const std::string before = read_file(image());
    expect_daemon_refuses(daemon_arguments({"--state", image(), "--state-size", "64MiB"}), text);
    EXPECT_EQ(read_file(image()) == before, true) << "it was written to";
  }
};

TEST_F(StateFilePrograms, KeepEverythingAcrossACleanEnd) {
  start_on_file();
  EXPECT_THAT(daemon_->out(), HasSubstr("new store, epoch 1"));
  put("a", "one");
  put("b", "two");
  ASSERT_EQ(statefs({"del", "/state/shared/b"}).status, 0);
  end(SIGTERM, 0);
  start_on_file();
  EXPECT_THAT(daemon_->out(), HasSubstr("recovered"));
  EXPECT_THAT(daemon_->out(), HasSubstr("epoch 2"));
  EXPECT_EQ(get("a"), "one");
  EXPECT_EQ(statefs({"get", "/state/shared/b"}).status, 2);
  put("a", "three");
  end(SIGTERM, 0);
  EXPECT_EQ(audit_lines("\"op\":\"put\""), 3) << "each record is exported, and after a clean end once";
  EXPECT_EQ(audit_lines("\"op\":\"del\""), 1);
}

TEST_F(StateFilePrograms, KeepWhatASuccessfulPutPromisedAcrossAKill) {
  for (const std::string durability : {"sync", "commit"}) {
    for (int round = 0; round < 5; ++round) {
      start_on_file({"--durability", durability});
      if (round > 0) { EXPECT_EQ(get(durability), std::to_string(round - 1)); }
      put(durability, std::to_string(round));
      end(SIGKILL, 128 + SIGKILL);
    }
  }
  start_on_file();
  EXPECT_EQ(get("sync"), "4");
  EXPECT_EQ(get("commit"), "4");
}

TEST_F(StateFilePrograms, RefuseWhatIsNotTheirStoreAndLeaveItAsItIs) {
  dir_.write("state.img", std::string(64 * 1024, 'x'));
  expect_file_refused("no store of this device");
  ASSERT_EQ(::unlink(image().c_str()), 0);
  start_on_file();
  put("a", "one");
  end(SIGTERM, 0);
  const std::string own = read_file(dir_.path("server.key"));
  ASSERT_EQ(::unlink(dir_.path("server.key").c_str()), 0);
  keygen("server.key");
  expect_file_refused("belongs to another identity");
  dir_.write("server.key", own);
  start_on_file();
  EXPECT_EQ(get("a"), "one");
}

TEST_F(StateFilePrograms, AreAloneWithTheirFile) {
  start_on_file();
  expect_daemon_refuses(daemon_arguments({"--state", image()}), "in use by another process");
}

TEST_F(StateFilePrograms, RefuseAFileThatIsTooSmallForTheirLimits) {
  expect_daemon_refuses(daemon_arguments({"--state", image(), "--state-size", "64KiB"}), "--state-size");
}

}  // namespace
}  // namespace statefs
