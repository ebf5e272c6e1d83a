// SNAPSHOT: the state at an index S, written in bounded steps while commits go on, and read back.
//
//   state.h -> SNAPSHOT (chunks) -> superblock.h (names it: slot, size, sum, S and E) -> recovery.h
//
// The writer goes through epochs, shelves and entries in order of owner and key. What was written after S is left to the log:
// an entry that is newer is not kept at all, a shelf is kept with the index it is of. So a snapshot is good only beside a
// log that reaches E, the last index when the walk ended; what it holds is never more than what the state held at S.
// Layout: docs/JOURNAL.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/block_buffer.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/state.h"

namespace statefs {

inline constexpr std::size_t chunk_header_size = 24;
inline constexpr std::size_t epochs_item_size_max = 3 + limits::epochs_kept * (8 + 8 + 8 + 32);
inline constexpr std::size_t shelf_item_size_max = SlotTable::shelf_footprint +
    (limits::sessions_per_key + limits::ended_sessions_per_key) * SlotTable::session_footprint;

// The largest chunk, in whole blocks, when none is closed before it has `chunk_size` bytes and the largest value is `value_size`.
[[nodiscard]] std::size_t chunk_size_max(std::size_t chunk_size, std::size_t value_size);

class SnapshotWriter {
 public:
  // Of the state up to `index`, which is durable; `sequence` is that of the superblock that will name it.
  SnapshotWriter(std::uint64_t sequence, std::uint64_t index, std::size_t chunk_size)
      : sequence_(sequence), index_(index), chunk_size_(chunk_size) {}

  // Goes on by at most `visits_max` entries or one shelf. True: `chunk` holds the next chunk, padded, to be written before the next step.
  [[nodiscard]] bool step(const State& state, std::uint64_t last_index, BlockBuffer& chunk, std::size_t visits_max);
  [[nodiscard]] bool done() const { return done_; }  // the chunk that was given last is the last
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint32_t sum() const { return sum_; }
  [[nodiscard]] std::uint64_t entry_count() const { return entry_count_; }
  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }

 private:
  enum class Part : std::uint8_t { epochs, shelves, entries, end };
  void put_epochs(const Epochs& epochs, BlockBuffer& chunk);
  void put_shelf(const SlotTable& slots, std::uint64_t last_index, BlockBuffer& chunk);
  void put_entries(const Entries& entries, BlockBuffer& chunk, std::size_t visits_max);
  [[nodiscard]] bool full(const BlockBuffer& chunk) const { return chunk.size() >= chunk_header_size + chunk_size_; }
  void close(BlockBuffer& chunk, bool last);

  std::uint64_t sequence_;
  std::uint64_t index_;
  std::size_t chunk_size_;
  Part part_ = Part::epochs;
  bool open_ = false;           // a chunk has begun
  bool done_ = false;
  std::optional<Owner> owner_;  // the last whose shelf is written
  std::string key_;             // the last that was visited
  std::uint32_t number_ = 0;    // of the chunk
  std::uint64_t size_ = 0;      // of the chunks closed
  std::uint32_t sum_ = 0;       // CRC-32C of their checksums, one after the other
  std::uint64_t entry_count_ = 0;
};

enum class SnapshotError {
  incomplete,  // the chunk goes on beyond the bytes that are there: they are fewer than the largest chunk
  bad,
};

// Reads chunks in their order.
class SnapshotReader {
 public:
  // Of a snapshot of `index`, up to which it holds everything.
  SnapshotReader(std::uint64_t sequence, std::uint64_t index) : sequence_(sequence) { state_.snapshot_index = index; }

  // Takes the chunk that `bytes` begin with and tells its size in blocks. What was bad stays bad.
  [[nodiscard]] Result<std::size_t, SnapshotError> take(ByteView bytes);
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] std::uint32_t sum() const { return sum_; }
  [[nodiscard]] std::uint64_t entry_count() const { return entry_count_; }
  [[nodiscard]] State& state() { return state_; }

 private:
  [[nodiscard]] bool take_items(Reader& in);
  [[nodiscard]] bool take_epochs(Reader& in);
  [[nodiscard]] bool take_shelf(Reader& in);
  [[nodiscard]] bool take_entry(Reader& in);

  std::uint64_t sequence_;
  State state_;
  std::uint8_t part_ = 0;  // kind of the last item: kinds ascend
  std::uint32_t number_ = 0;
  std::uint32_t sum_ = 0;
  std::uint64_t entry_count_ = 0;
  bool done_ = false;
};

}  // namespace statefs
