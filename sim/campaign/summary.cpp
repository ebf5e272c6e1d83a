#include "sim/campaign/summary.h"

#include <tuple>

namespace statefs::sim {
namespace {

std::string line_of(const char* what, const Summary::Counts& counts) {
  if (counts.empty()) return {};
  std::string line = std::string("campaign: ") + what;
  for (const auto& [name, count] : counts) line += " " + name + "=" + std::to_string(count);
  return line + "\n";
}

}  // namespace

void Summary::add(const SeedResult& result) {
  ++seeds_;
  if (!result.ok()) {
    ++failures_;
    if (failed_seeds_.size() < failed_seeds_max) failed_seeds_.push_back(result.seed);
  }
  if (result.failed_check() == crash_check) {
    ++crashes_;
    return;
  }
  for (const CheckCount& each : result.checks) judged_[each.name] += each.judged;
  for (const NamedCount& each : result.faults) applied_[each.name] += each.count;
  for (const NamedCount& each : result.marks) {
    marks_[each.name] += each.count;
    is_rare_[each.name] = each.rare;
  }
  ++seen_[static_cast<std::size_t>(Figure::nodes)][result.nodes];
  ++seen_[static_cast<std::size_t>(Figure::operations)][result.operations];
  ++seen_[static_cast<std::size_t>(Figure::reconnects)][result.reconnects];
}

std::uint64_t Summary::missing_marks() const {
  std::uint64_t missing = 0;
  for (const auto& [name, count] : marks_) missing += count == 0 && !is_rare_.at(name) ? 1 : 0;
  return missing;
}

std::uint64_t Summary::median(Figure figure) const {
  std::uint64_t before = 0;
  for (const auto& [value, count] : seen_[static_cast<std::size_t>(figure)]) {
    before += count;
    if (2 * before >= seeds_ - crashes_) return value;
  }
  return 0;
}

std::vector<std::string> Summary::shortfalls(bool with_marks) const {
  std::vector<std::string> lines;
  if (seeds_ >= coverage_seeds) {
    const std::string in_all = " in " + std::to_string(seeds_) + " seeds";
    for (const auto& [name, count] : judged_) {
      if (count == 0) lines.push_back("the check " + name + " judged nothing" + in_all);
    }
    for (const auto& [name, count] : applied_) {
      if (count == 0) lines.push_back("the fault " + name + " was never applied" + in_all);
    }
    const std::tuple<const char*, Figure, std::uint64_t> wanted[] = {{"nodes", Figure::nodes, median_nodes_min},
                                                                      {"operations", Figure::operations, median_operations_min},
                                                                      {"reconnects", Figure::reconnects, median_reconnects_min}};
    for (const auto& [name, figure, least] : wanted) {
      if (applied_.empty() || median(figure) >= least) continue;
      lines.push_back("the median seed has " + std::to_string(median(figure)) + " " + name + ", fewer than " + std::to_string(least));
    }
  }
  if (with_marks && missing_marks() != 0) {
    lines.push_back("marks that are not declared rare and that no seed hit:" + marks_never_hit(false));
  }
  return lines;
}

std::string Summary::marks_never_hit(bool rare) const {
  std::string names;
  for (const auto& [name, count] : marks_) {
    if (count == 0 && is_rare_.at(name) == rare) names += " " + name;
  }
  return names;
}

std::string Summary::text(bool with_marks) const {
  std::string text = "campaign: seeds=" + std::to_string(seeds_) + " failed=" + std::to_string(failures_) +
                     " crashed=" + std::to_string(crashes_) + "\n";
  text += line_of("judged", judged_) + line_of("applied", applied_);
  if (!marks_.empty()) {
    const std::string rare = marks_never_hit(true);
    text += "campaign: marks=" + std::to_string(marks_.size()) + " missing=" + std::to_string(missing_marks()) + "\n";
    if (with_marks && !rare.empty()) text += "campaign: rare, and never hit:" + rare + "\n";
  }
  if (seeds_ > crashes_) {
    text += "campaign: median nodes=" + std::to_string(median(Figure::nodes)) + " operations=" +
            std::to_string(median(Figure::operations)) + " reconnects=" + std::to_string(median(Figure::reconnects)) + "\n";
  }
  return text;
}

}  // namespace statefs::sim
