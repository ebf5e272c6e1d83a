// Bytes that claim to be the chunks of a snapshot, with their checksums put right: what is read, written and read again is the same.
#include <algorithm>

#include "core/crc32c.h"
#include "core/snapshot.h"

using namespace statefs;

namespace {

constexpr std::uint64_t sequence = 1;
constexpr std::uint64_t last_index = std::uint64_t{9} << epoch_shift;

// Pads the bytes to blocks and puts the checksum of each chunk right.
Bytes image_of(const std::uint8_t* data, std::size_t size) {
  Bytes image(data, data + size);
  image.resize(block_ceiling(size));
  for (std::size_t at = 0; at + chunk_header_size <= image.size();) {
    const std::size_t chunk = load_le<std::uint32_t>(image.data() + at + 4);
    if (chunk < chunk_header_size || chunk > image.size() - at) break;
    store_le<std::uint32_t>(image.data() + at, crc32c(ByteView(image).subspan(at + 4, chunk - 4)));
    at += block_ceiling(chunk);
  }
  return image;
}

bool read(ByteView image, SnapshotReader& reader) {
  while (!reader.done()) {
    const auto taken = reader.take(image);
    if (!taken.ok()) return false;
    image = image.subspan(taken.value());
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 64 * 1024) return 0;
  const Bytes image = image_of(data, size);
  SnapshotReader reader(sequence, last_index);
  if (!read(image, reader)) return 0;
  const State& state = reader.state();
  SnapshotWriter writer(sequence, last_index, 1'000);
  BlockBuffer chunk(chunk_size_max(1'000, size));
  Bytes again;
  while (!writer.done()) {
    if (writer.step(state, last_index, chunk, 16)) again.insert(again.end(), chunk.bytes().begin(), chunk.bytes().end());
  }
  STATEFS_CHECK(again.size() == writer.size() && reader.entry_count() == writer.entry_count());
  SnapshotReader other(sequence, last_index);
  const bool whole = read(again, other);
  STATEFS_CHECK(whole && other.sum() == writer.sum());
  STATEFS_CHECK(other.state().slots == state.slots && other.state().epochs == state.epochs);
  STATEFS_CHECK(other.state().entries.footprint() == state.entries.footprint());
  return 0;
}
