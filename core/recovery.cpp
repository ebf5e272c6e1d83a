#include "core/recovery.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace statefs {

namespace {

bool zeros(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool damaged(HeadError error) { return error == HeadError::damaged; }

}  // namespace

Recovery::Recovery(const RecoveryConfig& config, std::uint64_t extent_size)
    : config_(config), extent_size_(block_floor(extent_size)), piece_(std::max<std::size_t>(config.limits.read_size, Extent::head_size)) {
  const auto plan = Extent::plan(extent_size_, config_.limits);
  if (extent_size_ < Extent::head_size || (!plan.ok() && plan.error() == ExtentError::limits)) refuse(Misfit::extent);
  STATEFS_CHECK(!looks() || !config_.write_back);
  plan_read();
}

Recovery::Store& Recovery::seen() {
  STATEFS_CHECK(looks() && done());
  return store_;
}

Recovery::Store& Recovery::store() {
  STATEFS_CHECK(report_.found == Found::fresh || report_.found == Found::recovered);
  return store_;
}

void Recovery::refuse(Found found, Damage damage, std::uint64_t place) {
  report_.found = found;
  report_.damage = damage;
  report_.place = place;
  report_.last = store_.end.head;
  // What a look was for is what was whole before: chunks of a snapshot have each its checksum.
  if (!looks())
    store_ = {};
  else if (snapshot_)
    store_.state = std::move(snapshot_->state());
  snapshot_.reset();
}

void Recovery::refuse(Misfit misfit) {
  report_.misfit = misfit;
  refuse(Found::unfit, Damage::none, 0);
}

std::optional<DiskRequest> Recovery::next_request() {
  if (waiting_ || !out_) return std::nullopt;
  waiting_ = true;
  return std::exchange(out_, std::nullopt);
}

// The head; an empty extent and a snapshot from their start; the log from where it begins, once round.
void Recovery::plan_read() {
  if (done()) return;
  const Extent& extent = store_.superblock.extent;
  std::uint64_t offset = 0;
  std::uint64_t size = config_.limits.read_size;
  switch (stage_) {
    case Stage::head: size = Extent::head_size; break;
    case Stage::zeros:
      offset = place_;
      size = std::min(size, extent.size() - place_);
      break;
    case Stage::snapshot:
      offset = extent.slot_offset(store_.superblock.snapshot.slot) + place_;
      size = std::min(size, store_.superblock.snapshot.size - place_);
      break;
    case Stage::log:
      offset = extent.log_offset(place_);
      size = std::min({size, std::min(extent.size(), extent_size_) - offset, log_begin_ + extent.ring_size - place_});
      break;
  }
  STATEFS_CHECK(size > 0 && offset + size <= extent_size_);
  read_ = {DiskRequest::Kind::read, ++last_id_, offset, size, {}};
  out_ = read_;
}

void Recovery::completed(std::uint64_t id, bool ok, ByteView bytes) {
  STATEFS_CHECK(waiting_ && id == last_id_);
  waiting_ = false;
  if (!ok) {
    if (config_.marks != nullptr) STATEFS_MARK_IN(*config_.marks, "recovery.unreadable");
    refuse(Found::unreadable, Damage::none, read_.offset);
    return;
  }
  const bool was_read = id == read_.id;
  STATEFS_CHECK(!was_read || bytes.size() == read_.size);
  if (was_read && config_.write_back && (stage_ == Stage::snapshot || stage_ == Stage::log)) {
    piece_.clear();
    piece_.append(bytes);
    out_ = DiskRequest{DiskRequest::Kind::write, ++last_id_, read_.offset, read_.size, piece_.bytes()};
    return;
  }
  digest(was_read ? bytes : piece_.bytes());
  plan_read();
}

void Recovery::digest(ByteView bytes) {
  switch (stage_) {
    case Stage::head: read_head(bytes); return;
    case Stage::zeros: read_zeros(bytes); return;
    case Stage::snapshot:
      unread_.insert(unread_.end(), bytes.begin(), bytes.end());
      place_ += bytes.size();
      read_snapshot();
      return;
    case Stage::log:
      unread_.insert(unread_.end(), bytes.begin(), bytes.end());
      place_ += bytes.size();
      read_log();
      return;
  }
  STATEFS_CHECK(false);
}

void Recovery::read_head(ByteView bytes) {
  if (!choose_superblock(bytes)) return;
  const Superblock& superblock = store_.superblock;
  if (config_.node && superblock.node != *config_.node) return refuse(Found::foreign, Damage::none, 0);
  if (is_truncated() && !looks()) return refuse(Found::corrupt, Damage::truncated, extent_size_);
  if (!looks() && !superblock.extent.admits(config_.limits).ok()) return refuse(Misfit::extent);
  if (!choose_mark(bytes)) return;
  if (superblock.snapshot.size == 0 || log_alone()) return begin_log();
  if (superblock.extent.slot_offset(superblock.snapshot.slot) + superblock.snapshot.size > extent_size_) {
    return refuse(Found::corrupt, Damage::truncated, extent_size_);
  }
  stage_ = Stage::snapshot;
  place_ = 0;
  snapshot_.emplace(superblock.sequence, superblock.start.head.index);
}

bool Recovery::choose_superblock(ByteView bytes) {
  const auto block = [bytes](std::uint32_t copy) { return bytes.subspan(Extent::superblock_offset(copy), disk_block_size); };
  const std::array found = {decode_superblock(block(0)), decode_superblock(block(1))};
  if (!found[0].ok() && !found[1].ok()) {
    if (zeros(bytes)) begin_fresh();
    else refuse(Found::foreign, Damage::none, damaged(found[0].error()) ? Extent::superblock_offset(0) : Extent::superblock_offset(1));
    return false;
  }
  std::size_t newest = found[0].ok() ? 0 : 1;
  if (found[0].ok() && found[1].ok()) {
    const Superblock& first = found[0].value();
    const Superblock& second = found[1].value();
    const bool same_store = first.store == second.store && first.node == second.node && first.extent == second.extent;
    if (!same_store || (first.sequence == second.sequence && first != second)) {
      refuse(Found::corrupt, Damage::superblocks, Extent::superblock_offset(1));
      return false;
    }
    newest = first.sequence >= second.sequence ? 0 : 1;
  }
  store_.superblock = found[newest].value();
  for (std::size_t copy = 0; copy < 2; ++copy) {
    store_.copy_is_newest[copy] = found[copy].ok() && found[copy].value() == store_.superblock;
    if (!store_.copy_is_newest[copy] && config_.marks != nullptr) STATEFS_MARK_IN(*config_.marks, "recovery.superblocks_differ");
  }
  return true;
}

// A mark of another store is no mark. One that is damaged is made up for by the other, which is older at most by one; with
// neither, nothing says how far the log must reach, unless there is a store too young to have been marked.
bool Recovery::choose_mark(ByteView bytes) {
  std::size_t damaged_count = 0;
  std::size_t valid_count = 0;
  for (std::uint32_t copy = 0; copy < 2; ++copy) {
    const auto mark = decode_mark(bytes.subspan(Extent::mark_offset(copy), disk_block_size));
    if (mark.ok() && mark.value().store == store_.superblock.store) {
      store_.marks[copy] = mark.value();
      ++valid_count;
    } else if (mark.ok() || damaged(mark.error())) {
      ++damaged_count;
    }
  }
  const bool needed = !looks() || !config_.look->without_marks;
  if (needed && valid_count == 0 && (damaged_count == 2 || store_.superblock.snapshot.size > 0)) {
    refuse(Found::corrupt, Damage::marks, Extent::mark_offset(0));
    return false;
  }
  if (damaged_count > 0 && config_.marks != nullptr) STATEFS_MARK_IN(*config_.marks, "recovery.mark_damaged");
  return true;
}

void Recovery::begin_fresh() {
  const auto plan = Extent::plan(extent_size_, config_.limits);
  if (!plan.ok() && !looks()) return refuse(Misfit::extent);
  store_.superblock.store = config_.fresh_store;
  store_.superblock.node = config_.node.value_or(PublicKey{});
  store_.superblock.extent = plan.ok() ? plan.value() : Extent{0, extent_size_ - Extent::head_size};
  store_.superblock.sequence = 1;
  stage_ = Stage::zeros;
  place_ = Extent::head_size;
  if (place_ >= store_.superblock.extent.size()) read_zeros({});
}

void Recovery::read_zeros(ByteView bytes) {
  if (!zeros(bytes)) return refuse(Found::foreign, Damage::none, place_);
  place_ += bytes.size();
  if (place_ < store_.superblock.extent.size()) return;
  store_.queue.emplace(config_.limits.audit_ring_size, LogPoint{});
  report_.found = Found::fresh;
}

void Recovery::read_snapshot() {
  const Superblock& superblock = store_.superblock;
  const std::uint64_t slot = superblock.extent.slot_offset(superblock.snapshot.slot);
  std::size_t used = 0;
  while (used < unread_.size()) {
    const std::uint64_t place = slot + place_ - (unread_.size() - used);
    const auto taken = snapshot_->take(ByteView(unread_).subspan(used));
    if (!taken.ok()) {
      const bool more = place_ < superblock.snapshot.size;
      if (taken.error() == SnapshotError::incomplete && more) break;
      return refuse(Found::corrupt, Damage::snapshot, place);
    }
    used += taken.value();
  }
  unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(used));
  if (place_ < superblock.snapshot.size) return;
  const SnapshotName& name = superblock.snapshot;
  if (!snapshot_->done() || snapshot_->sum() != name.sum || snapshot_->entry_count() != name.entry_count) {
    return refuse(Found::corrupt, Damage::snapshot, slot);
  }
  store_.state = std::move(snapshot_->state());
  snapshot_.reset();
  begin_log();
}

