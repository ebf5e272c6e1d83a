// SEED SET: the seeds of a campaign, or of one shard of a fleet, without a word between the shards.
//
//   main.h (options, environment) -> SEED SET -> campaign.h
//
// Seed i is base + i, or in a shard a hash of (base, shard, i): so no shard knows of another, nor how many there are, and
// each may be run again alone. Which seeds these are does not depend on how many processes run them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/result.h"

namespace statefs::sim {

struct SeedSet {
  std::uint64_t base = 0;
  std::uint64_t count = 0;             // of this shard
  std::optional<std::uint64_t> shard;  // its index

  [[nodiscard]] std::uint64_t seed(std::uint64_t i) const;
};

// What the environment says of a variable; a null pointer where it says nothing.
using Environment = std::function<const char*(const char* name)>;
[[nodiscard]] Environment environment_of_process();

// The index of the shard that options and environment name, none where neither does, or what is wrong with them. An
// option wins over the environment, and there the first that is set:
//
//   JOB_COMPLETION_INDEX   a Kubernetes Indexed Job
//   SLURM_ARRAY_TASK_ID    a Slurm array, as it is, so that a task that runs again alone has its seeds again
//   GTEST_SHARD_INDEX      a sharded test runner; with GTEST_TOTAL_SHARDS as the count where --shard-count says none
//
// The count moves no seed. It is only held against the index, which must be below it.
[[nodiscard]] Result<std::optional<std::uint64_t>, std::string> shard_of(std::optional<std::uint64_t> index,
                                                                         std::optional<std::uint64_t> count,
                                                                         const Environment& environment);

}  // namespace statefs::sim
