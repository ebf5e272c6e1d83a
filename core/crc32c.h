// CRC32C: the checksum that finds torn and rotten bytes of the journal (RFC 3720 appendix B.4; polynomial 0x1edc6f41).
//
//   CRC32C -> log_record.h, superblock.h, snapshot.h
//
// It finds accidents, not attackers: the hash chain is there for those.
#pragma once

#include <cstdint>

#include "core/bytes.h"

namespace statefs {

// Of `bytes`, or of what `before` is the checksum of followed by `bytes`.
[[nodiscard]] std::uint32_t crc32c(ByteView bytes, std::uint32_t before = 0);
// The same on a machine that has no instruction for it.
[[nodiscard]] std::uint32_t crc32c_by_tables(ByteView bytes, std::uint32_t before = 0);

}  // namespace statefs
