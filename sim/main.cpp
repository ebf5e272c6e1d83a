#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "sim/campaign/attempt.h"
#include "sim/campaign/campaign.h"
#include "sim/campaign/canary.h"
#include "sim/campaign/commit.h"
#include "sim/campaign/exhaust_run.h"
#include "sim/campaign/figures.h"
#include "sim/campaign/guard.h"
#include "sim/campaign/scenario.h"
#include "sim/campaign/seed_run.h"
#include "sim/campaign/telling.h"
#include "sim/campaign/worker_pool.h"
#include "sim/episode.h"
#include "sim/exhaust_scripts.h"

namespace {

using namespace statefs::sim;

struct Options {
  std::optional<std::uint64_t> seed;
  std::string scenario;  // a path
  SeedRunOptions run;
  Telling telling;
  std::string minimized;  // a path
  std::uint64_t minimize_runs_max = minimize_runs_max_default;
  CampaignOptions campaign;
  std::optional<std::uint64_t> shard_index, shard_count;
  std::string bench;
  bool canary = false;
  bool list_marks = false;
  std::string exhaust;
  std::uint32_t faults = exhaust_faults_max;
};

int fail(const std::string& what, int status) {
  std::fprintf(stderr, "statefs-sim: %s\n", what.c_str());
  return status;
}

// False where standard output does not take it: then nobody was told.
bool print(const SeedResult& result) {
  const std::string lines = lines_of(result);
  return std::fwrite(lines.data(), 1, lines.size(), stdout) == lines.size() && std::fflush(stdout) == 0;
}

// The status of `work`, which prints a verdict; a crash of it is a verdict as well.
int guard(const Options& options, const Plan& plan, const std::function<int()>& work) {
  const GuardEnd ended = run_guarded(work, options.campaign.cpu_seconds_per_seed);
  if (!ended.crashed) return ended.status;
  if (ended.end.outside) return fail("seed " + std::to_string(plan.seed) + ": " + ended.end.text, bad_machine);
  print(crashed(plan.seed, ended.end.text, options.run.verbose ? print(plan) + "\n" : std::string()));
  return bug_found;
}

int run_one(const Options& options, const Plan& plan) {
  return guard(options, plan, [&] {
    SeedRunOptions run = options.run;
    std::string problem;
    if (options.telling.is_asked_for()) run.tell = [&](const Story& story) { problem = write_files(options.telling, story); };
    const SeedResult result = run_plan(plan, run);
    if (!problem.empty()) fail(problem, bad_machine);
    const bool told = print(result);
    if (!result.ok()) return bug_found;
    if (!told) return fail("standard output takes nothing", bad_machine);
    return problem.empty() ? all_good : bad_machine;
  });
}

std::string replay_line(const Options& options) {
  return std::string("statefs-sim") + (options.run.without_faults ? " --no-faults" : "") + (options.run.twice ? " --twice" : "");
}

int run_minimized(Options options, Plan plan) {
  if (std::exchange(options.run.without_faults, false)) plan = without_faults(plan);
  std::string problem;
  SeedRunOptions quiet = options.run;
  quiet.verbose = false;
  std::uint64_t events = 0;
  const auto failed_check = [&](const Plan& smaller) {
    if (!problem.empty()) return std::string();
    const AttemptEnd end = attempt(smaller, quiet, options.campaign.cpu_seconds_per_seed);
    problem = end.problem;
    events = end.events;
    return end.failed_check;
  };
  // Found out now rather than after thousands of runs; and what an earlier run wrote is not taken for this one's.
  problem = write_file(options.minimized, "");
  if (!problem.empty()) return fail(problem, bad_machine);
  const std::string check = failed_check(plan);
  if (!problem.empty()) return fail(problem, bad_machine);
  if (check.empty()) {
    std::remove(options.minimized.c_str());
    std::printf("nothing to minimise: seed %llu fails no check\n", static_cast<unsigned long long>(plan.seed));
    return run_one(options, plan);
  }
  // What takes far longer than the whole is no smaller, and most often goes on without end.
  constexpr std::uint64_t events_times = 4, events_least = 20'000;
  if (events != 0 && events_times * events < events_max_default) quiet.events_max = std::max(events_times * events, events_least);
  const Minimized smaller = minimize(plan, check, failed_check, options.minimize_runs_max);
  if (!problem.empty()) return fail(problem, bad_machine);
  const std::string replay = replay_line(options) + " --scenario " + options.minimized;
  problem = write_file(options.minimized, scenario_text(plan, smaller, check, replay));
  if (!problem.empty()) return fail(problem, bad_machine);
  std::printf("before: %s\nafter:  %s, in %llu runs%s\n", size_line(plan).c_str(), size_line(smaller.plan).c_str(),
              static_cast<unsigned long long>(smaller.runs), smaller.bounded ? ", which were all it had" : "");
  return run_one(options, smaller.plan);
}

int run_many(Options& options) {
  // The canary's seeds are its lies, all of them, wherever it runs.
  const Environment none = [](const char*) -> const char* { return nullptr; };
  const auto shard = shard_of(options.shard_index, options.shard_count, options.canary ? none : environment_of_process());
  if (!shard) return fail(shard.error(), bad_usage);
  options.campaign.seeds.shard = shard.value();
  options.campaign.progress = is_terminal(stderr) ? Progress::Style::terminal : Progress::Style::lines;
  if (!options.canary) {
    options.campaign.replay = [line = replay_line(options)](std::uint64_t seed) {
      return line + " --seed " + std::to_string(seed) + "  # commit " + commit_name();
    };
    const auto runner = [&](std::uint64_t seed) { return run_seed(seed, options.run); };
    return run_campaign(options.campaign, runner, stdout, stderr).status;
  }
  options.campaign.keep_going = true;
  const CampaignEnd end = run_campaign(options.campaign, run_canary, stdout, stderr);
  const std::uint64_t believed = end.summary.seeds() - end.summary.failures();
  if (end.status != bug_found || believed == 0) return end.status;
  return fail("canary: " + std::to_string(believed) + " lies were believed", all_good);
}

int enumerate(const Options& options) {
  if (const ExhaustScript* const script = exhaust_script_of(options.exhaust)) {
    ExhaustRunOptions run;
    run.faults_max = options.faults;
    run.jobs = options.campaign.jobs;
    run.cpu_seconds_per_schedule = options.campaign.cpu_seconds_per_seed;
    return run_exhaust(*script, run, stdout, stderr);
  }
  std::string names;
  for (const ExhaustScript& each : exhaust_scripts()) names += std::string(each.name) + "\n";
  if (options.exhaust == "list") {
    std::fputs(names.c_str(), stdout);
    return all_good;
  }
  return fail("no script is called " + options.exhaust + "; --exhaust list names them", bad_usage);
}

int list_marks() {
  for (const statefs::MarkName& each : statefs::mark_table) {
    std::printf("%-34s %s %s\n", std::string(each.name).c_str(), each.rare ? "rare" : "    ", std::string(each.meaning).c_str());
  }
  return all_good;
}

int run_bench(const std::string& name) {
  const auto tell = [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  return tell_figures(name, {}, tell) ? all_good : fail("no bench is called " + name + "; there are " + bench_names(), bad_usage);
}

// Which options exclude which is told to who mixes them, not to who reads the help.
struct HelpText : CLI::Formatter {
  [[nodiscard]] std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return "";
    const std::string preset = option->get_default_str();
    return " " + option->get_option_text() + (preset.empty() ? "" : " (default " + preset + ")");
  }
};

// A seed that is cut short or mistyped must not run another one: decimal digits, and a number of 64 bits.
std::string objection_to_number(const std::string& text, std::uint64_t least) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  if (!whole || (text.size() > 1 && text[0] == '0')) return "'" + text + "' is no number: write decimal digits, below 2^64";
  return number >= least ? "" : "at least " + std::to_string(least);
}

