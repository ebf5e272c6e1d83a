#include "sim/campaign/campaign.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>

#include "sim/campaign/jsonl.h"
#include "sim/campaign/worker_pool.h"

namespace statefs::sim {
namespace {

constexpr int wait_ms = 100;
// Results that wait for one of a lower index; then workers wait too.
constexpr std::uint64_t ahead_max = 4096;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::int64_t children_cpu_ms() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

class Campaign {
 public:
  Campaign(const CampaignOptions& options, const SeedRunner& runner, std::FILE* out, std::FILE* err)
      : options_(options), runner_(runner), out_(out), err_(err), stop_(options.seeds.count),
        progress_(options.quiet ? Progress::Style::none : options.progress, options.seeds.count, now_ms()) {}

  CampaignEnd run() {
    if (!options_.quiet) write(err_, heading());
    const std::int64_t start_ms = now_ms();
    const std::int64_t cpu_before_ms = children_cpu_ms();
    if (!options_.jsonl_path.empty()) {
      jsonl_.reset(std::fopen(options_.jsonl_path.c_str(), "we"));
      if (!jsonl_) problem_ = options_.jsonl_path + ": " + std::strerror(errno);
    }
    if (problem_.empty()) run_seeds();
    write(err_, progress_.wipe());
    const bool is_whole = problem_.empty();  // else zeros in the counts mean nothing
    const std::vector<std::string> shortfalls = is_whole ? summary_.shortfalls(options_.with_marks) : std::vector<std::string>{};
    if (is_whole) add_json(json_of(summary_, options_.with_marks));
    if (!options_.quiet) write(err_, summary_.text(options_.with_marks) + cost(now_ms() - start_ms, children_cpu_ms() - cpu_before_ms));
    for (const std::string& each : shortfalls) write(err_, "campaign: " + each + "\n");
    for (const std::uint64_t seed : summary_.failed_seeds()) {
      if (options_.replay) write(err_, "campaign: replay: " + options_.replay(seed) + "\n");
    }
    if (!problem_.empty()) write(err_, "statefs-sim: " + problem_ + "\n");
    // A bug that was found stays one, whatever became of the rest.
    if (summary_.failures() != 0 || !shortfalls.empty()) return {bug_found, summary_};
    return {problem_.empty() ? all_good : bad_machine, summary_};
  }

 private:
  void run_seeds() {
    const std::uint64_t workers = std::max<std::uint64_t>(1, std::min<std::uint64_t>(options_.jobs, options_.seeds.count));
    WorkerPool pool(runner_, static_cast<std::uint32_t>(workers), options_.cpu_seconds_per_seed);
    std::uint64_t next = 0;
    while (done_ < stop_ && problem_.empty()) {
      for (; pool.has_idle() && next < stop_ && next < done_ + ahead_max; ++next) pool.give(next, options_.seeds.seed(next));
      for (WorkerAnswer& each : pool.take(wait_ms)) {
        if (!each.result.ok() && !options_.keep_going) stop_ = std::min(stop_, each.index + 1);
        waiting_.emplace(each.index, std::move(each.result));
      }
      problem_ = pool.problem();
      tell_what_is_due();
      write(err_, progress_.due(now_ms(), {done_, summary_.failures(), !summary_.marks().empty(), summary_.missing_marks()}));
    }
  }

  void tell_what_is_due() {
    for (auto at = waiting_.find(done_); at != waiting_.end() && done_ < stop_; at = waiting_.find(done_)) {
      const SeedResult& result = at->second;
      add_json(json_of(result, options_.with_marks));
      write(err_, progress_.wipe());
      write(out_, lines_of(result));
      summary_.add(result);
      waiting_.erase(at);
      ++done_;
    }
    if (std::fflush(out_) != 0) problem_ = std::string("standard output: ") + std::strerror(errno);
  }

  void add_json(std::string line) {
    if (!jsonl_) return;
    line += '\n';
    if (std::fwrite(line.data(), 1, line.size(), jsonl_.get()) != line.size() || std::fflush(jsonl_.get()) != 0) {
      problem_ = options_.jsonl_path + ": " + std::strerror(errno);
    }
  }

  static void write(std::FILE* file, const std::string& text) { std::fwrite(text.data(), 1, text.size(), file); }

  [[nodiscard]] std::string heading() const {
    const SeedSet& seeds = options_.seeds;
    std::string line = "campaign: " + std::to_string(seeds.count) + " seeds, base=" + std::to_string(seeds.base);
    if (seeds.shard) line += " shard=" + std::to_string(*seeds.shard);
    return line + " jobs=" + std::to_string(options_.jobs) + "\n";
  }

  [[nodiscard]] std::string cost(std::int64_t elapsed_ms, std::int64_t cpu_ms) const {
    const std::uint64_t per_cpu_second_x10 = summary_.seeds() * 10'000 / static_cast<std::uint64_t>(std::max<std::int64_t>(cpu_ms, 1));
    return "campaign: cpu_seconds=" + seconds_text(cpu_ms) + " seeds_per_cpu_second=" + std::to_string(per_cpu_second_x10 / 10) + "." +
           std::to_string(per_cpu_second_x10 % 10) + " seconds=" + seconds_text(elapsed_ms) + " jobs=" + std::to_string(options_.jobs) + "\n";
  }

  const CampaignOptions& options_;
  const SeedRunner& runner_;
  std::FILE* out_;
  std::FILE* err_;
  std::uint64_t done_ = 0;  // told
  std::uint64_t stop_;      // told at most; falls to where the first failure is
  std::map<std::uint64_t, SeedResult> waiting_;
  std::unique_ptr<std::FILE, CloseFile> jsonl_;
  Progress progress_;
  Summary summary_;
  std::string problem_;
};

}  // namespace

CampaignEnd run_campaign(const CampaignOptions& options, const SeedRunner& runner, std::FILE* out, std::FILE* err) {
  return Campaign(options, runner, out, err).run();
}

}  // namespace statefs::sim
