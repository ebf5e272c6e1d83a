// MEMORY STORE: an ordered map and a bounded ring of audit records, both gone with the process.
//
//   service -> store.h <- MEMORY STORE
//
// For trials, tests and as the model of the simulator. It keeps time like a durable store: what is submitted becomes durable
// by a flush that takes `flush_delay`, and every flush covers all that was submitted before it began. With both times zero a
// commit is durable inside submit(). A copy is an image; reopen() makes a store of it as recovery would.
#pragma once

#include <memory>
#include <optional>

#include "core/audit.h"
#include "core/entries.h"
#include "core/epochs.h"
#include "core/limits.h"
#include "core/marks.h"
#include "core/ring.h"
#include "core/store.h"

namespace statefs {

struct MemoryStoreConfig {
  StoreId id{};
  std::uint64_t epoch = 1;  // 1 to 2^24 - 1: indices start at epoch * 2^40
  PublicKey node;           // named in every record
  std::uint64_t value_bytes_max = limits::store_value_bytes_default;
  std::uint64_t keys_max = limits::store_keys_default;
  std::size_t audit_ring_size = limits::audit_ring_size;
  Durability durability = Durability::sync;
  Duration flush_interval{};  // in sync mode, the longest that a commit waits for its flush to begin
  Duration flush_delay{};     // what a flush takes
  Marks* marks = nullptr;     // outlives the store and its copies; null: counted where nobody reads
};

class MemoryStore final : public Store {
 public:
  // The first record is the epoch's.
  MemoryStore(const MemoryStoreConfig& config, Now now);
  // Begins the next epoch on what is there, as if it had just been recovered. Nothing of before is under way any more.
  void reopen(Now now);

  [[nodiscard]] std::optional<StoredValue> find(const CanonicalKey& key) const override;
  [[nodiscard]] std::optional<StoredEntry> next(std::string_view after, bool inclusive) const override;
  [[nodiscard]] Usage usage_of(const PeerRef& writer) const override;
  [[nodiscard]] bool log_has_room() const override;
  [[nodiscard]] Result<std::uint64_t, AppendError> append(AuditRecord& record, const Effect& effect,
                                                            const SlotChange& change) override;
  using Store::append;
  [[nodiscard]] const SlotTable& slots() const override { return slots_; }
  void submit(Now now) override;
  void request_flush(std::uint64_t index) override;
  void advance(Now now) override;
  [[nodiscard]] Time deadline() const override;
  [[nodiscard]] const StoreStatus& status() const override { return status_; }
  [[nodiscard]] HeadComparison compare(std::uint64_t epoch, const AuditHead& head) const override { return heads_.compare(epochs_, epoch, head); }
  [[nodiscard]] unsigned fill_percent() const override {
    return static_cast<unsigned>((log_.capacity() - log_.free_size()) * 100 / log_.capacity());
  }
  std::size_t export_audit(AuditSink& sink, std::size_t count_max) override;

  // The last record as the log has it: u64 index, 32-byte hash, encoding. Valid until the next append.
  [[nodiscard]] ByteView last_entry() const { return encoded_; }
  // Takes what another store of the same beginning appended next: its last_entry(), whose it is, and what it changed.
  void adopt(ByteView entry, const Owner& owner, const Effect& effect, const SlotChange& change);

  // When flushes begin and how long they take, from now on; one that is under way keeps its time.
  void set_flush(Durability durability, Duration interval, Duration delay);
  // The medium is gone: whatever has not completed never will.
  void fail() { status_.failed = true; }

 private:
  // What a flush under way will have made durable.
  struct Flush {
    AuditHead head;
    Time done;
  };

  void begin_epoch(Now now);
  void begin_flush(Now now);
  [[nodiscard]] bool fits(const Entries::Place& place, const Effect& effect) const;

  MemoryStoreConfig config_;
  std::shared_ptr<Marks> own_marks_;  // shared with copies
  AuditChain chain_;
  Entries entries_;
  SlotTable slots_;
  ByteRing log_;                  // each record as u64 index, 32-byte hash, encoding
  Bytes encoded_;                 // of the record being appended
  AuditHead submitted_;           // what the next flush would cover
  std::optional<Flush> flush_;
  std::uint64_t wanted_index_ = 0;  // asked to be durable without waiting for flush_due_
  Time flush_due_ = never;          // of the background flush
  StoreStatus status_;
  Epochs epochs_;
  Heads heads_;
};

}  // namespace statefs
