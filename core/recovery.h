// RECOVERY: reads an extent and says what it holds: a store up to its last whole record, an empty device, or why neither.
//
//   disk.h (reads) -> superblock.h, snapshot.h, log_record.h -> RECOVERY -> journal.h (goes on from it), offline checks
//
// It believes nothing that a checksum, the hash chain and the marks do not agree on (docs/JOURNAL.md, "Recovery"). It writes
// nothing, or, where the disk may serve what only a cache holds, exactly what it has read where it has read it; whoever believes the
// result flushes first. One request is out at a time, and a completion costs at most the work on the piece that was read.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/block_buffer.h"
#include "core/crypto.h"
#include "core/disk.h"
#include "core/export_queue.h"
#include "core/extent.h"
#include "core/marks.h"
#include "core/snapshot.h"
#include "core/superblock.h"

namespace statefs {

// Who is shown the records of a log in their order, when an extent is looked into and not gone on from.
class LogVisitor {
 public:
  virtual ~LogVisitor() = default;
  // `head` is the record's own index and hash, `place` where it is in the extent. Views are good during the call.
  virtual void visit(const DecodedRecord& record, const AuditHead& head, std::uint64_t place) = 0;
};

// How tools look into an extent that they do not go on from. Limits are not judged, and what was whole before damage is kept: of one that
// is shorter than its store, everything that lies before its end.
struct LookInto {
  LogVisitor* visitor = nullptr;  // or null; outlives the recovery
  bool log_alone = false;         // no snapshot and no state, so that a record needs no table that it fits
  bool without_marks = false;     // damaged marks are no reason to stop: nothing then says how far the log must reach
  bool durable_alone = false;     // ends at what the marks say is durable: beside a store that is being written
  std::optional<LogPoint> from;   // log_alone: a place that an earlier look ended at, in the same store
};

struct RecoveryConfig {
  JournalLimits limits;
  std::optional<PublicKey> node;  // whose store it must be; none: anybody's
  StoreId fresh_store{};          // of a store that is made on an empty extent
  bool write_back = false;
  Marks* marks = nullptr;         // outlives it
  std::optional<LookInto> look = std::nullopt;  // none: it is recovered to go on from
};

enum class Found : std::uint8_t {
  nothing_yet,  // not finished
  fresh,        // an empty extent, or a store that was being made when it stopped
  recovered,
  corrupt,      // `damage` says what, `place` where
  foreign,      // not a store, or another node's
  unfit,        // the extent or the store is too small for the limits of today, or too large
  unreadable,   // a request failed, at `place`
};
// Of `unfit`: what the limits of today have no room for.
enum class Misfit : std::uint8_t { none, extent, entries, sessions, value };
enum class Damage : std::uint8_t { none, superblocks, truncated, marks, snapshot, log, change };

struct RecoveryReport {
  Found found = Found::nothing_yet;
  Damage damage = Damage::none;
  Misfit misfit = Misfit::none;
  std::uint64_t place = 0;         // from the start of the extent
  AuditHead last;                  // of the log; of what was whole, where it is damaged
  AuditHead before;                // what the first record that is read from the log follows
  std::uint64_t required_index = 0;  // what the log is known to have reached; 0: nothing says so
  std::uint64_t record_count = 0;  // read from the log
  std::uint64_t cut_place = 0;     // the log ends here ...
  std::uint64_t cut_size = 0;      // ... and so many bytes of its last block after that were not zero: a record that was torn
};

class Recovery final : public DiskUser {
 public:
  Recovery(const RecoveryConfig& config, std::uint64_t extent_size);

  [[nodiscard]] std::optional<DiskRequest> next_request() override;
  void completed(std::uint64_t id, bool ok, ByteView bytes) override;
  [[nodiscard]] bool done() const { return report_.found != Found::nothing_yet; }
  [[nodiscard]] const RecoveryReport& report() const { return report_; }

  // What was found; for `fresh` and `recovered` only, and good to be moved from.
  struct Store {
    Superblock superblock;
    std::array<bool, 2> copy_is_newest{};         // which copies of it hold it
    std::array<std::optional<Mark>, 2> marks;     // those that are valid
    State state;
    std::optional<ExportQueue> queue;
    Heads heads;                                  // of the records that were read
    LogPoint end;
    Bytes partial;                                // of the block of end.position, what is before it
  };
  [[nodiscard]] Store& store();
  // Of a look: what was whole, also where something is damaged. As much of it was read as report() says.
  [[nodiscard]] Store& seen();

 private:
  enum class Stage : std::uint8_t { head, zeros, snapshot, log };
  void refuse(Found found, Damage damage, std::uint64_t place);
  void refuse(Misfit misfit);
  void plan_read();
  void digest(ByteView bytes);
  void read_head(ByteView bytes);
  [[nodiscard]] bool choose_superblock(ByteView bytes);
  [[nodiscard]] bool choose_mark(ByteView bytes);
  void begin_fresh();
  void read_zeros(ByteView bytes);
  void read_snapshot();
  void begin_log();
  void read_log();
  [[nodiscard]] bool take_record(const DecodedRecord& decoded);
  [[nodiscard]] Misfit over_limits() const;
  [[nodiscard]] bool looks() const { return config_.look.has_value(); }
  [[nodiscard]] bool log_alone() const { return looks() && config_.look->log_alone; }
  [[nodiscard]] bool shown_enough() const;
  [[nodiscard]] bool is_truncated() const { return store_.superblock.extent.size() > extent_size_; }
  void end_log();

  RecoveryConfig config_;
  std::uint64_t extent_size_;
  Stage stage_ = Stage::head;
  RecoveryReport report_;
  Store store_;
  std::optional<SnapshotReader> snapshot_;
  Sha256 sha_;
  std::vector<LogPoint> points_;       // what the log must pass through, ascending
  std::uint64_t required_index_ = 0;   // what it must reach
  std::uint64_t log_begin_ = 0;        // position of the first byte that is read

  std::uint64_t place_ = 0;            // of what is read next: offset; in the slot; position in the log
  Bytes unread_;                       // read and not understood yet; it ends at place_
  BlockBuffer piece_;                  // the last read, while it is written back
  DiskRequest read_;                   // the last
  std::optional<DiskRequest> out_;     // not handed out yet
  bool waiting_ = false;               // one is handed out
  std::uint64_t last_id_ = 0;
};

}  // namespace statefs
