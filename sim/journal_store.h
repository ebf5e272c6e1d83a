// JOURNAL STORE: the real journal of one machine on its simulated disk, through crashes of both.
//
//   machine_store.h <- JOURNAL STORE (core/journal.h over disk.h) -> trace.h: every append, flush and loss
//
// It is the driver of both: the disk gets what the journal asks for after every call, and the owner is told when something
// has come of it and a wake-up is due. A crash takes the journal and of the disk what disk.h says; reopen() recovers, which takes
// requests of the disk and so time. What a crash took is known, and goes into the trace, when recovery is through.
#pragma once

#include <deque>
#include <optional>
#include <string_view>
#include <utility>

#include "core/journal.h"
#include "sim/disk.h"
#include "sim/machine_store.h"

namespace statefs::sim {

struct JournalStoreConfig {
  JournalConfig journal;
  DiskOptions disk;  // its size is found here
};

class JournalStore final : public MachineStore, private DiskOwner {
 public:
  struct Ground {
    Trace& trace;
    Schedule& schedule;
    RandomSource& random;
  };
  // All of it outlives the store. `owner` is told after each completion, and of what goes wrong on the disk.
  JournalStore(const Ground& ground, NodeId node, const JournalStoreConfig& config, DiskOwner& owner, Now now);

  // The extent that holds what these limits allow, and no more.
  [[nodiscard]] static std::uint64_t extent_size_for(const JournalLimits& limits);

  [[nodiscard]] std::optional<StoredValue> find(const CanonicalKey& key) const override { return journal_->find(key); }
  [[nodiscard]] std::optional<StoredEntry> next(std::string_view after, bool inclusive) const override {
    return journal_->next(after, inclusive);
  }
  [[nodiscard]] Usage usage_of(const PeerRef& writer) const override { return journal_->usage_of(writer); }
  [[nodiscard]] bool log_has_room() const override { return journal_->log_has_room(); }
  [[nodiscard]] Result<std::uint64_t, AppendError> append(AuditRecord& record, const Effect& effect, const SlotChange& change) override;
  using Store::append;
  [[nodiscard]] const SlotTable& slots() const override { return journal_->slots(); }
  void submit(Now now) override;
  void request_flush(std::uint64_t index) override { journal_->request_flush(index); }
  void advance(Now now) override;
  [[nodiscard]] Time deadline() const override { return journal_->deadline(); }
  [[nodiscard]] const StoreStatus& status() const override { return journal_->status(); }
  [[nodiscard]] HeadComparison compare(std::uint64_t epoch, const AuditHead& head) const override { return journal_->compare(epoch, head); }
  [[nodiscard]] unsigned fill_percent() const override { return journal_->fill_percent(); }
  std::size_t export_audit(AuditSink& sink, std::size_t count_max) override { return journal_->export_audit(sink, count_max); }

  [[nodiscard]] bool ready() const override { return journal_ && journal_->ready(); }
  [[nodiscard]] bool refused() const override;
  [[nodiscard]] std::size_t volatile_count() const override;
  [[nodiscard]] std::size_t lost_count() const override { return lost_count_; }
  // Of what the disk was told and no flush covers: 0 nothing is left, 1 to 5 sectors that are drawn, 6 what was written and some
  // of what was being written (the process dies alone), more: all of it; -n: its n-th sector alone, -1000 - n: all but write n.
  void crash(std::int64_t amount) override;
  void reopen(Now now) override;
  void fail() override;  // with the next request
  void set_flush_delay(Duration delay) override { disk_.set_times(config_.disk.request_time, delay); }

  [[nodiscard]] Disk& disk() { return disk_; }
  // How often all of the log became durable and ended where a block does, and the next one began with a record of before.
  [[nodiscard]] std::uint64_t edge_count() const { return edge_count_; }
  // The size of a value that ends a block of the log, where the next record is the PUT of this key by a peer of this alias.
  [[nodiscard]] std::uint64_t value_size_to_edge(std::string_view alias, std::string_view key) const;
  // While the machine is down, a bit of what it cannot do without turns over: which, follows from the number.
  void rot(std::uint64_t number);
  // The next write goes elsewhere. False, and it does not, while the disk does not say that this epoch has begun: without that its
  // indices could be used again, which is more than checkers can tell apart.
  [[nodiscard]] bool misdirect();
  // A copy of what is durable, of this epoch; none where it is not ready.
  struct Copy {
    std::uint64_t epoch = 0;
    Bytes image;
  };
  [[nodiscard]] std::optional<Copy> copy() const;
  // Whether the copy can be put in: the store is ready and in the same epoch.
  [[nodiscard]] bool fits(const Copy& copy) const { return ready() && status().epoch == copy.epoch; }
  void put_in(const Copy& copy);  // while the machine is down

 private:
  void disk_completed() override;
  void disk_failed(DiskRequest::Kind kind) override { owner_.disk_failed(kind); }
  void disk_misdirected() override;
  void note();
  void note_recovered();
  [[nodiscard]] bool is_at_edge() const;
  [[nodiscard]] bool is_tight() const;
  void note_fill();

  Ground ground_;
  NodeId node_;
  JournalStoreConfig config_;
  DiskOwner& owner_;
  RandomStream epochs_;  // `epoch/ID`: the random bits of each
  Disk disk_;
  std::optional<Journal> journal_;  // none while the machine is down

  // As traced.
  bool was_ready_ = false;
  bool has_failed_ = false;
  std::uint64_t durable_index_ = 0;
  std::uint64_t last_index_ = 0;    // appended
  std::uint64_t fill_ = 0;          // as the trace says it
  std::deque<std::pair<std::uint64_t, std::uint64_t>> unwritten_;  // index and size, about, of records that are not durable
  std::uint64_t unwritten_size_ = 0;
  std::uint64_t edge_count_ = 0;
  std::size_t lost_count_ = 0;
  bool is_astray_ = false;          // the disk may lack what it said is durable: so since it was opened last,
  bool was_astray_ = false;         // and so before that, and no recovery has shown it yet
  Bytes encoded_;
  Bytes entry_;
};

}  // namespace statefs::sim
