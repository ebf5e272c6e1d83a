// DISK: the seam between a journal and whatever keeps its bytes: requests out, completions in.
//
//   journal.h, recovery.h (a DiskUser) -> next_request() ... completed() <- the driver: os/ a file or device, tests a model
//
// The driver takes requests until there is none, whenever it has called into its DiskUser, and reports each one exactly
// once. Offsets and sizes are multiples of disk_block_size and lie inside the extent; bytes to be written start at an
// address that is such a multiple too, belong to the DiskUser, and stay as they are until their completion.
//
// Order: reads and writes that were handed out and not completed may be done in any order, also beside each other; no two
// of them that overlap are ever out together, unless both read. A flush begins when everything handed out before it has
// completed, and makes those writes durable. It waits for nothing that is handed out after it, and promises nothing of it.
// Of a write that no flush has covered a crash may keep any of its disk_sector_size pieces; a piece is old or new, never mixed.
//
// A completion that is not ok says that the outcome is unknown. Whether a later one is ok then no longer matters.
#pragma once

#include <cstdint>
#include <optional>

#include "core/bytes.h"

namespace statefs {

inline constexpr std::size_t disk_block_size = 4096;
inline constexpr std::size_t disk_sector_size = 512;

struct DiskRequest {
  enum class Kind : std::uint8_t { read, write, flush };
  Kind kind = Kind::flush;
  std::uint64_t id = 0;      // never used twice by one DiskUser
  std::uint64_t offset = 0;  // read, write: from the start of the extent
  std::uint64_t size = 0;    // read, write
  ByteView bytes;            // write: `size` of them
};

class DiskUser {
 public:
  virtual ~DiskUser() = default;
  [[nodiscard]] virtual std::optional<DiskRequest> next_request() = 0;
  // `bytes` is what a read that is ok has read, all of it; it is valid during the call and need not be aligned.
  virtual void completed(std::uint64_t id, bool ok, ByteView bytes) = 0;
};

}  // namespace statefs
