#include "sim/campaign/seed_set.h"

#include <cstdlib>
#include <string_view>

#include "sim/random.h"

namespace statefs::sim {
namespace {

// A variable that is set to nothing counts as not set. `wrong` names a variable that is no number.
std::optional<std::uint64_t> number_of(const Environment& environment, const char* name, std::string& wrong) {
  const char* const value = environment(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  constexpr std::size_t digits_max = 18;
  std::uint64_t number = 0;
  const std::string_view text(value);
  for (const char c : text) {
    if (c < '0' || c > '9' || text.size() > digits_max) {
      wrong = std::string(name) + "=" + value + " is not a number of at most 18 digits";
      return std::nullopt;
    }
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

}  // namespace

Environment environment_of_process() {
  return [](const char* name) -> const char* { return std::getenv(name); };
}

std::uint64_t SeedSet::seed(std::uint64_t i) const {
  if (!shard) return base + i;
  constexpr std::uint64_t step = 0x9e3779b97f4a7c15;  // so that zero, which mix() leaves alone, is no input
  return mix(mix(mix(base + step) + *shard) + i);
}

Result<std::optional<std::uint64_t>, std::string> shard_of(std::optional<std::uint64_t> index, std::optional<std::uint64_t> count,
                                                           const Environment& environment) {
  std::string wrong;
  for (const char* const name : {"JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID", "GTEST_SHARD_INDEX"}) {
    if (index) break;
    index = number_of(environment, name, wrong);
    if (!wrong.empty()) return wrong;
    const bool has_count = std::string_view(name) == "GTEST_SHARD_INDEX" && index.has_value();
    if (has_count && !count) count = number_of(environment, "GTEST_TOTAL_SHARDS", wrong);
    if (!wrong.empty()) return wrong;
  }
  if (count && !index) return std::string("a shard count needs a shard index");
  if (count && *index >= *count) {
    return "shard " + std::to_string(*index) + " is not below the shard count, " + std::to_string(*count) + "; the first is 0";
  }
  return index;
}

}  // namespace statefs::sim