void declare(CLI::App& app, Options& options) {
  const CLI::Validator number([](const std::string& text) { return objection_to_number(text, 0); }, "");
  const CLI::Validator count([](const std::string& text) { return objection_to_number(text, 1); }, "");
  CampaignOptions& campaign = options.campaign;
  auto* seed = app.add_option("--seed", options.seed, "run this one seed")->option_text("N")->check(number);
  auto* scenario =
      app.add_option("--scenario", options.scenario, "run the plan in this file")->option_text("FILE")->excludes(seed);
  auto* seeds = app.add_option("--seeds", campaign.seeds.count, "run this many seeds, one line each, in their order")
                    ->option_text("COUNT")
                    ->check(count)
                    ->excludes(seed)
                    ->excludes(scenario);
  auto* canary = app.add_flag("--canary", options.canary, "a campaign in which checks are told lies: it has to exit 42")
                     ->excludes(seed)
                     ->excludes(scenario);
  auto* marks = app.add_flag("--list-marks", options.list_marks, "print the rare branches that count how often they ran");
  auto* bench = app.add_option("--bench", options.bench, "measure, in user CPU time: " + bench_names())->option_text("NAME");
  for (auto* each : {seed, scenario, seeds, canary}) marks->excludes(each);
  for (auto* each : {seed, scenario, seeds, canary, marks}) bench->excludes(each);
  auto* exhaust =
      app.add_option("--exhaust", options.exhaust, "run every placement of faults over this conversation; `list` names them")
          ->option_text("SCRIPT");
  for (auto* each : {seed, scenario, seeds, canary, marks, bench}) exhaust->excludes(each);
  app.add_option("--faults", options.faults, "how many faults are placed at most")
      ->option_text("N")
      ->check(CLI::Range(0u, exhaust_faults_max))
      ->capture_default_str()
      ->needs(exhaust);
  const auto of_seeds = [&](CLI::Option* option) {
    for (auto* each : {canary, marks, bench, exhaust}) option->excludes(each);
    return option;
  };
  of_seeds(app.add_flag("--no-faults", options.run.without_faults, "the same clients and calls on a network without faults"));
  of_seeds(app.add_flag("--twice", options.run.twice, "run each seed twice and compare the digests"));
  of_seeds(app.add_flag("--verbose", options.run.verbose, "print the plan of each seed and what was judged"));
  const auto of_one_run = [&](CLI::Option* option) { return of_seeds(option)->excludes(seeds); };
  of_one_run(app.add_option("--report", options.telling.report_path, "write a page that tells the run")->option_text("FILE"));
  of_one_run(
      app.add_option("--trace", options.telling.trace_path, "write a trace file that trace viewers open (Chrome, Perfetto)")
          ->option_text("FILE"));
  auto* minimized =
      of_one_run(app.add_option("--minimize", options.minimized,
                                "where the run fails, write a smaller plan that fails by the same check, a scenario")
                     ->option_text("FILE"));
  app.add_option("--minimize-runs", options.minimize_runs_max, "how many plans it may run for that")
      ->option_text("N")
      ->capture_default_str()
      ->needs(minimized);
  app.add_option("--seed-cpu-seconds", campaign.cpu_seconds_per_seed,
                 "how much one seed may use before it counts as crashed; 0: no bound")
      ->option_text("N")
      ->capture_default_str();
  const std::string of_campaign = "Campaigns (--seeds, --canary; --jobs also of --exhaust)";
  const auto group = [&](CLI::Option* option) {
    option->group(of_campaign)->excludes(seed)->excludes(scenario)->excludes(marks);
    if (!option->check_lname("jobs")) option->excludes(exhaust)->excludes(bench);
    return option;
  };
  group(app.add_option("--base", campaign.seeds.base, "the first seed, or what the seeds of a shard are hashed with")
            ->option_text("N")
            ->check(number)
            ->capture_default_str());
  group(app.add_option("--jobs", campaign.jobs, "processes (default: the processors that this one may use)")
            ->option_text("N")
            ->check(count));
  group(app.add_option("--shard-index", options.shard_index,
                       "run the seeds of this shard (default: JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID, GTEST_SHARD_INDEX)")
            ->option_text("I")
            ->check(number))
      ->excludes(canary);
  group(app.add_option("--shard-count", options.shard_count,
                       "how many shards there are; moves no seed (default: GTEST_TOTAL_SHARDS)")
            ->option_text("C")
            ->check(count))
      ->excludes(canary);
  group(app.add_option("--jsonl", campaign.jsonl_path, "write one JSON object a seed into this file, and a summary")
            ->option_text("FILE"));
  group(app.add_flag("--marks", campaign.with_marks, "fail for a mark that no seed hit and that is not declared rare"));
  group(app.add_flag("--keep-going", campaign.keep_going, "do not stop at the first seed that fails"));
  group(app.add_flag("--quiet", campaign.quiet, "no progress and no summary"));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.campaign.jobs = processor_count();
  options.campaign.cpu_seconds_per_seed = 300;
  CLI::App app{
      "Runs the proxy in simulated worlds: servers, clients, peers that attack, and a network and disks that fail, all from a\n"
      "seed. What a seed showed once it shows again, on every machine and compiler.\n\n"
      "The last line is seed=N digest=16HEX operations=N simulated=SECONDS verdict=ok|failed:CHECK, where CHECK is `crash`\n"
      "for a program that ended before its verdict. docs/SIMULATION.md tells the rest.\n\n"
      "Exit status: 0 all good, 42 a bug was found, 1 usage, 2 a file, a process or a signal from outside."};
  app.formatter(std::make_shared<HelpText>());
  declare(app, options);
  constexpr int parsed = -1;
  const int status = [&] {
    CLI11_PARSE(app, argc, argv);
    return parsed;
  }();
  if (status != parsed) return status == 0 ? all_good : bad_usage;  // --help, or usage
  if (options.list_marks) return list_marks();
  if (!options.bench.empty()) return run_bench(options.bench);
  if (!options.exhaust.empty()) return enumerate(options);
  if (options.seed || !options.scenario.empty()) {
    const auto plan =
        options.seed ? statefs::Result<Plan, std::string>(draw_plan(*options.seed)) : read_scenario(options.scenario);
    if (!plan.ok()) return fail(plan.error(), bad_machine);
    return options.minimized.empty() ? run_one(options, plan.value()) : run_minimized(options, plan.value());
  }
  std::uint64_t& seeds = options.campaign.seeds.count;
  if (options.canary && seeds == 0) seeds = lie_count;
  if (options.canary && seeds < lie_count)
    return fail("--canary has " + std::to_string(lie_count) + " lies to tell: --seeds is below that", bad_usage);
  if (seeds == 0)
    return fail("say --seed, --scenario, --seeds, --exhaust, --bench, --canary or --list-marks; --help explains", bad_usage);
  return run_many(options);
}
