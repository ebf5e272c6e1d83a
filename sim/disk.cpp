#include "sim/disk.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/extent.h"

namespace statefs::sim {

namespace {

void put(Bytes& image, std::uint64_t offset, ByteView bytes) {
  std::copy(bytes.begin(), bytes.end(), image.begin() + static_cast<std::ptrdiff_t>(offset));
}

bool is_superblock(std::uint64_t offset) { return offset == Extent::superblock_offset(0) || offset == Extent::superblock_offset(1); }

}  // namespace

Disk::Disk(Schedule& schedule, RandomStream random, NodeId node, DiskOwner& owner, const DiskOptions& options)
    : schedule_(schedule),
      random_(random),
      node_(node),
      owner_(owner),
      options_(options),
      durable_(static_cast<std::size_t>(options.size)),
      visible_(durable_) {
  STATEFS_CHECK(options.size > 0 && options.size % disk_block_size == 0);
}

Disk::~Disk() {
  for (const Out& out : out_) schedule_.cancel(out.event);
}

void Disk::serve(DiskUser& user) {
  user_ = &user;
  while (const auto request = user.next_request()) {
    const bool moves = request->kind != DiskRequest::Kind::flush;
    STATEFS_CHECK(!moves || (request->size > 0 && request->offset % disk_block_size == 0 && request->size % disk_block_size == 0));
    STATEFS_CHECK(!moves || (request->offset <= durable_.size() && request->size <= durable_.size() - request->offset));
    STATEFS_CHECK(request->kind != DiskRequest::Kind::write || request->bytes.size() == request->size);
    for (const Out& other : out_) {
      const bool both_move = moves && other.request.kind != DiskRequest::Kind::flush;
      const bool both_read = request->kind == DiskRequest::Kind::read && other.request.kind == DiskRequest::Kind::read;
      const bool apart = request->offset + request->size <= other.request.offset || other.request.offset + other.request.size <= request->offset;
      STATEFS_CHECK(!both_move || both_read || apart);
    }
    if (request->kind == DiskRequest::Kind::write && is_superblock(request->offset)) ++naming_count_;
    Out& out = out_.emplace_back(Out{next_order_++, *request, !moves, 0});
    if (moves) arm(out);
  }
  arm_flushes();
}

void Disk::arm(Out& out) {
  const bool flushes = out.request.kind == DiskRequest::Kind::flush;
  const auto bound = static_cast<std::uint64_t>(flushes ? options_.flush_time.ns : options_.request_time.ns);
  const Duration takes = nanoseconds(static_cast<std::int64_t>(random_.between(0, bound)));
  out.waits = false;
  out.event = schedule_.at(schedule_.now() + takes, Event{this, node_, static_cast<std::uint32_t>(out.request.kind), out.order});
}

// A flush begins when all before it is done.
void Disk::arm_flushes() {
  if (!out_.empty() && out_.front().waits) arm(out_.front());
}

void Disk::fire(std::uint32_t, std::uint64_t argument) {
  const auto at = std::find_if(out_.begin(), out_.end(), [&](const Out& out) { return out.order == argument; });
  STATEFS_CHECK(at != out_.end() && user_ != nullptr);
  const Out out = *at;
  out_.erase(at);
  complete(out);
}

void Disk::complete(const Out& out) {
  const bool ok = perform(out);
  const bool reads = ok && out.request.kind == DiskRequest::Kind::read;
  const ByteView read = reads ? ByteView(visible_).subspan(static_cast<std::size_t>(out.request.offset), static_cast<std::size_t>(out.request.size))
                              : ByteView{};
  user_->completed(out.request.id, ok, read);
  serve(*user_);
  owner_.disk_completed();
}

bool Disk::perform(const Out& out) {
  switch (out.request.kind) {
    case DiskRequest::Kind::read: return !fails(out.request.kind, options_.read_error);
    case DiskRequest::Kind::write:
      // Nobody knows whether a write that failed was done.
      if (fails(out.request.kind, options_.write_error)) {
        keep_some_sectors({out.order, out.request.offset, Bytes(out.request.bytes.begin(), out.request.bytes.end())});
        return false;
      }
      write(out);
      return true;
    case DiskRequest::Kind::flush: break;
  }
  const auto covered = [&](const Write& each) { return each.order < out.order; };
  if (fails(out.request.kind, options_.flush_error)) {
    if (options_.forgets) std::erase_if(unflushed_, covered);  // they are in visible_ alone
    return false;
  }
  for (const Write& each : unflushed_) {
    if (covered(each)) put(durable_, each.offset, each.bytes);
  }
  std::erase_if(unflushed_, covered);
  return true;
}

bool Disk::fails(DiskRequest::Kind kind, Ratio ratio) {
  const bool armed = std::exchange(armed_[static_cast<std::size_t>(kind)], false);
  if (!armed && !random_.chance(ratio)) return false;
  owner_.disk_failed(kind);
  return true;
}

void Disk::mend() {
  armed_ = {};
  misdirects_ = false;
}

void Disk::write(const Out& out) {
  std::uint64_t offset = out.request.offset;
  if (std::exchange(misdirects_, false) || random_.chance(options_.misdirected)) {
    owner_.disk_misdirected();
    offset = random_.below((durable_.size() - out.request.size) / disk_block_size + 1) * disk_block_size;
  }
  put(visible_, offset, out.request.bytes);
  unflushed_.push_back({out.order, offset, Bytes(out.request.bytes.begin(), out.request.bytes.end())});
}

// Of a write that may or may not have been done, or that a crash caught in a cache.
void Disk::keep_some_sectors(const Write& write) {
  for (std::size_t from = 0; from < write.bytes.size(); from += disk_sector_size) {
    if (random_.below(2) == 0) continue;
    const ByteView sector = ByteView(write.bytes).subspan(from, disk_sector_size);
    put(visible_, write.offset + from, sector);
    unflushed_.push_back({write.order, write.offset + from, Bytes(sector.begin(), sector.end())});
  }
}

std::uint64_t Disk::sectors_of(const std::vector<Write>& writes) {
  std::uint64_t count = 0;
  for (const Write& each : writes) count += each.bytes.size() / disk_sector_size;
  return count;
}

void Disk::keep_one_sector(const std::vector<Write>& left, std::uint64_t which) {
  const std::uint64_t count = sectors_of(left);
  if (count == 0) return;
  which %= count;
  for (const Write& each : left) {
    const std::uint64_t sectors = each.bytes.size() / disk_sector_size;
    if (which < sectors) return put(visible_, each.offset + which * disk_sector_size,
                                    ByteView(each.bytes).subspan(static_cast<std::size_t>(which) * disk_sector_size, disk_sector_size));
    which -= sectors;
  }
}

void Disk::keep_all_but(const std::vector<Write>& left, std::uint64_t which) {
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (i != which % left.size()) put(visible_, left[i].offset, left[i].bytes);
  }
}

