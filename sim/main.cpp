#include <CLI/CLI.hpp>

#include <cstdio>
#include <optional>
#include <string>

#include "sim/run.h"

namespace {

using namespace statefs::sim;

constexpr int bug_found = 42;

struct Options {
  std::optional<std::uint64_t> seed;
  std::uint64_t seed_count = 0;
  std::uint64_t base = 0;
  bool twice = false;
  bool verbose = false;
  bool keep_going = false;
};

void print_mark(const char* which, const std::vector<EventMark>& marks, std::size_t at, std::uint64_t number) {
  if (at >= marks.size()) {
    std::printf("  %s: event %llu: none\n", which, static_cast<unsigned long long>(number));
    return;
  }
  const EventMark& mark = marks[at];
  std::printf("  %s: event %llu: time=%lld node=%u kind=%u payload=%s draws=%llu\n", which, static_cast<unsigned long long>(number),
              static_cast<long long>(mark.time.ns), mark.node, mark.kind, hex16(mark.payload).c_str(),
              static_cast<unsigned long long>(mark.draws));
}

// Runs once more and compares; on a difference both runs come again with the events around it kept.
bool same_again(const Plan& plan, const RunReport& first) {
  const RunReport second = run(plan);
  const auto range = first_difference(first.digest, second.digest);
  if (!range) return true;
  std::printf("seed %llu: two runs differ among events %llu to %llu\n", static_cast<unsigned long long>(plan.seed),
              static_cast<unsigned long long>(range->first), static_cast<unsigned long long>(range->last));
  const RunReport a = run(plan, *range);
  const RunReport b = run(plan, *range);
  std::size_t at = 0;
  while (at < a.recorded.size() && at < b.recorded.size() && a.recorded[at] == b.recorded[at]) ++at;
  print_mark("first run ", a.recorded, at, range->first + at);
  print_mark("second run", b.recorded, at, range->first + at);
  return false;
}

bool run_seed(std::uint64_t seed, const Options& options) {
  const Plan plan = draw_plan(seed);
  if (options.verbose) std::printf("%s\n", describe(plan).c_str());
  RunReport report = run(plan);
  if (options.twice && !same_again(plan, report)) report.checks.push_back({"determinism", 1, "two runs of one seed differ"});
  for (const CheckResult& each : report.checks) {
    if (options.verbose) std::printf("%-13s judged %llu\n", std::string(each.name).c_str(), static_cast<unsigned long long>(each.judged));
    if (!each.failure.empty()) std::printf("%s: %s\n", std::string(each.name).c_str(), each.failure.c_str());
  }
  if (options.verbose) {
    std::printf("events %llu, reconnects %llu\n", static_cast<unsigned long long>(report.digest.event_count()),
                static_cast<unsigned long long>(report.reconnects));
  }
  std::printf("%s\n", verdict_line(seed, report).c_str());
  return report.ok();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Runs the proxy in simulated worlds: one server, clients, and a network that tears, delays and breaks, all from a\n"
      "seed. What a seed showed once it shows again, on every machine and compiler.\n\n"
      "The last line is seed=N digest=16HEX operations=N simulated=SECONDS verdict=ok|failed:CHECK.\n"
      "Exit status: 0 all good, 42 a check failed, 1 usage."};
  auto* seed = app.add_option("--seed", options.seed, "run this one seed");
  auto* seeds = app.add_option("--seeds", options.seed_count, "run this many seeds, one line each; stops at the first that fails");
  app.add_option("--base", options.base, "the first of --seeds")->needs(seeds)->capture_default_str();
  app.add_flag("--keep-going", options.keep_going, "do not stop at the first seed that fails")->needs(seeds);
  app.add_flag("--twice", options.twice, "run each seed twice and compare the digests");
  app.add_flag("--verbose", options.verbose, "print the plan of each seed and what was judged");
  seed->excludes(seeds);
  constexpr int parsed = -1;
  const int status = [&] {
    CLI11_PARSE(app, argc, argv);
    return parsed;
  }();
  if (status != parsed) return status == 0 ? 0 : 1;  // --help, or usage
  if (!options.seed && options.seed_count == 0) {
    std::fprintf(stderr, "statefs-sim: say --seed N or --seeds COUNT; --help explains\n");
    return 1;
  }
  if (options.seed) return run_seed(*options.seed, options) ? 0 : bug_found;
  bool good = true;
  for (std::uint64_t i = 0; i < options.seed_count && (good || options.keep_going); ++i) good = run_seed(options.base + i, options) && good;
  return good ? 0 : bug_found;
}