// From S, or from the export cursor where that is behind S: what lies between goes to the exporter only.
void Recovery::begin_log() {
  const LogPoint& snapshot = store_.superblock.start;
  LogPoint exported;
  required_index_ = store_.superblock.end_index;
  points_ = {snapshot};
  std::uint64_t newest = 0;
  for (const auto& mark : store_.marks) {
    if (!mark) continue;
    points_.push_back(mark->durable);
    required_index_ = std::max(required_index_, mark->durable.head.index);
    if (mark->sequence < newest) continue;
    newest = mark->sequence;
    exported = mark->exported;
  }
  points_.push_back(exported);
  store_.queue.emplace(looks() ? 0 : config_.limits.audit_ring_size, exported);
  // Without a mark nothing says where the log that is still there begins but the snapshot.
  LogPoint start = newest > 0 && exported.position < snapshot.position ? exported : snapshot;
  if (looks() && config_.look->from && config_.look->from->position > start.position) start = *config_.look->from;
  store_.end = start;
  report_.before = start.head;
  report_.required_index = required_index_;
  std::erase_if(points_, [&start](const LogPoint& point) { return point.position < start.position; });
  std::sort(points_.begin(), points_.end(), [](const LogPoint& a, const LogPoint& b) { return a.position < b.position; });
  stage_ = Stage::log;
  log_begin_ = block_floor(start.position);
  place_ = log_begin_;
  unread_.clear();
  if (store_.superblock.extent.log_offset(place_) >= extent_size_) refuse(Found::corrupt, Damage::truncated, extent_size_);
}

