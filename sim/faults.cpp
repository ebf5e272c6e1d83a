#include "sim/faults.h"

#include <iterator>

namespace statefs::sim {
namespace {

std::string text(Duration duration) { return std::to_string(duration.ns); }
std::string text(Ratio ratio) { return std::to_string(ratio.part) + "/" + std::to_string(ratio.whole); }
std::string text(std::uint64_t number) { return std::to_string(number); }

constexpr std::string_view names[] = {
    "jitter", "bandwidth", "loss", "loss_break", "clog", "partition", "give_up", "connect_timeout", "cut_drawn",
    "cut_one_byte", "cut_edges", "short_write", "blocked_write", "full_window", "short_read", "stalled_read",
    "refused", "broken_unread", "cut", "reset", "vanish", "half_close", "slow_close", "late_error", "flip",
    "truncate", "duplicate", "insert", "replay", "splice", "crash", "restart", "pause", "power_loss", "store_loss",
    "store_failure", "store_full", "store_slow", "policy_change", "clock_step", "clock_drift", "eviction",
    "disk_crash", "disk_read_error", "disk_write_error", "disk_flush_error", "disk_rot", "disk_misdirected", "disk_swap",
};
static_assert(std::size(names) == fault_kind_count);

}  // namespace

std::string describe(const Faults& faults) {
  std::string whole;
  for_each_field(faults, [&whole](std::string_view name, const auto& value) {
    if (!whole.empty()) whole += ' ';
    whole += name;
    whole += '=';
    whole += text(value);
  });
  return whole;
}

std::string_view name_of(FaultKind kind) { return names[static_cast<std::size_t>(kind)]; }

void FaultCounts::add(const FaultCounts& others) {
  for (std::size_t i = 0; i < fault_kind_count; ++i) counts_[i] += others.counts_[i];
}

}  // namespace statefs::sim
