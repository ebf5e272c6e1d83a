#include "core/memory_store.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace statefs {

namespace {

// What a record takes in the ring beside its encoding: length, index, hash.
constexpr std::size_t log_entry_overhead = 4 + 8 + 32;
constexpr std::size_t log_entry_size_max = log_entry_overhead + limits::audit_record_size_max;

}  // namespace

MemoryStore::MemoryStore(const MemoryStoreConfig& config, Now now)
    : config_(config), chain_(config.epoch << epoch_shift, Digest{}), log_(config.audit_ring_size) {
  if (config_.marks == nullptr) {
    own_marks_ = std::make_shared<Marks>();
    config_.marks = own_marks_.get();
  }
  STATEFS_CHECK(config.epoch >= 1 && config.epoch < (std::uint64_t{1} << 24));
  STATEFS_CHECK(config.audit_ring_size >= 2 * limits::audit_reserve_size);
  status_.id = config.id;
  begin_epoch(now);
}

void MemoryStore::reopen(Now now) {
  STATEFS_MARK_IN(*config_.marks, "store.reopened");
  ++config_.epoch;
  STATEFS_CHECK(config_.epoch < (std::uint64_t{1} << 24));
  chain_ = AuditChain(config_.epoch << epoch_shift, chain_.head().hash);
  flush_.reset();
  wanted_index_ = 0;
  flush_due_ = never;
  status_.failed = false;
  begin_epoch(now);
}

// The epoch is durable before the first answer, however long a flush takes.
void MemoryStore::begin_epoch(Now now) {
  status_.epoch = config_.epoch;
  epochs_.begin(config_.epoch, 0, status_.last_index == 0 ? AuditHead{} : AuditHead{status_.last_index, chain_.head().hash});
  AuditRecord record;
  record.kind = AuditKind::epoch;
  record.wall_ns = now.wall_ns;
  record.monotonic_ns = now.monotonic.ns;
  record.allowed = true;
  const auto appended = append(record, {}, {});
  STATEFS_CHECK(appended.ok());
  submitted_ = chain_.head();
  status_.completed_index = submitted_.index;
  status_.durable_index = submitted_.index;
  status_.durable_head = submitted_;
  heads_.add(submitted_);
}

std::optional<StoredValue> MemoryStore::find(const CanonicalKey& key) const { return entries_.find(key.text()); }

std::optional<StoredEntry> MemoryStore::next(std::string_view after, bool inclusive) const { return entries_.next(after, inclusive); }

Usage MemoryStore::usage_of(const PeerRef& writer) const { return entries_.usage_of(owner_of(writer)); }

bool MemoryStore::log_has_room() const {
  return log_.free_size() >= limits::audit_reserve_size + log_entry_size_max;
}

Result<std::uint64_t, AppendError> MemoryStore::append(AuditRecord& record, const Effect& effect, const SlotChange& change) {
  if (status_.failed) {
    STATEFS_MARK_IN(*config_.marks, "store.refuses_failed");
    return AppendError::failed;
  }
  if (log_.free_size() < reserve_for(record.kind, limits::audit_reserve_size) + log_entry_size_max) {
    STATEFS_MARK_IN(*config_.marks, "store.log_full");
    return AppendError::log_full;
  }

  Entries::Place place;
  if (effect.key) {
    place = entries_.place(effect.key->text());
    record.old_revision = place.revision();
    record.new_revision = record.old_revision;
  }
  if (effect.kind == Effect::Kind::put) {
    STATEFS_CHECK(effect.key.has_value());
    if (!fits(place, effect)) return AppendError::no_space;
    record.new_revision = chain_.next_index();
  } else if (effect.kind == Effect::Kind::erase) {
    STATEFS_CHECK(effect.key.has_value());
    record.new_revision = 0;
  }
  record.epoch = config_.epoch;
  record.node = config_.node;

  // The ring holds index, hash and encoding; the hash is known once the chain has taken the record.
  encoded_.assign(8 + 32, 0);
  chain_.append(record, encoded_);
  store_le<std::uint64_t>(encoded_.data(), record.index);
  const Digest hash = chain_.head().hash;
  std::memcpy(encoded_.data() + 8, hash.data(), hash.size());
  STATEFS_CHECK(encoded_.size() - 8 - 32 <= limits::audit_record_size_max);
  const bool kept = log_.push(encoded_);
  STATEFS_CHECK(kept);

  const Owner owner = owner_of(record.peer);
  entries_.apply(place, effect, owner, record.index);
  slots_.apply(owner, change, record.index);
  status_.last_index = record.index;
  return record.index;
}

