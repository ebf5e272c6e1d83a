// JOURNAL: a store that survives: one log with effect, audit record and replay record in one, over a fixed extent.
//
//   service -> store.h <- JOURNAL -> DiskRequest ... completed() <- the driver of a disk;   docs/JOURNAL.md says what is written when
//
// It begins by recovering. Until ready() it is no store: nothing but the disk, advance() and report() may be used. The driver
// takes requests after every call, hands back completions, and then calls advance(). What has been told durable is never taken
// back by a crash; a disk that failed once, in any request, fails the store for good. Work in one call is bounded by one
// piece of recovery, one step of a snapshot, or one cycle of writes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "core/audit.h"
#include "core/disk.h"
#include "core/log_tail.h"
#include "core/marks.h"
#include "core/recovery.h"
#include "core/snapshot.h"
#include "core/store.h"

namespace statefs {

struct JournalConfig {
  JournalLimits limits;
  Durability durability = Durability::sync;
  Duration flush_interval = limits::flush_interval;  // in sync mode, the longest that a commit waits for its flush to begin
  Duration mark_interval = limits::mark_interval;    // the longest that what is durable waits for a mark when nothing else is written
  PublicKey node;                                    // named in every record; the store must be this node's
  StoreId fresh_store{};                             // random: of a store that is made on an empty extent
  std::uint64_t epoch_random = 0;                    // random: of the epoch that begins
  bool direct = true;                                // reads give what is durable, never what only a cache holds
  Marks* marks = nullptr;                            // outlives the store; null: counted where nobody reads
};

class Journal final : public Store, public DiskUser {
 public:
  Journal(const JournalConfig& config, std::uint64_t extent_size);

  // The store may be used: for ever after, though it may have failed or be without room for any record.
  [[nodiscard]] bool ready() const { return ready_; }
  // Nothing here may be served; report() says why. Then the status is failed.
  [[nodiscard]] bool refused() const { return phase_ == Phase::refused; }
  // There was no room even for the record of a new epoch: reads go on in the old one until an exporter has made room.
  [[nodiscard]] bool read_only() const { return ready_ && phase_ != Phase::open; }
  [[nodiscard]] const RecoveryReport& report() const { return recovery_report_; }

  [[nodiscard]] std::optional<DiskRequest> next_request() override;
  void completed(std::uint64_t id, bool ok, ByteView bytes) override;

  [[nodiscard]] std::optional<StoredValue> find(const CanonicalKey& key) const override { return state_.entries.find(key.text()); }
  [[nodiscard]] std::optional<StoredEntry> next(std::string_view after, bool inclusive) const override {
    return state_.entries.next(after, inclusive);
  }
  [[nodiscard]] Usage usage_of(const PeerRef& writer) const override { return state_.entries.usage_of(owner_of(writer)); }
  [[nodiscard]] std::size_t key_size_mean() const override { return config_.limits.key_size_mean; }
  [[nodiscard]] bool log_has_room() const override;
  // An effect's key is the record's too: the log has one copy.
  [[nodiscard]] Result<std::uint64_t, AppendError> append(AuditRecord& record, const Effect& effect, const SlotChange& change) override;
  using Store::append;
  [[nodiscard]] const SlotTable& slots() const override { return state_.slots; }
  void submit(Now now) override;
  void request_flush(std::uint64_t index) override;
  void advance(Now now) override;
  [[nodiscard]] Time deadline() const override;
  [[nodiscard]] const StoreStatus& status() const override { return status_; }
  [[nodiscard]] HeadComparison compare(std::uint64_t epoch, const AuditHead& head) const override {
    return heads_.compare(state_.epochs, epoch, head);
  }
  std::size_t export_audit(AuditSink& sink, std::size_t count_max) override;

