#include "sim/statefs.h"

#include <algorithm>

namespace statefs::sim {
namespace {

constexpr std::size_t log_prefix_size = 8 + 32;  // MemoryStore::last_entry

// Takes what the real exporter took, so that the image's ring stays as full as the live one's.
class Discard final : public AuditSink {
 public:
  explicit Discard(std::uint64_t last_index) : last_index_(last_index) {}
  bool take(std::uint64_t index, ByteView, const Digest&) override { return index <= last_index_; }

 private:
  std::uint64_t last_index_;
};

class Watched final : public AuditSink {
 public:
  explicit Watched(AuditSink& sink) : sink_(sink) {}
  bool take(std::uint64_t index, ByteView encoded, const Digest& hash) override {
    if (!sink_.take(index, encoded, hash)) return false;
    last_index_ = index;
    return true;
  }
  [[nodiscard]] std::size_t kept(std::size_t count) override { return sink_.kept(count); }
  [[nodiscard]] std::uint64_t last_index() const { return last_index_; }

 private:
  AuditSink& sink_;
  std::uint64_t last_index_ = 0;
};

}  // namespace

Statefs::Statefs(Trace& trace, NodeId node, const MemoryStoreConfig& config, Now now, bool crashable)
    : trace_(trace), node_(node), crashable_(crashable), durability_(config.durability),
      flush_interval_(config.flush_interval), flush_delay_(config.flush_delay),
      live_(config, now), image_(live_) {
  image_.set_flush(Durability::commit, {}, {});
  note_durable(now);
}

void Statefs::set_flush_delay(Duration delay) {
  flush_delay_ = delay;
  live_.set_flush(durability_, flush_interval_, delay);
}

Result<std::uint64_t, AppendError> Statefs::append(AuditRecord& record, const Effect& effect, const SlotChange& change) {
  auto appended = live_.append(record, effect, change);
  if (!appended.ok()) return appended;
  trace_append(trace_, node_, record, live_.last_entry().subspan(log_prefix_size), effect, entry_);
  if (crashable_) keep(record, effect, change);
  return appended;
}

void Statefs::keep(const AuditRecord& record, const Effect& effect, const SlotChange& change) {
  Operation& operation = volatile_.emplace_back();
  operation.index = record.index;
  operation.bytes.swap(spare_);
  operation.bytes.clear();
  Writer writer(operation.bytes);
  writer.bytes(live_.last_entry());
  operation.entry_size = operation.bytes.size();
  operation.owner = owner_of(record.peer);
  operation.effect = effect.kind;
  operation.change = change;
  if (effect.kind == Effect::Kind::none) return;
  const ByteView key = as_bytes(effect.key->text());
  operation.key_size = key.size();
  writer.bytes(key);
  writer.bytes(effect.value);
}

void Statefs::submit(Now now) {
  live_.submit(now);
  note_durable(now);
}

void Statefs::advance(Now now) {
  live_.advance(now);
  note_durable(now);
}

void Statefs::note_durable(Now now) {
  const std::uint64_t durable = live_.status().durable_index;
  if (durable == durable_index_) return;
  durable_index_ = durable;
  for (; !volatile_.empty() && volatile_.front().index <= durable; volatile_.pop_front()) {
    replay(volatile_.front());
    spare_.swap(volatile_.front().bytes);
  }
  if (crashable_) image_.submit(now);
  trace_.add(node_, TraceKind::durable, durable);
}

void Statefs::replay(const Operation& operation) {
  const ByteView bytes = operation.bytes;
  Effect effect;
  effect.kind = operation.effect;
  if (effect.kind != Effect::Kind::none) {
    const auto key = CanonicalKey::from(bytes.subspan(operation.entry_size, operation.key_size));
    STATEFS_CHECK(key.ok());
    effect.key = key.value();
    effect.value = bytes.subspan(operation.entry_size + operation.key_size);
  }
  image_.adopt(bytes.first(operation.entry_size), operation.owner, effect, operation.change);
}

std::size_t Statefs::export_audit(AuditSink& sink, std::size_t count_max) {
  Watched watched(sink);
  const std::size_t count = live_.export_audit(watched, count_max);
  if (count == 0 || !crashable_) return count;
  Discard discard(watched.last_index());
  image_.export_audit(discard, count);
  return count;
}

void Statefs::crash(std::int64_t amount) {
  STATEFS_CHECK(crashable_ && amount >= 0);
  const std::size_t kept_count = std::min(static_cast<std::size_t>(amount), volatile_.size());
  lost_count_ = volatile_.size() - kept_count;
  for (std::size_t i = 0; i < kept_count; ++i) replay(volatile_[i]);
  volatile_.clear();
  trace_.add(node_, TraceKind::store_lost, image_.status().last_index);
}

void Statefs::reopen(Now now) {
  live_ = image_;
  live_.reopen(now);
  image_ = live_;
  live_.set_flush(durability_, flush_interval_, flush_delay_);
  note_durable(now);
}

}  // namespace statefs::sim
