// The daemon over a journal in a file: what was promised is there after its end, however it ended.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

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
  void overwrite(std::size_t offset, const std::string& bytes) const {
    std::fstream file(image(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
    ASSERT_TRUE(file.good());
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
  EXPECT_EQ(audit_lines("\"op\":\"put\"", 3), 3) << "each record is exported, and after a clean end once";
  EXPECT_EQ(audit_lines("\"op\":\"del\"", 1), 1);
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

TEST_F(StateFilePrograms, RefuseAStoreWithoutASuperblockAndLeaveItAsItIs) {
  start_on_file();
  put("a", "one");
  end(SIGTERM, 0);
  overwrite(0, std::string(4, '\x01'));
  overwrite(3 * 4096, std::string(4, '\x01'));
  expect_file_refused("no store of this device");
  EXPECT_EQ(run({program("statefs"), "check", image()}).status, 8);
}

// Whatever was under way when the end came: both marks name the last record, so that damage of it cannot pass for a torn tail.
TEST_F(StateFilePrograms, MarkTheLastRecordTwiceInACleanEnd) {
  for (const std::string durability : {"sync", "commit"}) {
    for (int round = 0; round < 4; ++round) {
      start_on_file({"--durability", durability});
      put("a", std::to_string(round));
      // The end comes in the middle of a write that nobody waits for.
      if (round % 2 == 1) {
        ASSERT_EQ(statefs({"put", "--no-sync", "/state/shared/b", "x"}).status, 0);
      }
      end(SIGTERM, 0);
      const auto check = run({program("statefs"), "check", image(), "--output", "json"});
      ASSERT_EQ(check.status, 0) << check.out;
      const std::string last =
          "\"last\":" + check.out.substr(check.out.find("\"last\":") + 7,
                                         check.out.find("}", check.out.find("\"last\":")) - check.out.find("\"last\":") - 6);
      const std::string head = last.substr(last.find('{'));
      std::size_t count = 0;
      for (std::size_t at = check.out.find("\"durable\":" + head); at != std::string::npos;
           at = check.out.find("\"durable\":" + head, at + 1))
        ++count;
      EXPECT_EQ(count, 2u) << durability << " " << check.out;
    }
    ASSERT_EQ(::unlink(image().c_str()), 0);
  }
}

TEST_F(StateFilePrograms, AnswerIoErrorToEverythingOverADamagedStoreAndSayWhere) {
  for (const std::string durability : {"sync", "commit"}) {
    start_on_file({"--durability", durability});
    put("a", "a value that can be found");
    end(SIGTERM, 0);
    const std::size_t place = read_file(image()).find("a value that can be found");
    ASSERT_NE(place, std::string::npos);
    overwrite(place, "A");
    const std::string before = read_file(image());

    daemon_ = std::make_unique<test::Child>(daemon_arguments({"--state", image()}), dir_.path(""), "daemon");
    ASSERT_TRUE(daemon_->wait_for("dsoftbusd: damaged: every request is answered IO_ERROR\n")) << daemon_->err();
    const std::string told = daemon_->err();
    EXPECT_EQ(test::lines_in(told), 1) << told;
    EXPECT_THAT(told, HasSubstr("is damaged in the log"));
    EXPECT_THAT(told, HasSubstr("'statefs check " + image() + "'"));
    const std::string out = daemon_->out();
    const std::size_t at = out.find("listening on ") + 13;
    address_ = out.substr(at, out.find('\n', at) - at);
    for (const std::vector<std::string>& verb : {std::vector<std::string>{"get", "/state/shared/a"},
                                                 {"put", "/state/shared/a", "x"},
                                                 {"ls", "/state/shared/"},
                                                 {"sync"},
                                                 {"status"},
                                                 {"del", "/state/shared/a"}}) {
      expect_refusal(statefs(verb), 8, "IO_ERROR");
    }
    end(SIGTERM, 1);
    EXPECT_EQ(read_file(image()) == before, true) << "it was written to";

    const auto check = run({program("statefs"), "check", image()});
    EXPECT_EQ(check.status, 8);
    // The place is that of the record, a little before its value.
    const std::size_t record = std::stoul(told.substr(told.find("at byte ") + 8));
    EXPECT_LT(record, place);
    EXPECT_GT(record + 600, place);
    EXPECT_THAT(check.out, HasSubstr("damaged in the log, which ends before what is known to be durable, at byte " +
                                     std::to_string(record)));
    EXPECT_THAT(check.out, HasSubstr("safe to read: the state as it was after record "));
    ASSERT_EQ(::unlink(image().c_str()), 0);
  }
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
