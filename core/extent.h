// EXTENT: where everything of a journal is in its fixed extent, and what fits. The one place that knows offsets.
//
//   limits.h, block_buffer.h -> EXTENT -> superblock.h (stores it), recovery.h, journal.h
//
// All sizes are bytes and multiples of disk_block_size. A journal uses its extent from the front, and of a large one only what
// its limits can fill. The sizes of a store are chosen when it is formatted and stay.
#pragma once

#include <cstdint>
#include <optional>

#include "core/block_buffer.h"
#include "core/entries.h"
#include "core/limits.h"
#include "core/result.h"

namespace statefs {

// What an operator or a test may set; checked against the extent.
struct JournalLimits {
  std::uint64_t value_bytes_max = limits::store_value_bytes_default;
  std::uint64_t keys_max = limits::journal_keys_usual;
  std::size_t key_size_mean = limits::key_size_mean;                   // what so many keys may have on average
  std::size_t value_size_max = limits::total_value_size_default;       // of one record
  std::uint64_t replay_bytes_max = SlotTable::footprint_of(limits::slot_owners_max, limits::sessions_per_key);
  std::size_t pending_size = limits::journal_pending_size;
  std::size_t read_size = limits::journal_read_size;
  std::size_t snapshot_chunk_size = limits::snapshot_chunk_size;
  std::uint64_t snapshot_after = ~std::uint64_t{0};                    // bytes of log, or half of the ring, whichever is less
  std::size_t audit_ring_size = limits::audit_ring_size;              // memory of records not yet exported
  std::size_t reserve_size = limits::audit_reserve_size;              // of the log and that memory, for the store's own records (audit.h)
};

// The largest record with these limits.
[[nodiscard]] std::size_t record_size_max(const JournalLimits& limits);
// What the items of a snapshot take, at most, while the store keeps these limits: what an extent must have room for.
[[nodiscard]] std::uint64_t items_size_max(const JournalLimits& limits);

enum class ExtentError {
  too_small,  // for the limits: what they promise of values, keys and replay memory, or the log, does not fit
  limits,     // the limits contradict each other, whatever the extent
};

struct Extent {
  std::uint64_t slot_size = 0;  // of each snapshot slot
  std::uint64_t ring_size = 0;

  // For a new store in `size` bytes, of which it may use fewer.
  [[nodiscard]] static Result<Extent, ExtentError> plan(std::uint64_t size, const JournalLimits& limits);
  // The same, whether or not values, keys and replay memory have room: for who is going to lower the limits (store_room.h).
  [[nodiscard]] static Result<Extent, ExtentError> layout(std::uint64_t size, const JournalLimits& limits);
  // The least size that plan() takes for these limits; none where it takes none.
  [[nodiscard]] static std::optional<std::uint64_t> size_min(const JournalLimits& limits);
  // Whether a store of these sizes can be used with these limits.
  [[nodiscard]] Result<Unit, ExtentError> admits(const JournalLimits& limits) const;
  // Whether the sizes are ones that plan() could give: not zero, whole blocks, within journal_extent_size_max.
  [[nodiscard]] bool possible() const;

  static constexpr std::uint64_t superblock_offset(std::uint32_t copy) { return copy == 0 ? 0 : 3 * disk_block_size; }
  static constexpr std::uint64_t mark_offset(std::uint32_t copy) { return (1 + std::uint64_t{copy}) * disk_block_size; }
  static constexpr std::uint64_t head_size = 4 * disk_block_size;
  [[nodiscard]] std::uint64_t slot_offset(std::uint32_t slot) const { return head_size + slot * slot_size; }
  [[nodiscard]] std::uint64_t ring_offset() const { return head_size + 2 * slot_size; }
  [[nodiscard]] std::uint64_t size() const { return ring_offset() + ring_size; }
  // Where the byte at a log position is.
  [[nodiscard]] std::uint64_t log_offset(std::uint64_t position) const { return ring_offset() + position % ring_size; }

  // What the items of a snapshot may take in all, for chunks that are padded to blocks.
  [[nodiscard]] std::uint64_t snapshot_items_max(const JournalLimits& limits) const;
  // What Entries::footprint() may reach.
  [[nodiscard]] std::uint64_t entries_footprint_max(const JournalLimits& limits) const;
  friend bool operator==(const Extent&, const Extent&) = default;
};

}  // namespace statefs
