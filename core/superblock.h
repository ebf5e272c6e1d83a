// SUPERBLOCK: what a store is and which snapshot its log goes on from; and the MARK: how far its log is known to be durable.
//
//   extent.h, snapshot.h -> SUPERBLOCK, MARK (two copies of each, docs/JOURNAL.md) -> recovery.h, journal.h
//
// Each fits one sector, so a crash leaves an old one or a new one. The newest of two that are valid counts.
#pragma once

#include <cstdint>
#include <optional>

#include "core/block_buffer.h"
#include "core/bytes.h"
#include "core/crypto.h"
#include "core/extent.h"
#include "core/request.h"
#include "core/result.h"

namespace statefs {

// A place in the log: after the record of `head`. Position 0 is the beginning, and then the head is none.
struct LogPoint {
  AuditHead head;
  std::uint64_t position = 0;
  friend bool operator==(const LogPoint&, const LogPoint&) = default;
};

struct SnapshotName {
  std::uint32_t slot = 0;
  std::uint32_t sum = 0;
  std::uint64_t size = 0;  // 0: none was taken yet, and the log goes on from its beginning
  std::uint64_t entry_count = 0;
  friend bool operator==(const SnapshotName&, const SnapshotName&) = default;
};

struct Superblock {
  StoreId store{};
  PublicKey node;
  Extent extent;
  std::uint64_t sequence = 0;
  SnapshotName snapshot;
  LogPoint start;               // S
  std::uint64_t end_index = 0;  // E: what the snapshot may have seen; the log is durable up to here
  friend bool operator==(const Superblock&, const Superblock&) = default;
};

struct Mark {
  StoreId store{};
  std::uint64_t sequence = 0;
  std::uint64_t epoch = 0;
  LogPoint durable;
  LogPoint exported;
  friend bool operator==(const Mark&, const Mark&) = default;
};

enum class HeadError {
  absent,   // zeros: nothing was written here
  damaged,  // neither zeros nor a whole one
};

// One block. Decoding accepts one encoding of each value, and only values that agree with each other.
void append_superblock(const Superblock& superblock, BlockBuffer& out);
[[nodiscard]] Result<Superblock, HeadError> decode_superblock(ByteView block);
void append_mark(const Mark& mark, BlockBuffer& out);
[[nodiscard]] Result<Mark, HeadError> decode_mark(ByteView block);

}  // namespace statefs
