// EXPORT QUEUE: the audit records that no exporter has taken, in memory, so that exporting never reads the disk.
//
//   journal.h, recovery.h (push) -> EXPORT QUEUE -> AuditSink;   its cursor goes into the marks, and frees the log behind it
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/audit.h"
#include "core/limits.h"
#include "core/ring.h"
#include "core/store.h"
#include "core/superblock.h"

namespace statefs {

class ExportQueue {
 public:
  // `capacity` is bytes. Everything up to `cursor` was exported.
  ExportQueue(std::size_t capacity, const LogPoint& cursor) : ring_(capacity), capacity_(capacity), cursor_(cursor) {}

  // What one record takes at most.
  static constexpr std::size_t entry_size_max = 4 + 8 + 32 + 4 + limits::audit_record_size_max;
  [[nodiscard]] std::size_t free_size() const { return capacity_ - std::min(capacity_, ring_.size()); }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  // The next record of the log, which takes `log_size` bytes there. False, and nothing changed, where there is no room.
  [[nodiscard]] bool push(const AuditHead& head, std::size_t log_size, ByteView encoded);
  // The same while the log is read again, whatever the capacity: marks tell of an export later than it was, so that records of which memory was
  // free again may be there once more. No more than the log itself holds; what is above the capacity goes back once all is exported.
  void restore(const AuditHead& head, std::size_t log_size, ByteView encoded);
  // Hands records up to `durable_index` to `sink`, at most `count_max`, and forgets those that it kept: so many.
  std::size_t export_to(AuditSink& sink, std::uint64_t durable_index, std::size_t count_max);
  // Behind the last record that was exported.
  [[nodiscard]] const LogPoint& cursor() const { return cursor_; }

 private:
  void encode(const AuditHead& head, std::size_t log_size, ByteView encoded);
  [[nodiscard]] Reader entry_of(LogPoint& point) const;

  static constexpr std::size_t ring_overhead = 4;

  ByteRing ring_;  // each record as u64 index, 32-byte hash, u32 size in the log, encoding
  std::size_t capacity_ = 0;
  LogPoint cursor_;
  Bytes entry_;
};

}  // namespace statefs
