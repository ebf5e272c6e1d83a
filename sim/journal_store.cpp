#include "sim/journal_store.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/check.h"
#include "core/export_queue.h"
#include "core/extent.h"
#include "core/log_record.h"
#include "core/superblock.h"

namespace statefs::sim {
namespace {

DiskOptions with_size(DiskOptions options, const JournalLimits& limits) {
  if (options.size == 0) options.size = JournalStore::extent_size_for(limits);
  return options;
}

}  // namespace

// The smallest in which a full store's snapshot fits: a search, because the log's share grows with the extent.
std::uint64_t JournalStore::extent_size_for(const JournalLimits& limits) {
  const std::uint64_t wanted = limits.replay_bytes_max + limits.value_bytes_max + limits.keys_max * (Entries::entry_overhead + limits::key_size_max) +
                               epochs_item_size_max + limits.value_size_max;
  for (std::uint64_t size = 256 * 1024;; size += size / 8 / disk_block_size * disk_block_size) {
    const auto extent = Extent::plan(size, limits);
    STATEFS_CHECK(extent.ok() || extent.error() == ExtentError::too_small);
    if (extent.ok() && extent.value().snapshot_items_max(limits) >= wanted) return size;
  }
}

JournalStore::JournalStore(const Ground& ground, NodeId node, const JournalStoreConfig& config, DiskOwner& owner, Now now)
    : ground_(ground),
      node_(node),
      config_(config),
      owner_(owner),
      epochs_(ground.random.stream("epoch/" + std::to_string(node))),
      disk_(ground.schedule, ground.random.stream("disk/" + std::to_string(node)), node, *this, with_size(config.disk, config.journal.limits)) {
  reopen(now);
}

void JournalStore::reopen(Now now) {
  config_.journal.epoch_random = epochs_.next();
  journal_.emplace(config_.journal, disk_.visible().size());
  was_ready_ = has_failed_ = false;
  was_astray_ |= std::exchange(is_astray_, false);  // what goes astray from here on is missing after the next crash, not this one
  unwritten_.clear();
  unwritten_size_ = 0;
  advance(now);
}

Result<std::uint64_t, AppendError> JournalStore::append(AuditRecord& record, const Effect& effect, const SlotChange& change) {
  auto appended = journal_->append(record, effect, change);
  if (!appended.ok()) {
    note();
    return appended;
  }
  encoded_.clear();
  encode_audit(record, encoded_);
  trace_append(ground_.trace, node_, record, encoded_, effect, entry_);
  last_index_ = record.index;
  unwritten_.emplace_back(record.index, log_record_overhead_max + effect.value.size());
  unwritten_size_ += unwritten_.back().second;
  note();
  return appended;
}

void JournalStore::submit(Now now) {
  journal_->submit(now);
  disk_.serve(*journal_);
  note();
}

void JournalStore::advance(Now now) {
  journal_->advance(now);
  disk_.serve(*journal_);
  note();
}

void JournalStore::disk_completed() {
  note();
  owner_.disk_completed();
}

bool JournalStore::refused() const { return journal_ && journal_->refused() && journal_->report().found != Found::unreadable; }

std::size_t JournalStore::volatile_count() const {
  const StoreStatus& status = journal_->status();
  return static_cast<std::size_t>(status.last_index - std::min(status.last_index, status.durable_index));
}

bool JournalStore::misdirect() {
  if (!ready()) return false;
  const auto says = [this](std::uint32_t copy) {
    const auto mark = decode_mark(disk_.durable().subspan(static_cast<std::size_t>(Extent::mark_offset(copy)), disk_block_size));
    return mark.ok() && epoch_of(mark.value().durable.head.index) == status().epoch;
  };
  if (!says(0) && !says(1)) return false;
  disk_.misdirect_next();
  return true;
}

void JournalStore::disk_misdirected() {
  is_astray_ = true;
  owner_.disk_misdirected();
}

std::optional<JournalStore::Copy> JournalStore::copy() const {
  if (!ready()) return std::nullopt;
  return Copy{status().epoch, Bytes(disk_.durable().begin(), disk_.durable().end())};
}

void JournalStore::put_in(const Copy& copy) {
  disk_.replace(copy.image);
  is_astray_ = true;
}

void JournalStore::crash(std::int64_t amount) {
  constexpr std::int64_t drawn_max = 5, process_alone = 6, but_one = -1'000;
  if (amount == 0) disk_.crash(true, DiskLoss::everything);
  else if (amount <= but_one) disk_.crash(true, DiskLoss::missing, static_cast<std::uint64_t>(but_one - amount));
  else if (amount < 0) disk_.crash(true, DiskLoss::one, static_cast<std::uint64_t>(-(amount + 1)));
  else if (amount == process_alone) disk_.crash(false, DiskLoss::some);
  else disk_.crash(true, amount <= drawn_max ? DiskLoss::some : DiskLoss::nothing);
  journal_.reset();
}

void JournalStore::fail() {
  for (const auto kind : {DiskRequest::Kind::read, DiskRequest::Kind::write, DiskRequest::Kind::flush}) disk_.fail_next(kind);
}

void JournalStore::note() {
  const StoreStatus& status = journal_->status();
  if (status.failed && !has_failed_) {
    has_failed_ = true;
    const RecoveryReport& report = journal_->report();
    const Bytes what{static_cast<std::uint8_t>(report.found), static_cast<std::uint8_t>(report.damage)};
    ground_.trace.add(node_, refused() ? TraceKind::store_refused : TraceKind::store_failed, report.place, what);
  }
  if (!journal_->ready()) return;
  if (!was_ready_) {
    note_recovered();
    fill_ = ~std::uint64_t{0};  // it may be fuller than it was, so it is said anew
  }
  if (status.durable_index != durable_index_) {
    durable_index_ = status.durable_index;
    for (; !unwritten_.empty() && unwritten_.front().first <= durable_index_; unwritten_.pop_front()) unwritten_size_ -= unwritten_.front().second;
    ground_.trace.add(node_, TraceKind::durable, durable_index_);
    if (is_at_edge()) ++edge_count_;
  }
  note_fill();
}

// An epoch that was never told may lie between the one that the trace knows and this one; so where that one ended counts, not the
// last record that recovery found.
void JournalStore::note_recovered() {
  was_ready_ = true;
  const std::uint64_t known = epoch_of(durable_index_);
  lost_count_ = 0;
  if (known == 0) return;
  std::uint64_t kept = journal_->report().last.index;
  const Epoch* const last = journal_->epochs().find(known);
  if (last != nullptr && last->last.index != 0) kept = last->last.index;
  if (last_index_ > kept) lost_count_ = static_cast<std::size_t>(last_index_ - std::max(kept, durable_index_));
  ground_.trace.add(node_, TraceKind::store_lost, kept, was_astray_ ? Bytes{1} : Bytes{});
  was_astray_ = false;
  last_index_ = kept;
  entry_.clear();
  Writer writer(entry_);
  std::string after;
  for (auto entry = next(after, true); entry; entry = next(after, false)) {
    after = entry->key;
    const auto found = find(CanonicalKey::from(as_bytes(after)).value());
    writer.u16(static_cast<std::uint16_t>(after.size()));
    writer.bytes(as_bytes(after));
    writer.u64(entry->revision);
    writer.u64(hash_bytes(found->value));
  }
  ground_.trace.add(node_, TraceKind::recovered, kept, entry_);
}

bool JournalStore::is_at_edge() const {
  if (status().durable_index != status().last_index || journal_->log_end() % disk_block_size != 0) return false;
  return decode_log_record(disk_.visible().subspan(static_cast<std::size_t>(journal_->extent().log_offset(journal_->log_end())))).ok();
}

std::uint64_t JournalStore::value_size_to_edge(std::string_view alias, std::string_view key) const {
  if (!ready()) return 0;
  AuditRecord record;
  record.peer.kind = PeerKind::remote;
  record.peer.alias = alias;
  Sha256 sha;
  set_audit_key(record, as_bytes(key), sha);
  Bytes audit;
  encode_audit(record, audit);
  SlotChange use;
  use.kind = SlotChange::Kind::use;
  const std::uint64_t end = journal_->log_end() + log_record_size({audit, Effect::Kind::put, {}, use});
  return disk_block_size - 1 - (end - 1) % disk_block_size;
}

// Whether a record of the largest size may find no room: in the log, in memory until it is written, or for its export. What the
// journal says of itself is rounded down to whole percents.
bool JournalStore::is_tight() const {
  const JournalLimits& limits = config_.journal.limits;
  const std::uint64_t percent = journal_->fill_percent() + 1, ring = journal_->extent().ring_size, record = record_size_max(limits);
  const std::uint64_t log = ring * percent / 100 + record + limits.reserve_size + 2 * disk_block_size;
  const std::uint64_t queue = limits.audit_ring_size * percent / 100 + limits.reserve_size + ExportQueue::entry_size_max;
  return log > ring || queue > limits.audit_ring_size || unwritten_size_ + record + 2 * disk_block_size > limits.pending_size;
}

void JournalStore::note_fill() {
  const std::uint64_t fill = is_tight() ? 1 : 0;
  if (fill == fill_) return;
  fill_ = fill;
  ground_.trace.add(node_, TraceKind::log_fill, fill);
}

// What is not rewritten by itself and not only above the marks, whose loss nobody could tell from a crash: a superblock, a
// mark, the snapshot that is named, or the log between that and the older mark.
void JournalStore::rot(std::uint64_t number) {
  STATEFS_CHECK(!journal_);
  RandomStream random(number, "rot");
  const auto block = [this](std::uint64_t offset) { return disk_.durable().subspan(static_cast<std::size_t>(offset), disk_block_size); };
  const auto copy = static_cast<std::uint32_t>(random.below(2));
  const std::array superblocks{decode_superblock(block(Extent::superblock_offset(0))), decode_superblock(block(Extent::superblock_offset(1)))};
  const std::array marks{decode_mark(block(Extent::mark_offset(0))), decode_mark(block(Extent::mark_offset(1)))};
  const std::uint64_t kind = random.below(6);
  std::uint64_t offset = kind == 0 ? Extent::superblock_offset(copy) + random.below(240) : Extent::mark_offset(copy) + random.below(168);
  const bool is_whole = superblocks[0].ok() && superblocks[1].ok() && marks[0].ok() && marks[1].ok();
  if (kind >= 2 && is_whole) {
    const bool first = superblocks[0].value().sequence >= superblocks[1].value().sequence;
    const Superblock& named = first ? superblocks[0].value() : superblocks[1].value();
    const std::uint64_t from = named.start.position, to = std::min(marks[0].value().durable.position, marks[1].value().durable.position);
    if (kind == 2 && named.snapshot.size > 0) offset = named.extent.slot_offset(named.snapshot.slot) + random.below(named.snapshot.size);
    if (kind > 2 && to > from) offset = named.extent.log_offset(from + random.below(to - from));
  }
  disk_.rot(offset, static_cast<std::uint8_t>(random.below(8)));
}

}  // namespace statefs::sim
