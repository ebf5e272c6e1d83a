// STATEFS: the store of one machine, with what of it survives the machine.
//
//   machine_store.h <- STATEFS (over core/memory_store.h) -> trace.h: every append, flush and loss
//
// What is appended takes effect in memory and is kept as not yet durable until a flush covers it. A crash leaves all that
// is durable and, of the rest, the first so many records: any prefix, as a journal would. It may also fail for good, fill
// up, or take its time. The trace gets every append as it happens, so a checker knows the store's real order.
#pragma once

#include <deque>

#include "core/memory_store.h"
#include "sim/machine_store.h"

namespace statefs::sim {

class Statefs final : public MachineStore {
 public:
  // `trace` outlives it. One that is not crashable keeps nothing but the live store.
  Statefs(Trace& trace, NodeId node, const MemoryStoreConfig& config, Now now, bool crashable = true);

  [[nodiscard]] std::optional<StoredValue> find(const CanonicalKey& key) const override { return live_.find(key); }
  [[nodiscard]] std::optional<StoredEntry> next(std::string_view after, bool inclusive) const override {
    return live_.next(after, inclusive);
  }
  [[nodiscard]] Usage usage_of(const PeerRef& writer) const override { return live_.usage_of(writer); }
  [[nodiscard]] bool log_has_room() const override { return live_.log_has_room(); }
  [[nodiscard]] Result<std::uint64_t, AppendError> append(AuditRecord& record, const Effect& effect,
                                                            const SlotChange& change) override;
  using Store::append;
  [[nodiscard]] const SlotTable& slots() const override { return live_.slots(); }
  void submit(Now now) override;
  void request_flush(std::uint64_t index) override { live_.request_flush(index); }
  void advance(Now now) override;
  [[nodiscard]] Time deadline() const override { return live_.deadline(); }
  [[nodiscard]] const StoreStatus& status() const override { return live_.status(); }
  [[nodiscard]] HeadComparison compare(std::uint64_t epoch, const AuditHead& head) const override { return live_.compare(epoch, head); }
  [[nodiscard]] unsigned fill_percent() const override { return live_.fill_percent(); }
  std::size_t export_audit(AuditSink& sink, std::size_t count_max) override;

  [[nodiscard]] bool ready() const override { return true; }
  [[nodiscard]] bool refused() const override { return false; }
  [[nodiscard]] std::size_t volatile_count() const override { return volatile_.size(); }
  [[nodiscard]] std::size_t lost_count() const override { return lost_count_; }
  // Of the records that are not durable the first `amount` survive, all where there are fewer.
  void crash(std::int64_t amount) override;
  void reopen(Now now) override;

  void fail() override { live_.fail(); }
  void set_flush_delay(Duration delay) override;

 private:
  // One append, with bytes of its own: the entry of the log, then key and value of the effect.
  struct Operation {
    std::uint64_t index = 0;
    Bytes bytes;
    std::size_t entry_size = 0;
    std::size_t key_size = 0;
    Owner owner;
    Effect::Kind effect = Effect::Kind::none;
    SlotChange change;
  };
  void keep(const AuditRecord& record, const Effect& effect, const SlotChange& change);
  void replay(const Operation& operation);
  void note_durable(Now now);

  Trace& trace_;
  NodeId node_;
  bool crashable_;
  Durability durability_;
  Duration flush_interval_;
  Duration flush_delay_;
  MemoryStore live_;
  MemoryStore image_;                // what is durable; everything in it is flushed at once
  std::deque<Operation> volatile_;   // the rest
  Bytes spare_;                      // of an operation that is durable, for the next
  std::uint64_t durable_index_ = 0;  // as traced
  std::size_t lost_count_ = 0;
  Bytes entry_;                      // of the trace
};

}  // namespace statefs::sim
