// --witness: what a server called durable outlives the program that was told, and a store that was set back is found out.
#include "os/witness_file.h"

#include <sys/stat.h>

#include <csignal>

#include "tests/os/programs.h"

namespace statefs {
namespace {

using test::read_file;
using test::RunResult;
using ::testing::HasSubstr;

class WitnessPrograms : public test::Programs {
 protected:
  std::string image() const { return dir_.path("state.img"); }
  std::string witness() const { return dir_.path("witness"); }
  void start_on_file() { start({"--state", image(), "--state-size", "64MiB"}); }
  void end() {
    daemon_->signal(SIGTERM);
    EXPECT_EQ(daemon_->wait(), 0) << daemon_->err();
  }
  RunResult with_witness(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--witness", witness()});
    return statefs(arguments);
  }
};

TEST_F(WitnessPrograms, KeepTheHighestHeadAndRefuseAStoreThatHasLostIt) {
  start_on_file();
  ASSERT_EQ(with_witness({"put", "/state/shared/a", "one"}).status, 0);
  const std::string first = read_file(witness());
  EXPECT_THAT(first, HasSubstr(" " + server_key_ + "\n"));
  struct stat info {};
  ASSERT_EQ(::stat(witness().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  end();
  dir_.write("older", read_file(image()), 0600);
  start_on_file();
  ASSERT_EQ(with_witness({"put", "/state/shared/a", "two"}).status, 0);
  const std::string second = read_file(witness());
  EXPECT_NE(second, first);
  ASSERT_EQ(with_witness({"get", "/state/shared/a"}).status, 0);
  end();
  // A clean end records nothing more, and the same store comes back: no false alarm.
  start_on_file();
  EXPECT_EQ(with_witness({"get", "/state/shared/a"}).out, "two");
  const std::string third = read_file(witness());
  end();

  dir_.write("state.img", read_file(dir_.path("older")), 0600);
  start_on_file();
  const std::vector<std::vector<std::string>> verbs = {{"get", "/state/shared/a"}, {"put", "/state/shared/b", "x"}, {"ls", "/state/shared/"},
                                                       {"del", "/state/shared/a"}, {"sync"},                        {"status"}};
  for (const auto& verb : verbs) expect_refusal(with_witness(verb), 9, "ROLLED BACK: the server at 127.0.0.1:");
  EXPECT_EQ(read_file(witness()), third) << "what was seen is kept";
  EXPECT_EQ(statefs({"get", "/state/shared/b"}).status, 2) << "nothing was asked of it";
  EXPECT_EQ(statefs({"get", "/state/shared/a"}).out, "one") << "who keeps nothing cannot know";
  // As the message says: without its line the store counts as it is.
  dir_.write("witness", "", 0600);
  EXPECT_EQ(with_witness({"get", "/state/shared/a"}).out, "one");
  EXPECT_EQ(with_witness({"get", "/state/shared/a"}).status, 0);
}

TEST_F(WitnessPrograms, TellARestoredStoreFromOneThatWasSetBack) {
  start_on_file();
  ASSERT_EQ(with_witness({"put", "/state/shared/a", "one"}).status, 0);
  end();
  const RunResult restored = test::run({test::program("statefs"), "restore", image(), dir_.path("restored.img")});
  ASSERT_EQ(restored.status, 0) << restored.err;
  start({"--state", dir_.path("restored.img")});
  const RunResult got = with_witness({"get", "/state/shared/a"});
  EXPECT_EQ(got.status, 0);
  EXPECT_EQ(got.out, "one");
  EXPECT_THAT(got.err, HasSubstr("has another store than the one that"));
  EXPECT_EQ(with_witness({"get", "/state/shared/a"}).err, "") << "told once";
}

TEST_F(WitnessPrograms, RefuseAFileThatCannotBeKeptOrRead) {
  start();
  expect_refusal(statefs({"put", "/state/shared/a", "x", "--witness", dir_.path("no/where")}), 1, "witness file");
  expect_refusal(statefs({"put", "/state/shared/a", "x", "--witness", dir_.path("")}), 1, "witness file");
  dir_.write("witness", "hello\n", 0600);
  expect_refusal(with_witness({"put", "/state/shared/a", "x"}), 1, "witness:1:1: is no head of a server");
  EXPECT_EQ(statefs({"get", "/state/shared/a"}).status, 2) << "and nothing was asked";
}

TEST(WitnessFile, NeverReplacesAHeadByAnOlderOneAndKeepsOtherServers) {
  const test::TempDir dir;
  const std::string path = dir.path("w");
  const std::string one(64, 'a'), two(64, 'b');
  const auto seen = [](std::uint64_t index) {
    SeenHead head;
    head.store.fill(1);
    head.epoch = 1;
    head.head.index = index;
    return head;
  };
  auto first = WitnessFile::open(path, one);
  auto second = WitnessFile::open(path, one);
  auto other = WitnessFile::open(path, two);
  ASSERT_TRUE(first.ok() && second.ok() && other.ok());
  EXPECT_EQ(first.value().seen(), SeenHead{});
  EXPECT_FALSE(other.value().keep(seen(3)).has_value());
  EXPECT_FALSE(first.value().keep(seen(9)).has_value());
  EXPECT_FALSE(second.value().keep(seen(8)).has_value());
  EXPECT_EQ(WitnessFile::open(path, one).value().seen(), seen(9));
  EXPECT_EQ(WitnessFile::open(path, two).value().seen(), seen(3));
  SeenHead new_store = seen(2);
  new_store.store.fill(2);
  EXPECT_FALSE(second.value().keep(new_store).has_value());
  EXPECT_EQ(WitnessFile::open(path, one).value().seen(), new_store) << "another store begins anew";
  EXPECT_FALSE(second.value().keep(SeenHead{}).has_value()) << "nothing was seen, nothing is kept";
  EXPECT_EQ(WitnessFile::open(path, one).value().seen(), new_store);
}

}  // namespace
}  // namespace statefs
