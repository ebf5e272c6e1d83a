#include "core/log_tail.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace statefs {

LogTail::LogTail(const Extent& extent, std::size_t pending_size, std::uint64_t position, ByteView partial)
    : extent_(extent),
      start_(block_floor(position)),
      filling_(pending_size + 2 * disk_block_size),
      writing_(pending_size + 2 * disk_block_size) {
  STATEFS_CHECK(start_ + partial.size() == position);
  filling_.append(partial);
}

std::array<LogTail::Piece, 2> LogTail::take(std::uint64_t end) {
  STATEFS_CHECK(end >= start_ && end <= position());
  std::swap(filling_, writing_);
  const std::uint64_t from = start_;
  start_ = block_floor(end);
  filling_.clear();
  filling_.append(writing_.bytes().subspan(start_ - from));
  writing_.shrink(end - from);
  writing_.pad();
  const ByteView bytes = writing_.bytes();
  STATEFS_CHECK(bytes.size() <= extent_.ring_size);
  const std::uint64_t offset = extent_.log_offset(from);
  const std::size_t first = std::min<std::uint64_t>(bytes.size(), extent_.size() - offset);
  return {Piece{offset, bytes.first(first)}, Piece{extent_.ring_offset(), bytes.subspan(first)}};
}

}  // namespace statefs
