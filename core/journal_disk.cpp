// What the journal asks of its disk: cycles of writes with one flush, marks, snapshots.
#include <utility>

#include "core/check.h"
#include "core/journal.h"

namespace statefs {

namespace {

constexpr std::size_t snapshot_visits_max = 4096;  // entries looked at in one step

}  // namespace

std::optional<DiskRequest> Journal::next_request() {
  if (recovery_) return recovery_->next_request();
  if (out_.empty()) return std::nullopt;
  const DiskRequest request = out_.front();
  out_.pop_front();
  return request;
}

void Journal::completed(std::uint64_t id, bool ok, ByteView bytes) {
  if (recovery_) return recovery_->completed(id, ok, bytes);
  if (status_.failed) return;
  if (!ok) {
    STATEFS_MARK_IN(*config_.marks, "journal.disk_failed");
    return fail();
  }
  if (taking_ == Taking::writing && id == snapshot_->write_id) {
    taking_ = Taking::walking;
    if (!snapshot_->writer.done()) return;
    // What the walk has seen must be in the log that the snapshot is used with.
    taking_ = Taking::walked;
    snapshot_->end_index = appended_.head.index;
    wanted_index_ = std::max(wanted_index_, snapshot_->end_index);
    return;
  }
  STATEFS_CHECK(cycle_.open_count > 0);
  if (--cycle_.open_count == 0) end_cycle();
}

void Journal::add_request(DiskRequest::Kind kind, std::uint64_t offset, ByteView bytes) {
  out_.push_back({kind, ++last_id_, offset, bytes.size(), bytes});
  ++cycle_.open_count;
}

bool Journal::mark_stale() const {
  if (durable_.position == 0) return false;
  for (const auto& mark : marks_) {
    if (!mark || mark->durable != durable_ || mark->exported != queue_.cursor()) return true;
  }
  return false;
}

bool Journal::mark_due(Now now) {
  if (!mark_stale()) {
    mark_due_ = never;
    return false;
  }
  if (mark_due_ == never) mark_due_ = now.monotonic + config_.mark_interval;
  const bool behind = marked_cursor() < std::min(queue_.cursor().position, superblock_.start.position);
  if (behind && !log_has_room()) {
    STATEFS_MARK_IN(*config_.marks, "journal.marks_for_room");
    return true;
  }
  if (mark_due_ > now.monotonic) return false;
  STATEFS_MARK_IN(*config_.marks, "journal.idle_mark");
  return true;
}

bool Journal::cycle_due(Now now) {
  if (cycle_.open_count > 0) return false;
  if (!copies_.empty()) return true;
  if (taking_ == Taking::walked) {
    if (submitted_.head.index >= snapshot_->end_index) return true;
    STATEFS_MARK_IN(*config_.marks, "journal.snapshot_waits");
  }
  if (submitted_.position > durable_.position) {
    if (wanted_index_ > durable_.head.index) return true;
    if (flush_due_ <= now.monotonic) {
      STATEFS_MARK_IN(*config_.marks, "store.flushes_by_itself");
      return true;
    }
    if (tail_->pending_size() > config_.limits.pending_size / 2) {
      STATEFS_MARK_IN(*config_.marks, "journal.flushes_early");
      return true;
    }
  }
  return mark_due(now);
}

// Everything submitted, one mark of what was durable before, at most one superblock; and the flush behind them.
void Journal::begin_cycle() {
  cycle_ = {};
  cycle_.covers = submitted_;
  if (submitted_.position > durable_.position) {
    for (const LogTail::Piece& piece : tail_->take(submitted_.position)) {
      if (!piece.bytes.empty()) add_request(DiskRequest::Kind::write, piece.offset, piece.bytes);
    }
    flush_due_ = never;
  }
  if (ready_ && mark_stale()) add_mark();
  if (!copies_.empty()) {
    cycle_.superblock_copy = copies_.front();
    superblock_block_.clear();
    append_superblock(next_superblock_, superblock_block_);
    add_request(DiskRequest::Kind::write, Extent::superblock_offset(copies_.front()), superblock_block_.bytes());
  }
  cycle_.covers_snapshot = taking_ == Taking::walked && cycle_.covers.head.index >= snapshot_->end_index;
  flush_once_ = false;
  add_request(DiskRequest::Kind::flush, 0, {});
}

void Journal::add_mark() {
  const bool first_is_older = !marks_[0] || (marks_[1] && marks_[0]->sequence < marks_[1]->sequence);
  cycle_.mark_copy = first_is_older ? 0 : 1;
  cycle_.mark = Mark{superblock_.store, ++mark_sequence_, epoch_of(durable_.head.index), durable_, queue_.cursor()};
  mark_block_.clear();
  append_mark(*cycle_.mark, mark_block_);
  add_request(DiskRequest::Kind::write, Extent::mark_offset(cycle_.mark_copy), mark_block_.bytes());
  mark_due_ = never;
}

void Journal::end_cycle() {
  durable_ = cycle_.covers;
  if (cycle_.mark) {
    marks_[cycle_.mark_copy] = cycle_.mark;
    mark_cursors_[cycle_.mark_copy] = cycle_.mark->exported.position;
  }
  if (cycle_.superblock_copy) {
    copies_.pop_front();
    if (copies_.empty()) {
      superblock_ = next_superblock_;
      if (taking_ == Taking::naming) {
        STATEFS_MARK_IN(*config_.marks, "journal.snapshot_done");
        taking_ = Taking::nothing;
        snapshot_.reset();
      }
    }
  }
  if (cycle_.covers_snapshot) name_snapshot();
  if (phase_ == Phase::epoch && durable_.position == appended_.position) {
    phase_ = Phase::open;
    ready_ = true;
    status_.epoch = epoch_of(durable_.head.index);
    status_.last_index = durable_.head.index;
  }
  if (!ready_) return;
  status_.durable_index = durable_.head.index;
  status_.durable_head = durable_.head;
  heads_.add(durable_.head);
  status_.completed_index = std::max(status_.completed_index, durable_.head.index);
}

void Journal::step_snapshot() {
  if (taking_ == Taking::nothing && copies_.empty()) {
    const std::uint64_t log_size_max = std::min(superblock_.extent.ring_size / 2, config_.limits.snapshot_after);
    if (durable_.position - superblock_.start.position > log_size_max) begin_snapshot();
  }
  if (taking_ != Taking::walking) return;
  Snapshot& snapshot = *snapshot_;
  if (!snapshot.writer.step(state_, appended_.head.index, snapshot.chunk, snapshot_visits_max)) return;
  STATEFS_CHECK(snapshot.writer.size() <= superblock_.extent.slot_size);
  const std::uint64_t offset = superblock_.extent.slot_offset(snapshot.slot) + snapshot.writer.size() - snapshot.chunk.size();
  snapshot.write_id = ++last_id_;
  out_.push_back({DiskRequest::Kind::write, snapshot.write_id, offset, snapshot.chunk.size(), snapshot.chunk.bytes()});
  taking_ = Taking::writing;
}

void Journal::begin_snapshot() {
  STATEFS_MARK_IN(*config_.marks, "journal.snapshot_begins");
  const SnapshotName& before = superblock_.snapshot;
  const std::size_t chunk_max = chunk_size_max(config_.limits.snapshot_chunk_size, config_.limits.value_size_max);
  snapshot_.reset(new Snapshot{SnapshotWriter(superblock_.sequence + 1, durable_.head.index, config_.limits.snapshot_chunk_size),
                               BlockBuffer(chunk_max), durable_, 0, before.size == 0 ? 0u : 1 - before.slot, 0});
  taking_ = Taking::walking;
}

void Journal::name_snapshot() {
  const Snapshot& snapshot = *snapshot_;
  const SnapshotWriter& writer = snapshot.writer;
  next_superblock_ = superblock_;
  next_superblock_.sequence = writer.sequence();
  next_superblock_.snapshot = {snapshot.slot, writer.sum(), writer.size(), writer.entry_count()};
  next_superblock_.start = snapshot.start;
  next_superblock_.end_index = snapshot.end_index;
  copies_ = {0, 1};
  taking_ = Taking::naming;
}

}  // namespace statefs
