#include "sim/campaign/progress.h"

#include <utility>

namespace statefs::sim {
namespace {

std::string duration_text(std::uint64_t seconds) {
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
  return std::to_string(seconds / 3600) + " h " + std::to_string(seconds / 60 % 60) + " min";
}

}  // namespace

std::string Progress::due(std::int64_t now_ms, const ProgressCounts& counts) {
  if (style_ == Style::none) return {};
  if (now_ms - last_ms_ < (style_ == Style::terminal ? terminal_interval_ms : lines_interval_ms)) return {};
  last_ms_ = now_ms;
  const auto elapsed_ms = static_cast<std::uint64_t>(now_ms - start_ms_);
  std::string line = std::to_string(counts.done) + " of " + std::to_string(seeds_) + " seeds, " +
                     std::to_string(counts.done * 1000 / elapsed_ms) + " a second, " + std::to_string(counts.failed) + " failed";
  if (counts.has_marks) line += ", " + std::to_string(counts.missing_marks) + " marks missing";
  // With nothing done nothing is known.
  if (counts.done > 0) line += ", " + duration_text((seeds_ - counts.done) * elapsed_ms / counts.done / 1000) + " to go";
  if (style_ == Style::lines) return "campaign: " + line + "\n";
  on_terminal_ = true;
  return "\r" + line + "\x1b[K";
}

std::string Progress::wipe() { return std::exchange(on_terminal_, false) ? "\r\x1b[K" : ""; }

}  // namespace statefs::sim
