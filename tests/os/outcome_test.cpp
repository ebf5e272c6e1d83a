// What statefs tells of a change whose answer was lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <sstream>

#include "os/endpoint.h"
#include "tests/os/cutting_proxy.h"
#include "tests/os/programs.h"

namespace statefs {
namespace {

using test::Programs;
using test::RunResult;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The last three words of the line of exit status 5.
std::vector<std::string> words_of_question(const std::string& line) {
  const std::string marker = "statefs outcome ";
  std::istringstream words(line.substr(line.find(marker) + marker.size()));
  return {std::istream_iterator<std::string>(words), {}};
}

TEST_F(Programs, TellHowToLearnAnOutcomeLater) {
  start();
  const auto endpoint = parse_endpoint(address_);
  ASSERT_TRUE(endpoint.ok());
  const test::CuttingProxy proxy(endpoint.value(), {1, 3, true});
  const RunResult lost = statefs({"put", "/state/shared/once", "1", "--timeout", "1s", "--connect", to_text(proxy.endpoint())});
  ASSERT_EQ(lost.status, 5) << lost.err;
  const std::vector<std::string> about = words_of_question(lost.err);
  ASSERT_EQ(about.size(), 3u) << lost.err;
  EXPECT_EQ(about[0].size(), 32u);
  const auto ask = [&](std::vector<std::string> what, const std::string& output) {
    what.insert(what.begin(), "outcome");
    what.insert(what.end(), {"--output", output});
    return statefs(what);
  };
  const RunResult told = ask(about, "text");
  EXPECT_EQ(told.status, 0) << told.err;
  EXPECT_THAT(told.out, StartsWith("applied: it was done, index "));
  EXPECT_THAT(ask(about, "json").out, StartsWith("{\"outcome\":\"applied\",\"status\":\"OK\",\"index\":"));
  // What was never asked may still come, until the session is closed.
  const std::vector<std::string> next{about[0], about[1], std::to_string(std::stoul(about[2]) + 1)};
  EXPECT_THAT(ask(next, "text").out, StartsWith("pending: "));
  EXPECT_EQ(ask(next, "text").status, 5);
  const RunResult closed = statefs({"session", "close", about[0]});
  EXPECT_EQ(closed.status, 0) << closed.err;
  EXPECT_THAT(closed.out, HasSubstr(" closed\nslot " + about[1] + " sequence " + about[2] + " OK index "));
  const RunResult never = ask(next, "text");
  EXPECT_EQ(never.status, 1);
  EXPECT_THAT(never.out, StartsWith("never: "));
  EXPECT_EQ(ask(about, "text").out, told.out) << "what was said finally is never said otherwise";
  expect_refusal(statefs({"session", "close", about[0]}), 5, "SESSION_UNKNOWN");
}

TEST_F(Programs, TellNobodyAnothersOutcome) {
  const std::string other = keygen("other.key");
  dir_.write("peers", test::read_file(dir_.path("peers")) + other + " other\n", 0644);
  start();
  const auto endpoint = parse_endpoint(address_);
  const test::CuttingProxy proxy(endpoint.value(), {1, 3, true});
  const RunResult lost = statefs({"put", "/state/shared/once", "1", "--timeout", "1s", "--connect", to_text(proxy.endpoint())});
  std::vector<std::string> ask = words_of_question(lost.err);
  ASSERT_EQ(ask.size(), 3u) << lost.err;
  const std::string instance = ask[0];
  ask.insert(ask.begin(), {"outcome", "--identity", dir_.path("other.key")});
  const RunResult told = statefs(ask);
  EXPECT_EQ(told.status, 5);
  EXPECT_THAT(told.out, StartsWith("unknown: "));
  expect_refusal(statefs({"session", "close", instance, "--identity", dir_.path("other.key")}), 5, "SESSION_UNKNOWN");
}

TEST_F(Programs, RefuseAnInstanceThatIsNone) {
  start();
  expect_refusal(statefs({"outcome", "abc", "0", "1"}), 1, "is no instance");
  expect_refusal(statefs({"session", "close", std::string(31, '0') + "x"}), 1, "is no instance");
  expect_refusal(statefs({"outcome", std::string(32, '0'), "65536", "1"}), 1, "is no decimal number");
  expect_refusal(statefs({"session"}), 1, "session");
}

}  // namespace
}  // namespace statefs
