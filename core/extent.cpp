#include "core/extent.h"

#include <algorithm>
#include <optional>

#include "core/log_record.h"
#include "core/snapshot.h"

namespace statefs {

namespace {

// Half of the ring starts a snapshot; the other half takes a record of any size and the reserve until that is done.
std::uint64_t ring_size_min(const JournalLimits& limits) {
  return block_ceiling(2 * (record_size_max(limits) + limits.reserve_size) + 2 * disk_block_size);
}

// Beside what is promised to entries.
std::uint64_t other_items(const JournalLimits& limits) { return limits.replay_bytes_max + epochs_item_size_max; }

std::uint64_t largest_entry(const JournalLimits& limits) { return Entries::entry_overhead + limits::key_size_max + limits.value_size_max; }

// A slot in which items of this size fit, however they fall into chunks.
std::uint64_t slot_size_for(std::uint64_t items_size, const JournalLimits& limits) {
  const std::uint64_t chunks = items_size / limits.snapshot_chunk_size + 2;
  return block_ceiling(items_size + chunks * (disk_block_size + chunk_header_size));
}

bool agree(const JournalLimits& limits) {
  constexpr std::uint64_t far = limits::journal_extent_size_max / 16;
  if (limits.value_bytes_max > far || limits.keys_max > far / 1024 || limits.replay_bytes_max > far) return false;
  if (limits.key_size_mean > limits::key_size_max) return false;
  if (limits.value_size_max == 0 || limits.value_size_max > limits::total_value_size_ceiling) return false;
  if (limits.read_size == 0 || limits.read_size % disk_block_size != 0) return false;
  if (limits.snapshot_chunk_size == 0 || limits.snapshot_chunk_size > limits::journal_read_size) return false;
  // Not less than two of the largest records of the log, or of audit records, and what is kept free of them.
  if (limits.pending_size < 2 * record_size_max(limits)) return false;
  return limits.reserve_size >= 2 * log_record_overhead_max && limits.audit_ring_size >= 2 * (limits.reserve_size + limits::audit_record_size_max);
}

}  // namespace

std::size_t record_size_max(const JournalLimits& limits) { return log_record_overhead_max + limits.value_size_max; }

std::uint64_t items_size_max(const JournalLimits& limits) {
  const std::uint64_t entries = limits.value_bytes_max + limits.keys_max * (Entries::entry_overhead + limits.key_size_mean);
  return other_items(limits) + std::max(entries, largest_entry(limits));
}

Result<Extent, ExtentError> Extent::plan(std::uint64_t size, const JournalLimits& limits) {
  const auto extent = layout(size, limits);
  if (!extent.ok()) return extent.error();
  const auto admitted = extent.value().admits(limits);
  if (!admitted.ok()) return admitted.error();
  return extent.value();
}

Result<Extent, ExtentError> Extent::layout(std::uint64_t size, const JournalLimits& limits) {
  if (!agree(limits)) return ExtentError::limits;
  Extent extent;
  size = std::min(size, limits::journal_extent_size_max);
  const std::uint64_t quarter = std::min(block_floor(size / 4), limits::journal_ring_size_max);
  extent.ring_size = std::max(quarter, ring_size_min(limits));
  if (size < head_size + extent.ring_size) return ExtentError::too_small;
  const std::uint64_t longest_keys = limits.keys_max * (Entries::entry_overhead + limits::key_size_max);
  const std::uint64_t most = other_items(limits) + largest_entry(limits) + limits.value_bytes_max + longest_keys;
  extent.slot_size = std::min(block_floor((size - head_size - extent.ring_size) / 2), slot_size_for(most, limits));
  return extent;
}

// Whatever fits a size fits a larger one.
std::optional<std::uint64_t> Extent::size_min(const JournalLimits& limits) {
  std::uint64_t small = 0;
  std::uint64_t large = limits::journal_extent_size_max / disk_block_size;
  if (!plan(large * disk_block_size, limits).ok()) return std::nullopt;
  while (large - small > 1) {
    const std::uint64_t middle = small + (large - small) / 2;
    if (plan(middle * disk_block_size, limits).ok()) large = middle;
    else small = middle;
  }
  return large * disk_block_size;
}

Result<Unit, ExtentError> Extent::admits(const JournalLimits& limits) const {
  if (!agree(limits)) return ExtentError::limits;
  if (!possible() || ring_size < ring_size_min(limits) || slot_size < slot_size_for(items_size_max(limits), limits)) return ExtentError::too_small;
  return Unit{};
}

bool Extent::possible() const {
  if (slot_size == 0 || ring_size == 0 || slot_size % disk_block_size != 0 || ring_size % disk_block_size != 0) return false;
  return slot_size <= limits::journal_extent_size_max / 4 && ring_size <= limits::journal_extent_size_max / 4;
}

std::uint64_t Extent::snapshot_items_max(const JournalLimits& limits) const {
  // The most for which slot_size_for is within the slot.
  const std::uint64_t overhead = disk_block_size + chunk_header_size;
  if (slot_size < 2 * overhead) return 0;
  const std::uint64_t rest = slot_size - 2 * overhead;
  const std::uint64_t chunks = rest / (limits.snapshot_chunk_size + overhead);
  const std::uint64_t last = rest % (limits.snapshot_chunk_size + overhead);
  return chunks * limits.snapshot_chunk_size + std::min<std::uint64_t>(last, limits.snapshot_chunk_size - 1);
}

std::uint64_t Extent::entries_footprint_max(const JournalLimits& limits) const {
  const std::uint64_t items = snapshot_items_max(limits);
  const std::uint64_t others = other_items(limits);
  return items > others ? items - others : 0;
}

}  // namespace statefs
