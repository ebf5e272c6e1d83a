// PROGRESS: how far a campaign is, in one line that comes again as it goes on.
//
//   campaign.h (now, counts) -> PROGRESS -> standard error
//
// On a terminal the line is written over itself; elsewhere a whole line comes now and then. It prints nothing itself and
// asks no clock.
#pragma once

#include <cstdint>
#include <string>

namespace statefs::sim {

struct ProgressCounts {
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  bool has_marks = false;
  std::uint64_t missing_marks = 0;
};

class Progress {
 public:
  enum class Style { none, terminal, lines };
  static constexpr std::int64_t terminal_interval_ms = 200;
  static constexpr std::int64_t lines_interval_ms = 10'000;

  Progress(Style style, std::uint64_t seeds, std::int64_t now_ms) : style_(style), seeds_(seeds), start_ms_(now_ms), last_ms_(now_ms) {}

  // What is due now; empty: nothing.
  [[nodiscard]] std::string due(std::int64_t now_ms, const ProgressCounts& counts);
  // What takes the line from the terminal, before something else is written there; empty: there is none.
  [[nodiscard]] std::string wipe();

 private:
  Style style_;
  std::uint64_t seeds_;
  std::int64_t start_ms_;
  std::int64_t last_ms_;
  bool on_terminal_ = false;
};

}  // namespace statefs::sim
