// Bytes that claim to be the sector of a superblock or a mark, with their checksum put right: what decodes encodes to the same block.
#include <algorithm>

#include "core/crc32c.h"
#include "core/superblock.h"

using namespace statefs;

namespace {

Bytes block_of(const std::uint8_t* data, std::size_t size, std::size_t covered) {
  Bytes block(disk_block_size);
  std::copy_n(data, std::min(size, block.size()), block.begin());
  store_le<std::uint32_t>(block.data(), crc32c(ByteView(block).subspan(4, covered - 4)));
  return block;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  BlockBuffer again(disk_block_size);
  const Bytes super = block_of(data, size, 240);
  if (const auto decoded = decode_superblock(super); decoded.ok()) {
    append_superblock(decoded.value(), again);
    STATEFS_CHECK(equal(again.bytes(), super));
  }
  again.clear();
  const Bytes mark = block_of(data, size, 168);
  if (const auto decoded = decode_mark(mark); decoded.ok()) {
    append_mark(decoded.value(), again);
    STATEFS_CHECK(equal(again.bytes(), mark));
  }
  return 0;
}
