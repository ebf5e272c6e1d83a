// SEED RESULT: what a campaign keeps of one seed, and the bytes as which it goes from a worker to the campaign.
//
//   run.h (report) -> SEED RESULT -> worker_pool.h -> summary.h, jsonl.h, the lines that are printed
//
// It holds numbers and names alone, so that a run in another process tells the same as a run in this one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "sim/run.h"

namespace statefs::sim {

struct CheckCount {
  std::string name;
  std::uint64_t judged = 0;
  std::string failure;  // empty: none
  friend bool operator==(const CheckCount&, const CheckCount&) = default;
};

struct NamedCount {
  std::string name;
  std::uint64_t count = 0;
  bool rare = false;  // of a mark: that it is never hit is no failure
  friend bool operator==(const NamedCount&, const NamedCount&) = default;
};

struct SeedResult {
  std::uint64_t seed = 0;
  std::uint64_t digest = 0;
  std::uint64_t nodes = 0;
  std::uint64_t operations = 0;
  std::uint64_t reconnects = 0;
  std::int64_t simulated_ns = 0;
  std::uint64_t events = 0;
  std::vector<CheckCount> checks;
  std::vector<NamedCount> faults;  // every kind, and how often it was applied
  std::vector<NamedCount> marks;   // every mark, and how often it was hit
  std::string notes;               // whole lines to print before the verdict
  friend bool operator==(const SeedResult&, const SeedResult&) = default;

  [[nodiscard]] bool ok() const { return failed_check().empty(); }
  [[nodiscard]] std::string_view failed_check() const;  // the first; empty where ok
};

// Runs one seed. It is called in a process of its own, so it may crash, and what it changes elsewhere is lost.
using SeedRunner = std::function<SeedResult(std::uint64_t seed)>;

// The name of the check that a process fails which ends while it runs a seed.
inline constexpr std::string_view crash_check = "crash";

[[nodiscard]] SeedResult result_of(const Plan& plan, const RunReport& report);
[[nodiscard]] SeedResult crashed(std::uint64_t seed, std::string how, std::string notes);

void encode(const SeedResult& result, Bytes& out);
[[nodiscard]] std::optional<SeedResult> decode_result(ByteView bytes);  // none where a worker wrote something else

// The same line as that of a RunReport; a crashed run has zeros.
[[nodiscard]] std::string verdict_line(const SeedResult& result);
// Whole lines: notes, then `CHECK: why` of each check that failed, then the verdict.
[[nodiscard]] std::string lines_of(const SeedResult& result);

// Milliseconds as seconds with three decimals.
[[nodiscard]] std::string seconds_text(std::int64_t ms);

}  // namespace statefs::sim
