#include "sim/campaign/figures.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ostream>
#include <string>
#include <vector>

#include "sim/bench.h"

namespace statefs::sim {
namespace {

constexpr FigureSize tiny{2, 4};

std::vector<std::string> lines_of(std::string_view bench) {
  std::vector<std::string> lines;
  EXPECT_TRUE(tell_figures(bench, tiny, [&](const std::string& line) { lines.push_back(line); }));
  return lines;
}

// What stands behind ` name=`, up to the next blank.
std::string field(const std::string& line, const std::string& name) {
  const std::size_t at = (" " + line).find(" " + name + "=");
  if (at == std::string::npos) return {};
  const std::size_t from = at + name.size() + 1;
  return line.substr(from, line.find(' ', from) - from);
}

std::string digests(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& each : lines) all += field(each, "digest") + "\n";
  return all;
}

struct Case {
  const char* name;
  std::size_t line_count;
  const char* figure;  // of the first line
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

class EachBench : public testing::TestWithParam<Case> {};

TEST_P(EachBench, HasPositiveFiguresOfOneRepeatableRun) {
  const std::vector<std::string> lines = lines_of(GetParam().name);
  ASSERT_EQ(lines.size(), GetParam().line_count);
  for (const std::string& line : lines) {
    EXPECT_EQ(field(line, "bench"), GetParam().name) << line;
    EXPECT_EQ(field(line, "digest").size(), 16u) << line;
    EXPECT_GT(std::strtoull(field(line, "events").c_str(), nullptr, 10), 0u) << line;
  }
  EXPECT_GT(std::strtoull(field(lines[0], GetParam().figure).c_str(), nullptr, 10), 0u) << lines[0];
  EXPECT_EQ(digests(lines_of(GetParam().name)), digests(lines));
}

INSTANTIATE_TEST_SUITE_P(All, EachBench,
                         testing::Values(Case{"rpc16", 12, "rpc_per_cpu_second"}, Case{"connects", 1, "connects_per_cpu_second"},
                                         Case{"idle", 2, "simulated_seconds_per_cpu_second"}, Case{"nodes500", 6, "cpu_ns_per_rpc"},
                                         Case{"events", 1, "events_per_cpu_second"}, Case{"swarm", 1, "cpu_us_per_seed"}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Figures, NamesEveryBench) {
  EXPECT_EQ(bench_names(), "rpc16, connects, idle, nodes500, events, swarm, all");
  EXPECT_FALSE(tell_figures("no-such", tiny, [](const std::string&) { FAIL(); }));
}

// 16 clients with a round trip of 2 ms each: 8 calls in a millisecond, half of them appended by the server.
TEST(Bench, Rpc16IsTheWorkloadThatItSays) {
  BenchOptions options;
  options.real_crypto = false;
  Bench bench(options);
  bench.begin();
  const std::uint64_t before = bench.call_count();
  bench.run_for(milliseconds(100));
  EXPECT_EQ(bench.call_count() - before, 800u);
}

TEST(Bench, RunsTheSameWhetherOrNotACrashIsPreparedFor) {
  std::vector<std::uint64_t> counts;
  std::vector<std::uint64_t> digests;
  for (const bool crashable : {false, true}) {
    BenchOptions options;
    options.real_crypto = false;
    options.crashable = crashable;
    Bench bench(options);
    bench.run_for(milliseconds(50));
    counts.push_back(bench.call_count());
    digests.push_back(bench.digest().value());
  }
  EXPECT_EQ(counts[0], counts[1]);
  EXPECT_EQ(digests[0], digests[1]);  // what a crash would leave is not part of what happens
}

TEST(Bench, ConnectsOnceForEachCall) {
  BenchOptions options;
  options.real_crypto = false;
  options.work = BenchOptions::Work::connects;
  Bench bench(options);
  bench.run_for(milliseconds(50));
  EXPECT_GT(bench.call_count(), 16u);
  EXPECT_GE(bench.connect_count(), bench.call_count());
  EXPECT_LE(bench.connect_count(), bench.call_count() + 16);
}

}  // namespace
}  // namespace statefs::sim