void Recovery::read_log() {
  const std::uint64_t unread_begin = place_ - unread_.size();
  const Extent& extent = store_.superblock.extent;
  const bool all_read = place_ >= log_begin_ + extent.ring_size || extent.log_offset(place_) >= extent_size_;
  bool ended = false;
  while (!ended) {
    if (shown_enough()) return end_log();
    const auto decoded = decode_log_record(ByteView(unread_).subspan(store_.end.position - unread_begin));
    if (!decoded.ok() && decoded.error() == LogRecordError::incomplete && !all_read) break;
    ended = !decoded.ok() || !follows(decoded.value().audit, store_.end.head);
    if (!ended && !take_record(decoded.value())) return;
  }
  if (ended) return end_log();
  // The block of the last record's end stays: the log goes on in it.
  const std::uint64_t keep = block_floor(store_.end.position);
  unread_.erase(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(keep - unread_begin));
}

// False where the whole record is not what the store says of itself.
bool Recovery::take_record(const DecodedRecord& decoded) {
  const std::uint64_t place = store_.superblock.extent.log_offset(store_.end.position);
  // The places that were behind or at the last record must have been this place.
  while (!points_.empty() && points_.front().position <= store_.end.position) {
    if (points_.front() != store_.end) {
      refuse(Found::corrupt, Damage::log, place);
      return false;
    }
    points_.erase(points_.begin());
  }
  if (!log_alone() && !store_.state.replay(decoded)) {
    refuse(Found::corrupt, Damage::change, place);
    return false;
  }
  store_.end = {{decoded.audit.index, sha_.of(decoded.record.audit)}, store_.end.position + decoded.size};
  store_.heads.add(store_.end.head);
  ++report_.record_count;
  if (looks()) {
    if (config_.look->visitor != nullptr) config_.look->visitor->visit(decoded, store_.end.head, place);
    return true;
  }
  if (decoded.audit.index <= store_.queue->cursor().head.index) return true;
  store_.queue->restore(store_.end.head, decoded.size, decoded.record.audit);
  return true;
}

