// SUMMARY: what all seeds of a campaign come to, and whether they found out anything at all.
//
//   campaign.h (results in the order of seeds) -> SUMMARY -> its last lines, jsonl.h, progress.h
//
// A check that judged nothing and a fault that was never applied are no good news. After `coverage_seeds` seeds they are
// a failure of the simulator, and so is a mark that was never hit where somebody asks for marks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/campaign/seed_result.h"

namespace statefs::sim {

inline constexpr std::uint64_t coverage_seeds = 10'000;
// What the median seed has at least, where faults are not left out.
inline constexpr std::uint64_t median_nodes_min = 3;
inline constexpr std::uint64_t median_operations_min = 200;
inline constexpr std::uint64_t median_reconnects_min = 1;

class Summary {
 public:
  void add(const SeedResult& result);

  [[nodiscard]] std::uint64_t seeds() const { return seeds_; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }
  [[nodiscard]] std::uint64_t crashes() const { return crashes_; }  // of the failures
  // The first of the seeds that failed, at most failed_seeds_max.
  static constexpr std::size_t failed_seeds_max = 20;
  [[nodiscard]] const std::vector<std::uint64_t>& failed_seeds() const { return failed_seeds_; }

  using Counts = std::map<std::string, std::uint64_t>;
  [[nodiscard]] const Counts& judged() const { return judged_; }
  [[nodiscard]] const Counts& applied() const { return applied_; }
  [[nodiscard]] const Counts& marks() const { return marks_; }
  // Marks that were never hit, of those not declared rare.
  [[nodiscard]] std::uint64_t missing_marks() const;

  enum class Figure { nodes, operations, reconnects };
  [[nodiscard]] std::uint64_t median(Figure figure) const;  // over the seeds that did not crash; 0 where there are none

  // One line for each thing that makes the campaign prove less than it seems to; empty: nothing.
  [[nodiscard]] std::vector<std::string> shortfalls(bool with_marks) const;
  // Whole lines, each beginning with `campaign: `.
  [[nodiscard]] std::string text(bool with_marks) const;

 private:
  [[nodiscard]] std::string marks_never_hit(bool rare) const;  // each name after a space
  static constexpr std::size_t figure_count = 3;
  std::uint64_t seeds_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t crashes_ = 0;
  std::vector<std::uint64_t> failed_seeds_;
  Counts judged_, applied_, marks_;
  std::map<std::string, bool> is_rare_;
  std::map<std::uint64_t, std::uint64_t> seen_[figure_count];  // value -> seeds
};

}  // namespace statefs::sim