void MemoryStore::adopt(ByteView entry, const Owner& owner, const Effect& effect, const SlotChange& change) {
  Reader reader(entry);
  const std::uint64_t index = reader.u64();
  STATEFS_CHECK(index == chain_.next_index());
  chain_.follow({index, reader.array<32>()});
  const bool kept = log_.push(entry);
  STATEFS_CHECK(kept && reader.ok());
  entries_.apply(effect.key ? entries_.place(effect.key->text()) : Entries::Place{}, effect, owner, index);
  slots_.apply(owner, change, index);
  status_.last_index = index;
}

bool MemoryStore::fits(const Entries::Place& place, const Effect& effect) const {
  return entries_.fits(place, effect.key->text(), effect.value.size(), {config_.value_bytes_max, config_.keys_max}, *config_.marks);
}

void MemoryStore::submit(Now now) {
  if (status_.failed || submitted_.index == status_.last_index) return;
  if (flush_) STATEFS_MARK_IN(*config_.marks, "store.commit_waits_for_flush");
  submitted_ = chain_.head();
  if (config_.durability == Durability::sync) {
    status_.completed_index = submitted_.index;
    flush_due_ = earlier_of(flush_due_, now.monotonic + config_.flush_interval);
  } else {
    wanted_index_ = submitted_.index;
  }
  advance(now);
}

void MemoryStore::set_flush(Durability durability, Duration interval, Duration delay) {
  config_.durability = durability;
  config_.flush_interval = interval;
  config_.flush_delay = delay;
}

void MemoryStore::request_flush(std::uint64_t index) { wanted_index_ = std::max(wanted_index_, index); }

void MemoryStore::begin_flush(Now now) {
  flush_ = Flush{submitted_, now.monotonic + config_.flush_delay};
  flush_due_ = never;
}

void MemoryStore::advance(Now now) {
  if (status_.failed) return;
  for (;;) {
    if (flush_ && flush_->done <= now.monotonic) {
      status_.durable_index = flush_->head.index;
      status_.durable_head = flush_->head;
      heads_.add(flush_->head);
      status_.completed_index = std::max(status_.completed_index, flush_->head.index);
      flush_.reset();
    }
    const bool behind = status_.durable_index < submitted_.index;
    if (flush_ || !behind || (wanted_index_ <= status_.durable_index && now.monotonic < flush_due_)) return;
    if (wanted_index_ <= status_.durable_index) STATEFS_MARK_IN(*config_.marks, "store.flushes_by_itself");
    begin_flush(now);
  }
}

Time MemoryStore::deadline() const {
  if (status_.failed) return never;
  return flush_ ? flush_->done : flush_due_;
}

std::size_t MemoryStore::export_audit(AuditSink& sink, std::size_t count_max) {
  std::size_t count = 0;
  Bytes entry;
  for (std::size_t at = 0; count < count_max && at < log_.size(); ++count) {
    at = log_.peek(at, entry);
    Reader reader(entry);
    const std::uint64_t index = reader.u64();
    const Digest hash = reader.array<32>();
    if (index > status_.durable_index || !sink.take(index, reader.rest(), hash)) break;
  }
  const std::size_t kept = count == 0 ? 0 : sink.kept(count);
  STATEFS_CHECK(kept <= count);
  for (std::size_t i = 0; i < kept; ++i) log_.pop();
  return kept;
}

}  // namespace statefs
