// LOG TAIL: the end of the log that is not durable yet, in two buffers: one is filled while the other is written.
//
//   log_record.h -> LOG TAIL -> DiskRequest (journal.h)
//
// A block that is only partly full is written whole, with zeros at its end, and again when more has come: what of it was
// durable stays as it was in every sector. The position in the log only grows; where its byte is, extent.h knows.
#pragma once

#include <array>
#include <cstdint>

#include "core/block_buffer.h"
#include "core/extent.h"

namespace statefs {

class LogTail {
 public:
  struct Piece {
    std::uint64_t offset = 0;  // in the extent
    ByteView bytes;            // none: no piece
  };

  // `partial` is what the block of `position` holds before it. `pending_size` bounds what is appended and not taken.
  LogTail(const Extent& extent, std::size_t pending_size, std::uint64_t position, ByteView partial);

  // Where the next record will be; what has room is appended to filling().
  [[nodiscard]] std::uint64_t position() const { return start_ + filling_.size(); }
  [[nodiscard]] BlockBuffer& filling() { return filling_; }
  // What can be appended so that it still can be padded to a block.
  [[nodiscard]] std::size_t free_size() const { return filling_.free_size() - (disk_block_size - 1); }
  [[nodiscard]] std::size_t pending_size() const { return filling_.size(); }

  // Everything before `end` that was not taken yet, to be written: two pieces where it goes round the end of the ring. The
  // pieces stay as they are until the next take(). What was appended after `end` waits.
  [[nodiscard]] std::array<Piece, 2> take(std::uint64_t end);

 private:
  Extent extent_;
  std::uint64_t start_;  // the position of the first byte of filling_, which is the first of a block
  BlockBuffer filling_;
  BlockBuffer writing_;
};

}  // namespace statefs
