// CAMPAIGN: many seeds on many processes, told as if one had run them all in order.
//
//   main.h -> CAMPAIGN: seed_set.h -> worker_pool.h -> seed_result.h -> lines, jsonl.h, progress.h, summary.h
//
// Standard output gets what each seed said, in the order of seeds, and is the same whatever the number of processes and
// however fast they are. Standard error gets what belongs to the campaign: progress, summary, and what it cost.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

#include "sim/campaign/progress.h"
#include "sim/campaign/seed_result.h"
#include "sim/campaign/seed_set.h"
#include "sim/campaign/summary.h"

namespace statefs::sim {

// Exit statuses of the program.
inline constexpr int all_good = 0;
inline constexpr int bad_usage = 1;
inline constexpr int bad_machine = 2;  // a file, a process, or a signal from outside; says nothing of the seeds
inline constexpr int bug_found = 42;

struct CampaignOptions {
  SeedSet seeds;
  std::uint32_t jobs = 1;
  std::uint32_t cpu_seconds_per_seed = 0;  // zero: no bound
  bool keep_going = false;                 // else the first failure in the order of seeds is the last line
  bool with_marks = false;                 // marks that were never hit are a failure, and go into the JSON lines
  bool quiet = false;                      // neither progress nor summary
  Progress::Style progress = Progress::Style::none;
  std::string jsonl_path;                  // empty: none
  std::function<std::string(std::uint64_t)> replay;  // the command line that runs a failed seed again; empty: it is not told
};

struct CampaignEnd {
  int status = all_good;
  Summary summary;
};

// `out` and `err` stay the caller's.
[[nodiscard]] CampaignEnd run_campaign(const CampaignOptions& options, const SeedRunner& runner, std::FILE* out, std::FILE* err);

}  // namespace statefs::sim
