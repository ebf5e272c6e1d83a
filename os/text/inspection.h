// INSPECTION: what an extent holds, for a person: the state of each block of its head, and what recovery says of the rest.
//
//   core/recovery.h (a look) -> INSPECTION -> inspection_text.h, dump_text.h
//
// Nothing is written. Memory is bounded by what the extent can hold. Recovery is the only reader; where it stops at damage that
// is not in the log, the log is looked at alone, because its records are then still good to read.
#pragma once

#include <array>
#include <functional>
#include <optional>

#include "core/recovery.h"

namespace statefs {

// Does a read, whole, and hands out its bytes until the next one; false where it could not.
using ReadExtent = std::function<bool(const DiskRequest& request, ByteView& bytes)>;

struct Look {
  RecoveryReport report;
  Recovery::Store store;  // what was whole
};
[[nodiscard]] Look look_into(std::uint64_t extent_size, const LookInto& how, const ReadExtent& read);

struct HeadBlock {
  enum class Is : std::uint8_t { unreadable, zero, damaged, whole };
  Is is = Is::unreadable;
  std::uint64_t offset = 0;
  std::optional<Superblock> superblock;
  std::optional<Mark> mark;
};

struct Inspection {
  std::uint64_t file_size = 0;    // with what is behind its last whole block
  std::array<HeadBlock, 4> head;  // superblock 0, mark 0, mark 1, superblock 1
  Look all;
  std::optional<RecoveryReport> log;  // of the log alone, where damage is elsewhere

  // A store, a new one or none yet: everything that was promised is there. A torn tail was promised to nobody.
  [[nodiscard]] bool whole() const { return all.report.found == Found::fresh || all.report.found == Found::recovered; }
  // Whether anything is known of a store in it.
  [[nodiscard]] bool has_superblock() const { return head[0].superblock || head[3].superblock; }
};
[[nodiscard]] Inspection inspect(std::uint64_t file_size, const ReadExtent& read);

}  // namespace statefs
