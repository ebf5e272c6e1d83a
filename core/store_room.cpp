#include "core/store_room.h"

#include <algorithm>

#include "core/entries.h"
#include "core/limits.h"

namespace statefs {

namespace {

constexpr std::uint64_t usual_bytes = limits::store_value_bytes_default;
constexpr std::uint64_t most_keys = limits::store_keys_default;
constexpr std::uint64_t usual_keys = limits::journal_keys_usual;

// Nobody is served by a store that cannot take one value of the largest size.
std::uint64_t least_bytes(const JournalLimits& limits) { return std::min<std::uint64_t>(limits.value_size_max, usual_bytes); }

JournalLimits wished(JournalLimits limits, const StoreWish& wish) {
  limits.value_bytes_max = wish.value_bytes.value_or(usual_bytes);
  limits.keys_max = wish.keys.value_or(most_keys);
  return limits;
}

}  // namespace

std::optional<JournalLimits> fitted(const Extent& extent, const JournalLimits& limits, const StoreWish& wish) {
  JournalLimits out = wished(limits, wish);
  if (extent.admits(out).ok()) return out;

  const std::uint64_t room = extent.entries_footprint_max(limits);
  const std::uint64_t key_cost = Entries::entry_overhead + limits.key_size_mean;
  if (!wish.value_bytes) {
    const std::uint64_t for_keys = wish.keys ? *wish.keys : std::min(usual_keys, room / 4 / key_cost);
    if (for_keys > room / key_cost) return std::nullopt;
    out.value_bytes_max = std::min(usual_bytes, room - for_keys * key_cost);
    if (out.value_bytes_max < least_bytes(limits)) return std::nullopt;
  }
  if (!wish.keys) {
    if (out.value_bytes_max > room) return std::nullopt;
    out.keys_max = std::min(most_keys, (room - out.value_bytes_max) / key_cost);
    if (out.keys_max == 0) return std::nullopt;
  }
  if (!extent.admits(out).ok()) return std::nullopt;
  return out;
}

std::optional<JournalLimits> fitted(std::uint64_t size, const JournalLimits& limits, const StoreWish& wish) {
  const auto extent = Extent::layout(size, wished(limits, wish));
  if (!extent.ok()) return std::nullopt;
  const auto out = fitted(extent.value(), limits, wish);
  return out && Extent::plan(size, *out).ok() ? out : std::nullopt;
}

std::size_t usual_sessions(std::uint64_t size, const JournalLimits& limits) {
  JournalLimits all = limits;
  all.value_bytes_max = std::min<std::uint64_t>(size, std::uint64_t{1} << 40);  // more than fits: the slots are as large as can be
  const auto extent = Extent::layout(size, all);
  const std::uint64_t room = extent.ok() ? extent.value().snapshot_items_max(all) / 4 : 0;
  std::size_t sessions = limits::sessions_per_key;
  while (sessions > limits::sessions_per_key_least && SlotTable::footprint_of(limits::slot_owners_max, sessions) > room) sessions /= 2;
  return std::max(sessions, limits::sessions_per_key_least);
}

std::optional<std::uint64_t> fitting_size_min(const JournalLimits& limits, const StoreWish& wish) {
  const std::uint64_t key_cost = Entries::entry_overhead + limits.key_size_mean;
  JournalLimits least = limits;
  least.value_bytes_max = wish.value_bytes.value_or(least_bytes(limits));
  // A quarter of the room is for keys where both are open.
  least.keys_max = wish.keys.value_or(wish.value_bytes ? 1 : least.value_bytes_max / 3 / key_cost + 1);
  return Extent::size_min(least);
}

}  // namespace statefs
