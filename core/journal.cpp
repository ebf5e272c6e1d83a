#include "core/journal.h"

#include <utility>

#include "core/check.h"

namespace statefs {

namespace {

RecoveryConfig recovery_config(const JournalConfig& config, Marks* marks) {
  return {config.limits, config.node, config.fresh_store, !config.direct, marks};
}

}  // namespace

Journal::Journal(const JournalConfig& config, std::uint64_t extent_size)
    : config_(config),
      own_marks_(config.marks == nullptr ? std::make_unique<Marks>() : nullptr),
      queue_(0, {}),
      chain_(0, {}),
      mark_block_(disk_block_size),
      superblock_block_(disk_block_size) {
  if (config_.marks == nullptr) config_.marks = own_marks_.get();
  recovery_.emplace(recovery_config(config_, config_.marks), extent_size);
}

// What recovery has found is what the store goes on from, once it and both superblocks are durable.
void Journal::take_over() {
  recovery_report_ = recovery_->report();
  if (recovery_report_.found != Found::fresh && recovery_report_.found != Found::recovered) {
    STATEFS_MARK_IN(*config_.marks, "journal.refuses");
    recovery_.reset();
    phase_ = Phase::refused;
    return fail();
  }
  Recovery::Store found = std::move(recovery_->store());
  recovery_.reset();
  superblock_ = next_superblock_ = found.superblock;
  state_ = std::move(found.state);
  heads_ = std::move(found.heads);
  heads_.add(found.end.head);  // where the log is empty behind its snapshot
  queue_ = std::move(*found.queue);
  marks_ = found.marks;
  for (std::size_t copy = 0; copy < 2; ++copy) {
    mark_cursors_[copy] = marks_[copy] ? marks_[copy]->exported.position : queue_.cursor().position;
    if (marks_[copy]) mark_sequence_ = std::max(mark_sequence_, marks_[copy]->sequence);
  }
  appended_ = submitted_ = durable_ = found.end;
  chain_.follow(found.end.head);
  tail_.emplace(superblock_.extent, config_.limits.pending_size, found.end.position, found.partial);
  entry_limits_ = {config_.limits.value_bytes_max, config_.limits.keys_max, superblock_.extent.entries_footprint_max(config_.limits)};
  status_.id = superblock_.store;
  status_.epoch = epoch_of(found.end.head.index);
  status_.last_index = status_.completed_index = status_.durable_index = found.end.head.index;
  status_.durable_head = found.end.head;

  // First the copy that was believed, then the other: in between, one of them is whole on the disk itself.
  const std::uint32_t first = found.copy_is_newest[0] || !found.copy_is_newest[1] ? 0 : 1;
  for (const std::uint32_t copy : {first, 1 - first}) {
    if (!config_.direct || !found.copy_is_newest[copy]) copies_.push_back(copy);
  }
  if (!found.copy_is_newest[0] && !found.copy_is_newest[1]) STATEFS_MARK_IN(*config_.marks, "journal.formats");
  else if (!copies_.empty()) STATEFS_MARK_IN(*config_.marks, "journal.mends_superblock");
  flush_once_ = true;
  phase_ = Phase::superblocks;
}

void Journal::open_up(Now now) {
  STATEFS_CHECK(phase_ == Phase::superblocks);
  if (status_.epoch >= epoch_number_max) {
    recovery_report_.found = Found::unfit;
    phase_ = Phase::refused;
    return fail();
  }
  if (room_for(log_record_overhead_max, 0) && queue_.free_size() >= ExportQueue::entry_size_max) return begin_epoch(now);
  STATEFS_MARK_IN(*config_.marks, "journal.opens_read_only");
  phase_ = Phase::read_only;
  ready_ = true;
}

// The epoch is durable before the first answer in it: until then its record is in the log alone.
void Journal::begin_epoch(Now now) {
  const std::uint64_t number = epoch_of(appended_.head.index) + 1;
  AuditRecord record = epoch_record(number, config_.epoch_random, appended_.head, now);
  record.node = config_.node;
  state_.epochs.begin(number, config_.epoch_random, appended_.head);
  chain_ = AuditChain(first_index_of(number), appended_.head.hash);
  put(record, {}, {});
  submitted_ = appended_;
  phase_ = Phase::epoch;
  if (cycle_.open_count == 0) begin_cycle();
}

bool Journal::room_for(std::size_t log_size, std::size_t reserve) const {
  const std::uint64_t end = block_ceiling(tail_->position() + log_size + reserve);
  return end <= block_floor(trim_position()) + superblock_.extent.ring_size && tail_->free_size() >= log_size;
}

bool Journal::log_has_room() const {
  if (phase_ != Phase::open || status_.failed) return false;
  const std::size_t reserve = config_.limits.reserve_size;
  return room_for(record_size_max(config_.limits), reserve) && queue_.free_size() >= reserve + ExportQueue::entry_size_max;
}

bool Journal::has_space(const Entries::Place& place, const Effect& effect, const SlotChange& change, const Owner& owner) {
  if (change.kind == SlotChange::Kind::open) {
    const std::uint64_t shelf = state_.slots.shelves().contains(owner) ? 0 : SlotTable::shelf_footprint;
    if (state_.slots.footprint() + SlotTable::session_footprint + shelf > config_.limits.replay_bytes_max) {
      STATEFS_MARK_IN(*config_.marks, "journal.replay_memory_full");
      return false;
    }
  }
  if (effect.kind != Effect::Kind::put) return true;
  return state_.entries.fits(place, effect.key->text(), effect.value.size(), entry_limits_, *config_.marks);
}

Result<std::uint64_t, AppendError> Journal::append(AuditRecord& record, const Effect& effect, const SlotChange& change) {
  if (status_.failed) {
    STATEFS_MARK_IN(*config_.marks, "store.refuses_failed");
    return AppendError::failed;
  }
  // Never, which no export and no trimming changes.
  if (effect.value.size() > config_.limits.value_size_max) return AppendError::no_space;
  const std::size_t reserve = reserve_for(record.kind, config_.limits.reserve_size);
  const bool has_room = phase_ == Phase::open && room_for(log_record_overhead_max + effect.value.size(), reserve) &&
                        queue_.free_size() >= reserve + ExportQueue::entry_size_max;
  if (!has_room) {
    STATEFS_MARK_IN(*config_.marks, "store.log_full");
    return AppendError::log_full;
  }
  if (epoch_of(chain_.next_index()) != status_.epoch) {
    STATEFS_MARK_IN(*config_.marks, "journal.epoch_used_up");
    fail();
    return AppendError::failed;
  }
  STATEFS_CHECK(record.kind != AuditKind::epoch && (effect.kind == Effect::Kind::none || effect.key.has_value()));
  // The log has one copy of the key.
  STATEFS_CHECK(effect.kind == Effect::Kind::none || effect.key->text() == record.key);

  Entries::Place place;
  if (effect.key) {
    place = state_.entries.place(effect.key->text());
    record.old_revision = place.revision();
    record.new_revision = record.old_revision;
  }
  const Owner owner = owner_of(record.peer);
  if (!has_space(place, effect, change, owner)) return AppendError::no_space;
  if (effect.kind == Effect::Kind::put) record.new_revision = chain_.next_index();
  if (effect.kind == Effect::Kind::erase) record.new_revision = 0;
  record.epoch = status_.epoch;
  record.node = config_.node;
  put(record, effect, change);

  state_.entries.apply(place, effect, owner, record.index);
  state_.slots.apply(owner, change, record.index);
  status_.last_index = record.index;
  return record.index;
}

void Journal::put(AuditRecord& record, const Effect& effect, const SlotChange& change) {
  encoded_.clear();
  chain_.append(record, encoded_);
  LogRecord entry;
  entry.audit = encoded_;
  entry.effect = effect.kind;
  if (effect.kind == Effect::Kind::put) entry.value = effect.value;
  entry.change = change;
  const std::uint64_t before = tail_->position();
  append_log_record(entry, tail_->filling());
  appended_ = {chain_.head(), tail_->position()};
  const bool kept = queue_.push(appended_.head, appended_.position - before, encoded_);
  STATEFS_CHECK(kept);
}

void Journal::submit(Now now) {
  if (status_.failed || phase_ != Phase::open) return;
  if (submitted_.position == appended_.position) return;
  if (cycle_.open_count > 0) STATEFS_MARK_IN(*config_.marks, "store.commit_waits_for_flush");
  submitted_ = appended_;
  if (config_.durability == Durability::sync) {
    status_.completed_index = submitted_.head.index;
    flush_due_ = earlier_of(flush_due_, now.monotonic + config_.flush_interval);
  } else {
    wanted_index_ = submitted_.head.index;
  }
  advance(now);
}

void Journal::request_flush(std::uint64_t index) { wanted_index_ = std::max(wanted_index_, index); }

void Journal::advance(Now now) {
  if (status_.failed) return;
  if (phase_ == Phase::recovering) {
    if (!recovery_->done()) return;
    take_over();
    if (status_.failed) return;
  }
  if (phase_ == Phase::superblocks && cycle_.open_count == 0) {
    if (!copies_.empty() || flush_once_) return begin_cycle();
    open_up(now);
  }
  if (!ready_) return;
  if (phase_ == Phase::read_only && cycle_.open_count == 0 && room_for(log_record_overhead_max, 0) &&
      queue_.free_size() >= ExportQueue::entry_size_max) {
    STATEFS_MARK_IN(*config_.marks, "journal.leaves_read_only");
    begin_epoch(now);
  }
  step_snapshot();
  if (cycle_due(now)) begin_cycle();
}

Time Journal::deadline() const {
  if (status_.failed) return never;
  if (!ready_) return cycle_.open_count > 0 || (recovery_ && !recovery_->done()) ? never : Time{};
  if (taking_ == Taking::walking) return Time{};
  if (cycle_.open_count > 0) return never;
  return submitted_.position > durable_.position ? earlier_of(flush_due_, mark_due_) : mark_due_;
}

std::size_t Journal::export_audit(AuditSink& sink, std::size_t count_max) {
  return queue_.export_to(sink, status_.durable_index, count_max);
}

unsigned Journal::fill_percent() const {
  if (!ready_) return 0;
  const std::uint64_t log = (tail_->position() - trim_position()) * 100 / superblock_.extent.ring_size;
  const std::uint64_t memory = (queue_.capacity() - queue_.free_size()) * 100 / queue_.capacity();
  return static_cast<unsigned>(std::max(log, memory));
}

bool Journal::settled() const {
  return ready_ && cycle_.open_count == 0 && taking_ == Taking::nothing && copies_.empty() && durable_ == appended_ &&
         !mark_stale();
}

void Journal::fail() {
  status_.failed = true;
  out_.clear();
}

}  // namespace statefs
