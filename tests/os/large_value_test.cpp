// Values above one request, from files and into files, over streams that break.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "core/limits.h"
#include "os/endpoint.h"
#include "os/progress.h"
#include "os/value_file.h"
#include "tests/os/cutting_proxy.h"
#include "tests/os/programs.h"

namespace statefs {
namespace {

using test::Programs;
using test::read_file;
using test::RunResult;
using ::testing::HasSubstr;

std::string large_value(std::size_t size, std::uint32_t seed = 1) {
  std::string value(size, '\0');
  for (char& c : value) c = static_cast<char>((seed = seed * 1'664'525 + 1'013'904'223) >> 24);
  return value;
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

class LargeValues : public Programs {
 protected:
  void start_with_values_up_to(const std::string& size, const std::vector<std::string>& more = {}) {
    dir_.write("config", "[limits]\ntotal_value_size = \"" + size + "\"\n", 0644);
    std::vector<std::string> arguments{"--config", dir_.path("config")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    start(arguments);
  }
  void expect_done(const RunResult& result) {
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.err, "") << "no progress where there is no terminal";
  }
};

TEST_F(LargeValues, GoInAndOutByFileAndByStream) {
  start();
  const std::string value = large_value(limits::total_value_size_default);
  dir_.write("in", value);
  expect_done(statefs({"put", "/state/shared/file", "@" + dir_.path("in")}));
  expect_done(statefs({"put", "/state/shared/pipe", "-"}, value));
  for (const std::string key : {"/state/shared/file", "/state/shared/pipe"}) {
    expect_done(statefs({"get", key, "--to", dir_.path("out")}));
    EXPECT_TRUE(read_file(dir_.path("out")) == value);
    EXPECT_FALSE(exists(dir_.path("out.part")));
    EXPECT_TRUE(statefs({"get", key}).out == value);
  }
  EXPECT_EQ(audit_lines("\"op\":\"put\"", 2), 2) << "a chunk has no record";
}

TEST_F(LargeValues, AreHeldToTheLargestSizeOfTheServer) {
  start();
  dir_.write("in", std::string(limits::total_value_size_default + 1, 'x'));
  expect_refusal(statefs({"put", "/state/shared/big", "@" + dir_.path("in")}), 1, "VALUE_TOO_LARGE");
  expect_refusal(statefs({"put", "/state/shared/big", "-"}, std::string(limits::total_value_size_ceiling + 1, 'x')), 1, "is larger than");
  dir_.write("in", std::string(limits::value_size_max + 1, 'x'));
  expect_refusal(statefs({"put", "/state/boot/x", "@" + dir_.path("in")}), 3, "EPERM");
  expect_refusal(statefs({"put", "no key", "@" + dir_.path("in")}), 1, "INVALID_KEY");
  expect_refusal(statefs({"put", "--if-revision", "7", "/state/shared/x", "@" + dir_.path("in")}), 4, "REVISION_CONFLICT");
  expect_refusal(statefs({"get", "/state/shared/x", "--to", dir_.path("out")}), 2, "NOT_FOUND");
  EXPECT_FALSE(exists(dir_.path("out")) || exists(dir_.path("out.part"))) << "a file is made of a whole value alone";
  dir_.write("out", "before");
  expect_refusal(statefs({"get", "/state/shared/x", "--to", dir_.path("out")}), 2, "NOT_FOUND");
  EXPECT_EQ(read_file(dir_.path("out")), "before");
  expect_refusal(statefs({"get", "/state/shared/x", "--to", dir_.path("nowhere/out")}), 1, "no such file");
}

TEST_F(LargeValues, OfTheHighestSettingOutliveTheDaemon) {
  const std::vector<std::string> state{"--state", dir_.path("state.img"), "--state-size", "512MiB"};
  start_with_values_up_to("16MiB", state);
  const std::string value = large_value(limits::total_value_size_ceiling);
  dir_.write("in", value);
  expect_done(statefs({"put", "/state/shared/image", "@" + dir_.path("in"), "--timeout", "20s"}));
  daemon_->signal(SIGKILL);
  (void)daemon_->wait();
  start_with_values_up_to("16MiB", state);
  expect_done(statefs({"get", "/state/shared/image", "--to", dir_.path("out"), "--timeout", "20s"}));
  EXPECT_TRUE(read_file(dir_.path("out")) == value);
}

TEST_F(LargeValues, GoOnWhenTheirStreamIsCut) {
  start();
  const auto daemon = parse_endpoint(address_);
  ASSERT_TRUE(daemon.ok());
  const std::string value = large_value(limits::total_value_size_default);
  dir_.write("in", value);
  // At the first chunk, and in the middle.
  for (const std::size_t bytes_passed : {1'000u, 100'000u, 300'000u, 600'000u}) {
    const std::string key = "/state/shared/cut" + std::to_string(bytes_passed);
    const test::CuttingProxy proxy(daemon.value(), {2, 0, false, false, bytes_passed});
    const std::string over = to_text(proxy.endpoint());
    expect_done(statefs({"put", key, "@" + dir_.path("in"), "--connect", over, "--timeout", "20s"}));
    EXPECT_GE(proxy.cuts(), 1) << bytes_passed;
    // A client has asked for all of a value when half of it has come.
    const test::CuttingProxy back(daemon.value(), {2, 0, false, false, std::min<std::size_t>(bytes_passed, 300'000)});
    expect_done(statefs({"get", key, "--to", dir_.path("out"), "--connect", to_text(back.endpoint()), "--timeout", "20s"}));
    EXPECT_GE(back.cuts(), 1) << bytes_passed;
    EXPECT_TRUE(read_file(dir_.path("out")) == value);
    EXPECT_EQ(audit_lines(key, 1), 1) << "it ran once";
  }
}

TEST_F(LargeValues, AreTakenUpByTheNextRunOfTheProgram) {
  start();
  const auto daemon = parse_endpoint(address_);
  ASSERT_TRUE(daemon.ok());
  dir_.write("in", large_value(limits::total_value_size_default));
  const test::CuttingProxy proxy(daemon.value(), {1, 0, true, false, 300'000});
  EXPECT_NE(statefs({"put", "/state/shared/x", "@" + dir_.path("in"), "--connect", to_text(proxy.endpoint()), "--timeout", "1s"}).status, 0);
  EXPECT_EQ(audit_lines("/state/shared/x"), 0);
  expect_done(statefs({"put", "/state/shared/x", "@" + dir_.path("in")}));
  EXPECT_TRUE(statefs({"get", "/state/shared/x"}).out == read_file(dir_.path("in")));
}

TEST(Progress, DrawsOnATerminalAndWipesIt) {
  int master = -1, slave = -1;
  ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  {
    Progress progress("put /k", slave);
    progress.show(512 * 1024, 1 << 20, Time{0});
    progress.show(600 * 1024, 1 << 20, Time{1});
    progress.show(1 << 20, 1 << 20, Time{2});
  }
  // A terminal may hand over what was written to it in parts.
  std::string drawn;
  const auto whole = [&drawn] { return drawn.find("100 %") != std::string::npos && drawn.ends_with("\r\x1b[K"); };
  for (pollfd watched{master, POLLIN, 0}; !whole() && ::poll(&watched, 1, 5'000) == 1;) {
    char text[1'000];
    const ssize_t count = ::read(master, text, sizeof text);
    if (count <= 0) break;
    drawn.append(text, static_cast<std::size_t>(count));
  }
  ::close(master);
  ::close(slave);
  EXPECT_THAT(drawn, HasSubstr("put /k [##########          ]  50 %  512.0 KiB of 1.0 MiB"));
  EXPECT_THAT(drawn, ::testing::Not(HasSubstr(" 58 %"))) << "not more often than anybody can see";
  EXPECT_THAT(drawn, HasSubstr("100 %"));
  EXPECT_THAT(drawn, ::testing::EndsWith("\r\x1b[K"));
}

TEST(Progress, FitsItsWidthAndSurvivesNothingToDo) {
  EXPECT_EQ(progress_line("get /k", 0, 0, 80), "get /k [####################] 100 %  0.0 KiB of 0.0 KiB");
  EXPECT_EQ(progress_line("get /k", 7, 5, 80).find("100 %") != std::string::npos, true);
  for (std::size_t width = 0; width < 90; ++width) EXPECT_LE(progress_line(std::string(60, 'w'), 1, 3, width).size(), width);
}

TEST(ValueInput, ReadsAFileByOffsetAndSaysWhenItShrinks) {
  const test::TempDir dir;
  dir.write("value", std::string(200'000, 'x'));
  auto input = ValueInput::of_file(dir.path("value"));
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input.value().size(), 200'000u);
  Bytes piece(10);
  EXPECT_TRUE(input.value().read(199'990, piece));
  EXPECT_FALSE(input.value().read(199'991, piece));
  ASSERT_EQ(::truncate(dir.path("value").c_str(), 100'000), 0);
  const auto digest = input.value().digest();
  ASSERT_FALSE(digest.ok());
  EXPECT_THAT(digest.error().line, HasSubstr("became shorter"));
}

}  // namespace
}  // namespace statefs
