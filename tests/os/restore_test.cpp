// restore: a backup becomes a store of its own. session ls: who has sessions in a store.
#include <sys/stat.h>

#include <csignal>

#include "tests/os/programs.h"

namespace statefs {
namespace {

using test::program;
using test::read_file;
using test::RunResult;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class RestorePrograms : public test::Programs {
 protected:
  std::string image() const { return dir_.path("state.img"); }
  void end() {
    daemon_->signal(SIGTERM);
    EXPECT_EQ(daemon_->wait(), 0) << daemon_->err();
  }
  void fill() {
    start({"--state", image(), "--state-size", "64MiB"});
    ASSERT_EQ(statefs({"put", "/state/shared/a", "one"}).status, 0);
    ASSERT_EQ(statefs({"put", "/state/shared/b", "two"}).status, 0);
    ASSERT_EQ(statefs({"del", "/state/shared/b"}).status, 0);
    end();
  }
  static RunResult offline(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program("statefs"));
    return test::run(arguments);
  }
  static std::string second_word(const std::string& text, const std::string& word) {
    const std::size_t at = text.find(word + " ");
    if (at == std::string::npos) return {};
    const std::size_t from = at + word.size() + 1;
    return text.substr(from, text.find_first_of(" \n,", from) - from);
  }
};

TEST_F(RestorePrograms, MakeAStoreOfABackupWithAnIdOfItsOwnAndRecordIt) {
  fill();
  const std::string backup = read_file(image());
  const RunResult restored = offline({"restore", image(), dir_.path("new.img")});
  ASSERT_EQ(restored.status, 0) << restored.err;
  EXPECT_THAT(restored.out, StartsWith("restored 1 keys up to record "));
  EXPECT_TRUE(read_file(image()) == backup) << "the backup is only read";
  struct stat info {};
  EXPECT_NE(::stat(dir_.path("new.img.restoring").c_str(), &info), 0);
  const std::string old_store = second_word(offline({"dump", image()}).out, "store");
  const std::string new_store = second_word(offline({"dump", dir_.path("new.img")}).out, "store");
  EXPECT_EQ(old_store.size(), 32u);
  EXPECT_NE(old_store, new_store);
  EXPECT_THAT(restored.out, HasSubstr(new_store));
  EXPECT_EQ(offline({"check", dir_.path("new.img")}).status, 0);
  const RunResult verified = offline({"audit", "verify", image(), dir_.path("new.img")});
  EXPECT_EQ(verified.status, 0) << verified.err;
  const RunResult last = offline({"audit", "tail", dir_.path("new.img"), "-n", "1"});
  EXPECT_THAT(last.out, HasSubstr(" restore note OK from " + old_store + " store " + new_store + " by -"));
  const RunResult lines = offline({"audit", "export", dir_.path("new.img")});
  dir_.write("lines.jsonl", lines.out, 0600);
  EXPECT_THAT(lines.out, HasSubstr("\"kind\":\"restored\""));
  EXPECT_EQ(offline({"audit", "verify", dir_.path("lines.jsonl")}).status, 0) << "and its line is read back";
  // It is a store like any other, of the same device.
  start({"--state", dir_.path("new.img")});
  EXPECT_EQ(statefs({"get", "/state/shared/a"}).out, "one");
  EXPECT_EQ(statefs({"get", "/state/shared/b"}).status, 2);
  EXPECT_EQ(statefs({"put", "/state/shared/b", "three"}).status, 0);
  EXPECT_THAT(statefs({"status"}).out, HasSubstr("store " + new_store));
  end();
  EXPECT_EQ(offline({"audit", "verify", dir_.path("new.img")}).status, 0);
}

TEST_F(RestorePrograms, RefuseWhatIsNoWholeBackupAndWhatIsThereAlready) {
  fill();
  expect_refusal(offline({"restore", image(), image()}), 1, "is there already");
  expect_refusal(offline({"restore", dir_.path("none"), dir_.path("new.img")}), 1, "no such file");
  dir_.write("zero", std::string(1u << 20, '\0'), 0600);
  expect_refusal(offline({"restore", dir_.path("zero"), dir_.path("new.img")}), 1, "only a whole store is restored");
  dir_.write("text", std::string(1u << 20, 'x'), 0600);
  expect_refusal(offline({"restore", dir_.path("text"), dir_.path("new.img")}), 1, "only a whole store is restored");
  std::string damaged = read_file(image());
  damaged[damaged.find("one")] ^= 1;
  dir_.write("damaged", damaged, 0600);
  expect_refusal(offline({"restore", dir_.path("damaged"), dir_.path("new.img")}), 8, "damaged in the log");
  start({"--state", image()});
  expect_refusal(offline({"restore", image(), dir_.path("new.img")}), 1, "in use");
  struct stat info {};
  EXPECT_NE(::stat(dir_.path("new.img").c_str(), &info), 0) << "whole or not at all";
}

TEST_F(RestorePrograms, ListSessionsBesideTheirDaemonSoThatOneCanBeClosed) {
  start({"--state", image(), "--state-size", "64MiB", "--local", dir_.path("door")});
  ASSERT_EQ(statefs({"put", "/state/shared/a", "one"}).status, 0);
  ASSERT_EQ(offline({"--local", dir_.path("door"), "put", "/state/shared/b", "two"}).status, 0);
  const std::string uid = "uid:" + std::to_string(::geteuid());
  RunResult all;
  for (int i = 0; i < 100 && all.out.find("slot 0 sequence 1 OK", all.out.find(uid)) == std::string::npos; ++i) {
    all = offline({"session", "ls", image()});  // marked within a second
    ::usleep(50'000);
  }
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_EQ(test::lines_in(all.out), 4) << all.out;
  const RunResult local = offline({"session", "ls", image(), "--peer", uid});
  EXPECT_THAT(local.out, HasSubstr(" live peer " + uid + " instance "));
  EXPECT_EQ(test::lines_in(local.out), 2) << local.out;
  const std::string key = test::first_line(read_file(dir_.path("peers")).substr(11)).substr(0, 64);
  const RunResult remote = offline({"session", "ls", image(), "--peer", key.substr(0, 8)});
  EXPECT_THAT(remote.out, HasSubstr(" live peer " + key + " instance "));
  EXPECT_EQ(offline({"session", "ls", image(), "--peer", key.substr(0, 7)}).out, "");
  const std::string instance = second_word(remote.out, "instance");
  const RunResult closed = statefs({"session", "close", instance});
  EXPECT_EQ(closed.status, 0) << closed.err;
  EXPECT_EQ(statefs({"outcome", instance, "0", "1"}).status, 0);
  end();
  const RunResult after = offline({"session", "ls", image(), "--peer", key.substr(0, 8), "--output", "json"});
  EXPECT_THAT(after.out, StartsWith("{\"sessions\":[{\"number\":"));
  EXPECT_THAT(after.out, HasSubstr("\"state\":\"ended\""));
  EXPECT_THAT(after.out, HasSubstr("\"instance\":\"" + instance + "\""));
  expect_refusal(offline({"session", "ls", dir_.path("peers")}), 8, "state " + dir_.path("peers"));
  expect_refusal(offline({"session", "ls", dir_.path("none")}), 1, "no such file");
}

}  // namespace
}  // namespace statefs
