// What a state file promises it holds: to each peer its share, whatever the others have done; or the daemon does not start.
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "tests/os/programs.h"

namespace statefs {
namespace {

using test::program;
using test::read_file;
using test::run;
using ::testing::HasSubstr;
using ::testing::Not;

class StateRooms : public test::Programs {
 protected:
  std::string image() const { return dir_.path("state.img"); }
  bool is_there(const std::string& name) const {
    struct stat info {};
    return ::lstat(dir_.path(name).c_str(), &info) == 0;
  }
  std::vector<std::string> on_file(const std::string& size, const std::string& config = "") {
    std::vector<std::string> all = {"--state", image(), "--state-size", size};
    if (config.empty()) return all;
    dir_.write("config.toml", config);
    all.insert(all.end(), {"--config", dir_.path("config.toml")});
    return all;
  }
  // The size that a refusal tells.
  std::string refused_for(const std::vector<std::string>& arguments, const std::string& before) {
    const auto refused = run(daemon_arguments(arguments));
    expect_refusal(refused, 1, before);
    const std::size_t at = refused.err.find(before);
    if (at == std::string::npos) return "";
    const std::string rest = refused.err.substr(at + before.size());
    return rest.substr(0, rest.find_first_not_of("0123456789KMGiB"));
  }
  test::RunResult as(const std::string& who, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--identity", dir_.path(who)});
    return statefs(arguments);
  }
  // Stores values of `who` until one is refused with `status`; so many were kept.
  int fill(const std::string& who, int status, const std::string& name) {
    for (int count = 0; count < 2'000; ++count) {
      const auto put = as(who, {"put", "--no-sync", "/state/shared/" + who + "/" + std::to_string(count), "@" + dir_.path("value")});
      if (put.status == 0) continue;
      EXPECT_EQ(put.status, status) << put.err;
      EXPECT_THAT(put.err, HasSubstr(name));
      return count;
    }
    ADD_FAILURE() << "never refused";
    return 0;
  }
};

// Each peer has room for its share when another has filled its own.
TEST_F(StateRooms, KeepTheShareOfAPeerFromWhatAnotherStores) {
  const std::string second = keygen("second.key");
  dir_.write("peers", read_file(dir_.path("peers")) + second + " tablet\n", 0644);
  start(on_file("64MiB"));
  EXPECT_THAT(daemon_->out(), HasSubstr("its size has room for "));
  dir_.write("value", std::string(1'000'000, 'v'));
  const int kept = fill("client.key", 6, "QUOTA_EXCEEDED");
  EXPECT_GE(kept, 4);
  EXPECT_EQ(fill("second.key", 6, "QUOTA_EXCEEDED"), kept);
  // The last bytes of both, with what is left of the store's own.
  dir_.write("value", std::string(20'000, 'w'));
  EXPECT_EQ(as("second.key", {"put", "/state/shared/client.key/0", "@" + dir_.path("value")}).status, 0) << "smaller, and now its own";
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 0) << daemon_->err();
  start(on_file("64MiB"));
  EXPECT_EQ(as("client.key", {"get", "/state/shared/second.key/0"}).out.size(), 1'000'000u);
}

TEST_F(StateRooms, TakeLongKeysOffWhatTheirWriterMayHold) {
  const std::string second = keygen("second.key");
  dir_.write("peers", read_file(dir_.path("peers")) + second + " tablet\n", 0644);
  dir_.write("policy.toml", "[default]\nquota = { value_bytes = 1000, keys = 4 }\n");
  auto arguments = on_file("64MiB");
  arguments.insert(arguments.end(), {"--policy", dir_.path("policy.toml")});
  start(arguments);
  const auto put = [&](char name, std::size_t size) {
    return statefs({"put", "/state/shared/" + std::string(240, name), std::string(size, 'v')});
  };
  // 254 bytes are 190 more than 64. Four such keys would leave 240 bytes of 1000; three leave 430 and 116 of the fourth.
  for (const char name : {'a', 'b', 'c'}) EXPECT_EQ(put(name, 182).status, 0);
  EXPECT_EQ(statefs({"put", "/state/shared/" + std::string(240, 'a'), std::string(182 + 1, 'v')}).status, 6);
  EXPECT_EQ(statefs({"put", "/state/shared/d", std::string(60, 'v')}).status, 6);
  EXPECT_EQ(statefs({"del", "/state/shared/" + std::string(240, 'b')}).status, 0);
  EXPECT_EQ(statefs({"put", "/state/shared/d", std::string(60, 'v')}).status, 0);
}

TEST_F(StateRooms, RefuseWhatWasAskedForAndDoesNotFitWithTheSizeThatDoes) {
  const std::string before = "these limits need --state-size ";
  for (const std::string config : {"[store]\nvalue_bytes = \"64MiB\"\n", "[store]\nkeys = 500000\n",
                                   "[store]\nvalue_bytes = \"16MiB\"\nkeys = 100000\n[limits]\nsessions_per_key = 256\n"}) {
    const std::string size = refused_for(on_file("64MiB", config), before);
    EXPECT_FALSE(is_there("state.img") || is_there("state.img.new")) << "nothing was made";
    ASSERT_NE(size, "") << config;
    start(on_file(size, config));
    EXPECT_THAT(daemon_->out(), HasSubstr("new store"));
    daemon_->signal(SIGTERM);
    EXPECT_EQ(daemon_->wait(), 0);
    ASSERT_EQ(::unlink(image().c_str()), 0);
  }
}

TEST_F(StateRooms, MakeNoFileThatIsTooSmall) {
  for (const std::string size : {"4096", "64KiB", "1MiB", "4MiB", "7MiB"}) {
    const std::string needed = refused_for(on_file(size), "these limits need --state-size ");
    EXPECT_FALSE(is_there("state.img") || is_there("state.img.new")) << size;
    if (size == "4096") { EXPECT_FALSE(is_there("audit.jsonl")); }
    ASSERT_NE(needed, "");
    start(on_file(needed));
    daemon_->signal(SIGTERM);
    EXPECT_EQ(daemon_->wait(), 0);
    ASSERT_EQ(::unlink(image().c_str()), 0);
  }
}

TEST_F(StateRooms, RefuseQuotasThatDoNotFitTheFileBeforeItIsMade) {
  dir_.write("policy.toml", "[default]\nquota = { value_bytes = \"40MiB\", keys = 10 }\n");
  auto arguments = on_file("64MiB");
  arguments.insert(arguments.end(), {"--policy", dir_.path("policy.toml")});
  expect_daemon_refuses(daemon_arguments(arguments), "do not fit the store");
  EXPECT_FALSE(is_there("state.img"));
}

TEST_F(StateRooms, SayNothingOfADefaultStore) {
  start({"--state", image()});
  EXPECT_THAT(daemon_->out(), Not(HasSubstr("room for")));
  struct stat info {};
  ASSERT_EQ(::stat(image().c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 256 << 20);
}

TEST_F(StateRooms, SayWhyAStoreThatIsThereHasNoRoom) {
  start(on_file("64MiB"));
  ASSERT_EQ(statefs({"put", "/state/shared/a", "one"}).status, 0);
  daemon_->signal(SIGTERM);
  ASSERT_EQ(daemon_->wait(), 0);
  const std::string before = read_file(image());
  EXPECT_NE(refused_for(on_file("256MiB", "[store]\nvalue_bytes = \"64MiB\"\n"), "these limits need a new store of "), "");
  EXPECT_TRUE(read_file(image()) == before);
  // An empty file of another size.
  ASSERT_EQ(::unlink(image().c_str()), 0);
  dir_.write("state.img", std::string(1u << 20, '\0'));
  (void)refused_for(on_file("256MiB"), "it is empty and keeps its size of 1MiB, these limits need ");
}

TEST_F(StateRooms, AreNoneInAFileThatIsShorterThanAHead) {
  dir_.write("state.img", std::string(100, '\0'));
  expect_daemon_refuses(daemon_arguments(on_file("64MiB")), "is no store: it has 100 bytes");
  for (const std::string verb : {"check", "verify"}) {
    const auto said = verb == "check" ? run({program("statefs"), "check", image()}) : run({program("statefs"), "audit", "verify", image()});
    EXPECT_EQ(said.status, 8);
    EXPECT_THAT(said.out + said.err, HasSubstr("no store: it has 100 bytes"));
  }
}

}  // namespace
}  // namespace statefs
