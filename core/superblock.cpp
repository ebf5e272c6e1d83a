#include "core/superblock.h"

#include <algorithm>

#include "core/check.h"
#include "core/crc32c.h"
#include "core/snapshot.h"

namespace statefs {

namespace {

constexpr std::uint32_t version = 1;
constexpr std::string_view superblock_magic = "statefs journal\n";
constexpr std::string_view mark_magic = "statefs mark   \n";
constexpr std::size_t superblock_size = 4 + 4 + 16 + 16 + 32 + 3 * 8 + 4 + 4 + 8 + 8 + (8 + 32 + 8) + 8 + 64;
constexpr std::size_t mark_size = 4 + 4 + 16 + 16 + 8 + 8 + 2 * (8 + 32 + 8) + 16;
static_assert(superblock_size <= disk_sector_size && mark_size <= disk_sector_size, "a sector is old or new, never mixed");
static_assert(superblock_magic.size() == 16 && mark_magic.size() == 16);

void put_point(const LogPoint& point, BlockBuffer& out) {
  out.u64(point.head.index);
  out.append(point.head.hash);
  out.u64(point.position);
}
LogPoint take_point(Reader& in) {
  LogPoint point;
  point.head.index = in.u64();
  point.head.hash = in.array<32>();
  point.position = in.u64();
  return point;
}

// No record is before the beginning, and every other place is after one.
bool possible(const LogPoint& point) {
  if (point.position == 0) return point == LogPoint{};
  return point.head.index != 0 && point.position <= std::uint64_t{1} << 62;
}
bool in_order(const LogPoint& first, const LogPoint& second) {
  if (first.position == second.position) return first == second;
  return first.position < second.position && first.head.index < second.head.index;
}

void close(std::size_t start, std::size_t size, BlockBuffer& out) {
  store_le<std::uint32_t>(out.at(start), crc32c(out.bytes().subspan(start + 4, size - 4)));
  out.pad();
}

bool zeros(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// The part of a block after its checksum and version, where those and the magic are right and the rest is zero.
Result<Reader, HeadError> open(ByteView block, std::size_t size, std::string_view magic) {
  if (zeros(block)) return HeadError::absent;
  Reader in(block.first(std::min(size, block.size())));
  const std::uint32_t crc = in.u32();
  const ByteView covered = in.rest();
  if (block.size() != disk_block_size || crc32c(covered) != crc || in.u32() != version) return HeadError::damaged;
  if (as_text(in.take(16)) != magic || !zeros(block.subspan(size))) return HeadError::damaged;
  return in;
}

bool possible(const Superblock& block) {
  const SnapshotName& snapshot = block.snapshot;
  if (!block.extent.possible() || block.sequence == 0 || !possible(block.start) || snapshot.slot > 1) return false;
  if (snapshot.size == 0) return snapshot == SnapshotName{} && block.start == LogPoint{} && block.end_index == 0;
  return snapshot.size <= block.extent.slot_size && snapshot.size % disk_block_size == 0 && block.start.position != 0 &&
         block.end_index >= block.start.head.index;
}

}  // namespace

void append_superblock(const Superblock& superblock, BlockBuffer& out) {
  STATEFS_CHECK(possible(superblock));
  const std::size_t start = out.size();
  out.u32(0);
  out.u32(version);
  out.append(as_bytes(superblock_magic));
  out.append(superblock.store);
  out.append(superblock.node.bytes);
  out.u64(superblock.extent.slot_size);
  out.u64(superblock.extent.ring_size);
  out.u64(superblock.sequence);
  out.u32(superblock.snapshot.slot);
  out.u32(superblock.snapshot.sum);
  out.u64(superblock.snapshot.size);
  out.u64(superblock.snapshot.entry_count);
  put_point(superblock.start, out);
  out.u64(superblock.end_index);
  out.zeros(64);
  close(start, superblock_size, out);
}

Result<Superblock, HeadError> decode_superblock(ByteView block) {
  auto opened = open(block, superblock_size, superblock_magic);
  if (!opened.ok()) return opened.error();
  Reader& in = opened.value();
  Superblock superblock;
  superblock.store = in.array<16>();
  superblock.node.bytes = in.array<32>();
  superblock.extent.slot_size = in.u64();
  superblock.extent.ring_size = in.u64();
  superblock.sequence = in.u64();
  superblock.snapshot.slot = in.u32();
  superblock.snapshot.sum = in.u32();
  superblock.snapshot.size = in.u64();
  superblock.snapshot.entry_count = in.u64();
  superblock.start = take_point(in);
  superblock.end_index = in.u64();
  if (!zeros(in.take(64)) || !in.at_end() || !possible(superblock)) return HeadError::damaged;
  return superblock;
}

void append_mark(const Mark& mark, BlockBuffer& out) {
  STATEFS_CHECK(possible(mark.durable) && possible(mark.exported) && in_order(mark.exported, mark.durable));
  const std::size_t start = out.size();
  out.u32(0);
  out.u32(version);
  out.append(as_bytes(mark_magic));
  out.append(mark.store);
  out.u64(mark.sequence);
  out.u64(mark.epoch);
  put_point(mark.durable, out);
  put_point(mark.exported, out);
  out.zeros(16);
  close(start, mark_size, out);
}

Result<Mark, HeadError> decode_mark(ByteView block) {
  auto opened = open(block, mark_size, mark_magic);
  if (!opened.ok()) return opened.error();
  Reader& in = opened.value();
  Mark mark;
  mark.store = in.array<16>();
  mark.sequence = in.u64();
  mark.epoch = in.u64();
  mark.durable = take_point(in);
  mark.exported = take_point(in);
  const bool agrees = possible(mark.durable) && possible(mark.exported) && in_order(mark.exported, mark.durable);
  if (!zeros(in.take(16)) || !in.at_end() || mark.sequence == 0 || !agrees) return HeadError::damaged;
  return mark;
}

}  // namespace statefs
