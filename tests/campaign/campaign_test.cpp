#include "sim/campaign/campaign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <set>
#include <string>

#include "sim/campaign/canary.h"
#include "sim/campaign/guard.h"
#include "sim/campaign/worker_pool.h"
#include "sim/draw.h"
#include "sim/random.h"
#include "sim/run.h"

namespace statefs::sim {
namespace {

using ::testing::HasSubstr;

struct Told {
  int status = 0;
  std::string out, err;
};

std::string text_of(std::FILE* file) {
  std::string text;
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

Told told_by(const CampaignOptions& options, const SeedRunner& runner) {
  std::FILE* const out = std::tmpfile();
  std::FILE* const err = std::tmpfile();
  const CampaignEnd end = run_campaign(options, runner, out, err);
  return {end.status, text_of(out), text_of(err)};
}

CampaignOptions options_of(std::uint64_t seeds, std::uint32_t jobs) {
  CampaignOptions options;
  options.seeds.count = seeds;
  options.jobs = jobs;
  options.replay = [](std::uint64_t seed) { return "statefs-sim --seed " + std::to_string(seed); };
  return options;
}

// A seed takes up to 2 ms, and one in ten of the later ones fails, so that answers come in any order.
SeedResult uneven(std::uint64_t seed) {
  ::usleep(static_cast<useconds_t>(mix(seed + 1) % 2000));
  SeedResult result;
  result.seed = seed;
  result.digest = mix(seed);
  result.checks = {{"chain", 1, seed > 50 && mix(seed) % 10 == 0 ? "a gap" : ""}};
  return result;
}

SeedResult abort_at_13(std::uint64_t seed) {
  if (seed == 13) {
    std::fprintf(stderr, "statefs: check failed: 13\nseed=13 verdict=ok\n");
    std::abort();
  }
  return uneven(seed);
}

TEST(Campaign, TellsTheSameWhateverTheNumberOfProcesses) {
  for (const bool keep_going : {false, true}) {
    CampaignOptions options = options_of(200, 1);
    options.keep_going = keep_going;
    const Told one = told_by(options, uneven);
    EXPECT_EQ(one.status, bug_found);
    EXPECT_EQ(std::count(one.out.begin(), one.out.end(), '\n') > 200, keep_going);
    for (const std::uint32_t jobs : {2u, 7u}) {
      options.jobs = jobs;
      EXPECT_EQ(told_by(options, uneven).out, one.out) << jobs;
    }
  }
}

TEST(Campaign, EndsWithTheFirstSeedThatFails) {
  const Told told = told_by(options_of(200, 5), uneven);
  std::uint64_t first = 51;
  while (uneven(first).ok()) ++first;
  EXPECT_THAT(told.out, ::testing::EndsWith("chain: a gap\n" + verdict_line(uneven(first)) + "\n"));
  EXPECT_THAT(told.err, HasSubstr("failed=1 "));
  EXPECT_THAT(told.err, HasSubstr("campaign: replay: statefs-sim --seed " + std::to_string(first) + "\n"));
}

TEST(Campaign, EndsWithTheFirstFailureWhereLaterOnesComeBeforeAndAfterIt) {
  const auto fails_from_20 = [](std::uint64_t seed) {
    SeedResult result = uneven(seed);
    result.checks = {{"chain", 1, seed >= 20 ? "a gap" : ""}};
    return result;
  };
  for (int tries = 0; tries < 5; ++tries) {
    EXPECT_THAT(told_by(options_of(60, 8), fails_from_20).out, ::testing::EndsWith(verdict_line(fails_from_20(20)) + "\n"));
  }
}

TEST(Campaign, NamesTheSeedOfACrashAndGoesOn) {
  CampaignOptions options = options_of(40, 3);
  options.keep_going = true;
  const Told told = told_by(options, abort_at_13);
  EXPECT_EQ(told.status, bug_found);
  EXPECT_THAT(told.out, HasSubstr("  | statefs: check failed: 13\n  | seed=13 verdict=ok\ncrash: signal 6 (Aborted)\n"
                                  "seed=13 digest=0000000000000000 operations=0 simulated=0.000 verdict=failed:crash\n" +
                                  verdict_line(uneven(14)) + "\n"));
  EXPECT_THAT(told.out, HasSubstr(verdict_line(uneven(39))));
  EXPECT_THAT(told.err, HasSubstr("seeds=40 failed=1 crashed=1\n"));
}

TEST(Campaign, TakesWhateverEndsAWorkerForACrash) {
  const auto dies = [](std::uint64_t seed) -> SeedResult {
    if (seed == 0) ::_exit(0);  // and never answered
    if (seed == 1) std::exit(23);
    if (seed == 2) std::raise(SIGSEGV);
    for (;;) (void)::getppid();
  };
  CampaignOptions options = options_of(4, 2);
  options.keep_going = true;
  options.cpu_seconds_per_seed = 1;
  const Told told = told_by(options, dies);
  EXPECT_EQ(told.status, bug_found);
  EXPECT_THAT(told.out, HasSubstr("crash: exit status 0\nseed=0 "));
  EXPECT_THAT(told.out, HasSubstr("crash: exit status 23\nseed=1 "));
  EXPECT_THAT(told.out, HasSubstr("\nseed=2 "));
  EXPECT_THAT(told.out, HasSubstr("out of CPU time\nseed=3 "));
}

TEST(Campaign, BlamesNoSeedForASignalFromOutside) {
  const Told told = told_by(options_of(4, 2), [](std::uint64_t seed) {
    if (seed == 2) ::kill(::getpid(), SIGKILL);
    return uneven(seed);
  });
  EXPECT_EQ(told.status, bad_machine);
  EXPECT_THAT(told.err, HasSubstr("a worker was ended from outside while it ran seed 2: signal 9"));
  EXPECT_EQ(told.out.find("failed"), std::string::npos);
}

TEST(Campaign, KeepsTheLastWordsOfAWorkerThatSaysTooMuch) {
  const Told told = told_by(options_of(1, 1), [](std::uint64_t) -> SeedResult {
    for (int i = 0; i < 100'000; ++i) std::fprintf(stderr, "line %d\n", i);
    std::abort();
  });
  EXPECT_THAT(told.out, HasSubstr("  | line 99999\ncrash: "));
  EXPECT_LT(told.out.size(), 3 * WorkerPool::tail_size_max);
}

TEST(Campaign, TakesAResultLargerThanAPipe) {
  const std::string large(1'000'000, 'x');
  const Told told = told_by(options_of(3, 2), [&](std::uint64_t seed) {
    SeedResult result = uneven(seed);
    result.notes = large + "\n";
    return result;
  });
  EXPECT_EQ(told.status, all_good);
  EXPECT_GT(told.out.size(), 3 * large.size());
}

TEST(Campaign, WritesItsLinesInTheOrderOfSeeds) {
  std::string path = testing::TempDir() + "campaign_test.XXXXXX";
  ::close(::mkstemp(path.data()));
  CampaignOptions options = options_of(30, 4);
  options.jsonl_path = path;
  EXPECT_EQ(told_by(options, uneven).status, all_good);
  const std::string text = text_of(std::fopen(path.c_str(), "r"));
  ::unlink(path.c_str());
  std::size_t at = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    EXPECT_EQ(text.find("{\"seed\":\"" + std::to_string(seed) + "\","), at);
    at = text.find('\n', at) + 1;
  }
  EXPECT_EQ(text.find("{\"summary\":true,\"seeds\":30,\"failed\":0,"), at);
  EXPECT_EQ(text.find('\n', at) + 1, text.size());
}

TEST(Campaign, IsNoResultWhereItsFileCannotBeWritten) {
  CampaignOptions options = options_of(3, 1);
  options.jsonl_path = "/nonexistent/file";
  EXPECT_EQ(told_by(options, uneven).status, bad_machine);
  options.jsonl_path = "/dev/full";
  const Told told = told_by(options, uneven);
  EXPECT_EQ(told.status, bad_machine);
  EXPECT_THAT(told.err, HasSubstr("/dev/full: No space left"));
}

TEST(Campaign, FailsForAMarkOnlyWhereAskedFor) {
  const auto misses = [](std::uint64_t seed) {
    SeedResult result;
    result.seed = seed;
    result.marks = {{"never", 0, false}};
    return result;
  };
  CampaignOptions options = options_of(3, 1);
  EXPECT_EQ(told_by(options, misses).status, all_good);
  options.with_marks = true;
  options.quiet = true;
  const Told told = told_by(options, misses);
  EXPECT_EQ(told.status, bug_found);
  EXPECT_EQ(told.err, "campaign: marks that are not declared rare and that no seed hit: never\n");
}

TEST(Canary, IsSeenByEachCheckThatIsToldALie) {
  for (std::uint64_t seed = 0; seed < 2 * lie_count; ++seed) {
    const SeedResult result = run_canary(seed);
    EXPECT_FALSE(result.ok()) << result.notes;
    EXPECT_THAT(result.notes, HasSubstr(std::string(result.failed_check()) + " was told a lie"));
  }
}

TEST(Canary, LiesToEveryCheckThatARunHas) {
  std::set<std::string> told, judged;
  for (std::uint64_t seed = 0; seed < lie_count; ++seed) {
    const SeedResult result = run_canary(seed);
    if (!result.ok()) told.emplace(result.failed_check());
  }
  const RunReport report = run(draw_plan(3));
  for (const CheckResult& each : report.checks) judged.emplace(each.name);
  EXPECT_EQ(told, judged);
}

TEST(Guard, ReturnsWhatTheWorkReturned) {
  for (const int status : {0, 1, 42}) {
    const GuardEnd ended = run_guarded([status] { return status; }, 0);
    EXPECT_FALSE(ended.crashed);
    EXPECT_EQ(ended.status, status);
  }
}

TEST(Guard, TellsACrashFromAStatus) {
  EXPECT_TRUE(run_guarded([]() -> int { std::abort(); }, 0).crashed);
  EXPECT_TRUE(run_guarded([]() -> int { std::exit(0); }, 0).crashed) << "it ended before its verdict";
  EXPECT_TRUE(run_guarded([]() -> int { return std::atexit([] { ::_exit(23); }); }, 0).crashed) << "as where leaks are found";
  const GuardEnd killed = run_guarded([]() -> int { return ::kill(::getpid(), SIGKILL); }, 0);
  EXPECT_TRUE(killed.crashed);
  EXPECT_TRUE(killed.end.outside);
}

TEST(Child, LeavesNobodyWhoKeepsThePipesOfAnother) {
  // The first ends as soon as its commands do, although the second was made while they were open.
  const auto until_no_commands = [](int commands, int) {
    for (Bytes ignored; read_some(commands, ignored);) {
    }
    return 7;
  };
  Child first(until_no_commands, Child::Streams::inherited);
  const Child second(until_no_commands, Child::Streams::inherited);
  EXPECT_EQ(first.wait().status, 7);
}

}  // namespace
}  // namespace statefs::sim
