// A program of the device and a peer write the same key, each only what follows what it has read, and nothing is lost or done twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/os/programs.h"

namespace statefs {
namespace {

using test::program;
using test::run;
using test::RunResult;

constexpr const char* key = "/state/shared/count";
constexpr int additions = 25;

struct Adder {
  int added = 0;
  int conflicts = 0;
  std::string problem;
};

// Adds one to the number under the key so often, each time at the revision that it read.
template <typename Statefs>
void add(Statefs statefs, Adder& adder) {
  for (int tries = 0; adder.added < additions && tries < 1'000; ++tries) {
    const RunResult got = statefs({"get", key, "--output", "json"});
    const std::size_t revision = got.out.find("\"revision\":"), value = got.out.find("\"value_hex\":\"");
    if (got.status != 0 || revision == std::string::npos || value == std::string::npos) {
      adder.problem = "get: " + got.out + got.err;
      return;
    }
    const std::string now = std::to_string(std::stoull(got.out.substr(revision + 11)));
    std::string digits;  // each is 3X in hexadecimal
    for (std::size_t at = value + 13; got.out[at] == '3'; at += 2) digits += got.out[at + 1];
    const std::string next = std::to_string(std::stoi(digits) + 1);
    const RunResult put = statefs({"put", "--if-revision", now, key, next});
    if (put.status == 0) ++adder.added;
    else if (put.status == 4) ++adder.conflicts;
    else adder.problem = "put: " + put.err;
    if (!adder.problem.empty()) return;
  }
}

class LocalContention : public test::Programs {};

TEST_F(LocalContention, AProgramAndAPeerCountTogetherWithoutLosingOne) {
  const std::string door = dir_.path("door.sock");
  start({"--local", door});
  ASSERT_EQ(statefs({"put", key, "0"}).status, 0);
  Adder local, remote;
  std::thread program_of_device([&] {
    add([&](std::vector<std::string> arguments) {
      arguments.insert(arguments.begin(), program("statefs"));
      return run(arguments, "", {"STATEFS_LOCAL=" + door});
    }, local);
  });
  add([&](std::vector<std::string> arguments) { return statefs(std::move(arguments)); }, remote);
  program_of_device.join();
  EXPECT_EQ(local.problem, "");
  EXPECT_EQ(remote.problem, "");
  EXPECT_EQ(local.added, additions);
  EXPECT_EQ(remote.added, additions);
  EXPECT_EQ(statefs({"get", key}).out, std::to_string(2 * additions));
  const std::string put = "\"op\":\"put\"";
  const int writes = 1 + 2 * additions + local.conflicts + remote.conflicts;
  EXPECT_EQ(audit_lines(put, writes), writes) << "a record for each, those that met another too";
}

}  // namespace
}  // namespace statefs