  // Epochs of the past, with where each ended, and the one that runs.
  [[nodiscard]] const Epochs& epochs() const { return state_.epochs; }
  // Of the log, or of the memory of what was not exported: whichever is fuller.
  [[nodiscard]] unsigned fill_percent() const override;
  // Everything appended is durable, and both marks say so: nothing is left to do before the end of the process.
  [[nodiscard]] bool settled() const;
  // Behind the last record that was exported; the marks keep it within mark_interval.
  [[nodiscard]] const LogPoint& export_cursor() const { return queue_.cursor(); }
  [[nodiscard]] const Extent& extent() const { return superblock_.extent; }
  // The log position behind the last record, durable or not.
  [[nodiscard]] std::uint64_t log_end() const { return appended_.position; }

 private:
  enum class Phase : std::uint8_t { recovering, superblocks, epoch, open, read_only, refused };
  // What one flush will have made durable, with the writes before it.
  struct Cycle {
    std::size_t open_count = 0;  // requests that have not completed; 0: no cycle
    LogPoint covers;
    std::optional<Mark> mark;
    std::uint32_t mark_copy = 0;
    std::optional<std::uint32_t> superblock_copy;
    bool covers_snapshot = false;
  };
  enum class Taking : std::uint8_t { nothing, walking, writing, walked, naming };
  // A snapshot that is being taken.
  struct Snapshot {
    SnapshotWriter writer;
    BlockBuffer chunk;
    LogPoint start;
    std::uint64_t end_index = 0;
    std::uint32_t slot = 0;
    std::uint64_t write_id = 0;
  };

  void take_over();
  void open_up(Now now);
  void begin_epoch(Now now);
  void put(AuditRecord& record, const Effect& effect, const SlotChange& change);
  [[nodiscard]] bool has_space(const Entries::Place& place, const Effect& effect, const SlotChange& change, const Owner& owner);
  [[nodiscard]] bool cycle_due(Now now);
  [[nodiscard]] bool mark_due(Now now);
  void begin_cycle();
  void end_cycle();
  void add_request(DiskRequest::Kind kind, std::uint64_t offset, ByteView bytes);
  void add_mark();
  [[nodiscard]] bool mark_stale() const;
  [[nodiscard]] std::uint64_t marked_cursor() const { return std::min(mark_cursors_[0], mark_cursors_[1]); }
  [[nodiscard]] std::uint64_t trim_position() const { return std::min(superblock_.start.position, marked_cursor()); }
  [[nodiscard]] bool room_for(std::size_t log_size, std::size_t reserve) const;
  void step_snapshot();
  void begin_snapshot();
  void name_snapshot();
  void fail();

  JournalConfig config_;
  std::unique_ptr<Marks> own_marks_;
  Phase phase_ = Phase::recovering;
  std::optional<Recovery> recovery_;
  RecoveryReport recovery_report_;

  bool ready_ = false;
  Superblock superblock_;                      // durable in both copies, once open
  Superblock next_superblock_;                 // what is being written ...
  std::deque<std::uint32_t> copies_;           // ... to these copies, one after the other
  std::array<std::optional<Mark>, 2> marks_;   // as they are durable
  std::array<std::uint64_t, 2> mark_cursors_{};  // positions up to which either mark lets the log be overwritten
  std::uint64_t mark_sequence_ = 0;
  State state_;
  Heads heads_;
  EntryLimits entry_limits_;
  ExportQueue queue_;
  std::optional<LogTail> tail_;
  AuditChain chain_;
  Bytes encoded_;
  LogPoint appended_;
  LogPoint submitted_;  // what the next cycle covers
  LogPoint durable_;

  std::deque<DiskRequest> out_;  // at most one cycle and one chunk
  std::uint64_t last_id_ = std::uint64_t{1} << 32;  // beyond those of recovery
  Cycle cycle_;
  BlockBuffer mark_block_;
  BlockBuffer superblock_block_;
  Taking taking_ = Taking::nothing;
  std::unique_ptr<Snapshot> snapshot_;
  bool flush_once_ = false;         // what recovery has read is believed when it is flushed
  std::uint64_t wanted_index_ = 0;  // asked to be durable without waiting for flush_due_
  Time flush_due_ = never;          // of the background flush
  Time mark_due_ = never;
  StoreStatus status_;
};

}  // namespace statefs