void Disk::crash(bool power_lost, DiskLoss loss, std::uint64_t which) {
  for (const Out& out : out_) {
    schedule_.cancel(out.event);
    if (out.request.kind != DiskRequest::Kind::write) continue;
    const Write caught{out.order, out.request.offset, Bytes(out.request.bytes.begin(), out.request.bytes.end())};
    if (!power_lost || loss == DiskLoss::some) keep_some_sectors(caught);
    else if (loss != DiskLoss::everything) unflushed_.push_back(caught);
  }
  out_.clear();
  user_ = nullptr;
  misdirects_ = false;  // of this life: what the next one does first may be what keeps its epoch its own
  if (!power_lost) return;
  std::vector<Write> left;
  left.swap(unflushed_);
  caught_ = {left.size(), sectors_of(left)};
  visible_ = durable_;
  if (loss == DiskLoss::nothing) {
    for (const Write& each : left) put(visible_, each.offset, each.bytes);
  } else if (loss == DiskLoss::some) {
    // Some crashes take most of it, some little.
    const Ratio whole{static_cast<std::uint32_t>(random_.below(5)), 4};
    for (const Write& each : left) {
      if (random_.chance(whole)) put(visible_, each.offset, each.bytes);
      else keep_some_sectors(each);
    }
    unflushed_.clear();
  } else if (loss == DiskLoss::one) {
    keep_one_sector(left, which);
  } else if (loss == DiskLoss::missing) {
    keep_all_but(left, which);
  }
  durable_ = visible_;
}

void Disk::set_times(Duration request_time, Duration flush_time) {
  options_.request_time = request_time;
  options_.flush_time = flush_time;
}

void Disk::rot(std::uint64_t offset, std::uint8_t bit) {
  STATEFS_CHECK(offset < durable_.size() && bit < 8);
  const auto mask = static_cast<std::uint8_t>(1u << bit);
  durable_[static_cast<std::size_t>(offset)] ^= mask;
  visible_[static_cast<std::size_t>(offset)] ^= mask;
}

void Disk::replace(ByteView image) {
  STATEFS_CHECK(out_.empty() && image.size() == durable_.size());
  unflushed_.clear();
  durable_.assign(image.begin(), image.end());
  visible_ = durable_;
}

}  // namespace statefs::sim