// Whether a snapshot with the limits of today can hold it all: those of the past may have been higher.
Misfit Recovery::over_limits() const {
  const Entries& entries = store_.state.entries;
  if (store_.state.slots.footprint() > config_.limits.replay_bytes_max) return Misfit::sessions;
  if (entries.footprint() > store_.superblock.extent.entries_footprint_max(config_.limits)) return Misfit::entries;
  const bool fit = std::all_of(entries.map().begin(), entries.map().end(),
                               [this](const auto& each) { return each.second.value.size() <= config_.limits.value_size_max; });
  return fit ? Misfit::none : Misfit::value;
}

bool Recovery::shown_enough() const { return looks() && config_.look->durable_alone && store_.end.head.index >= required_index_; }

void Recovery::end_log() {
  const Superblock& superblock = store_.superblock;
  const std::uint64_t position = store_.end.position;
  const std::uint64_t place = superblock.extent.log_offset(position);
  if (is_truncated()) return refuse(Found::corrupt, Damage::truncated, extent_size_);
  const bool passed = std::all_of(points_.begin(), points_.end(), [this](const LogPoint& point) { return point == store_.end; });
  if (!passed || store_.end.head.index < required_index_) return refuse(Found::corrupt, Damage::log, place);

  const Misfit misfit = looks() ? Misfit::none : over_limits();
  if (misfit != Misfit::none) return refuse(misfit);

  const std::uint64_t unread_begin = place_ - unread_.size();
  const std::size_t partial_begin = block_floor(position) - unread_begin;
  const std::size_t partial_end = position - unread_begin;
  store_.partial.assign(unread_.begin() + static_cast<std::ptrdiff_t>(partial_begin), unread_.begin() + static_cast<std::ptrdiff_t>(partial_end));
  const ByteView rest = ByteView(unread_).subspan(partial_end);
  const ByteView block = rest.first(std::min<std::size_t>(rest.size(), block_floor(position) + disk_block_size - position));
  const auto last = std::find_if(block.rbegin(), block.rend(), [](std::uint8_t byte) { return byte != 0; });
  report_.last = store_.end.head;
  report_.cut_place = place;
  // Where a look ended early, what follows is records.
  report_.cut_size = shown_enough() ? 0 : static_cast<std::uint64_t>(block.rend() - last);
  if (report_.cut_size > 0 && config_.marks != nullptr) STATEFS_MARK_IN(*config_.marks, "recovery.cut");
  unread_ = {};
  store_.state.snapshot_index = 0;
  store_.state.shelves_as_of.clear();
  report_.found = position == 0 ? Found::fresh : Found::recovered;
}

}  // namespace statefs
