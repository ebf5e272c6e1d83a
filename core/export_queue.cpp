#include "core/export_queue.h"

#include "core/check.h"

namespace statefs {

void ExportQueue::encode(const AuditHead& head, std::size_t log_size, ByteView encoded) {
  entry_.clear();
  Block block(entry_, 8 + 32 + 4 + encoded.size());
  block.u64(head.index);
  block.bytes(head.hash);
  block.u32(static_cast<std::uint32_t>(log_size));
  block.bytes(encoded);
}

bool ExportQueue::push(const AuditHead& head, std::size_t log_size, ByteView encoded) {
  encode(head, log_size, encoded);
  return free_size() >= ring_overhead + entry_.size() && ring_.push(entry_);
}

void ExportQueue::restore(const AuditHead& head, std::size_t log_size, ByteView encoded) {
  encode(head, log_size, encoded);
  const std::size_t needed = ring_.size() + ring_overhead + entry_.size();
  if (needed > ring_.capacity()) ring_.grow(std::max(needed, 2 * ring_.capacity()));
  STATEFS_CHECK(ring_.push(entry_));
}

std::size_t ExportQueue::export_to(AuditSink& sink, std::uint64_t durable_index, std::size_t count_max) {
  std::size_t count = 0;
  std::size_t end = 0;
  for (LogPoint point = cursor_; count < count_max && end < ring_.size(); ++count) {
    const std::size_t next = ring_.peek(end, entry_);
    Reader reader = entry_of(point);
    if (point.head.index > durable_index || !sink.take(point.head.index, reader.rest(), point.head.hash)) break;
    end = next;
  }
  const std::size_t kept = count == 0 ? 0 : sink.kept(count);
  STATEFS_CHECK(kept <= count);
  end = 0;
  for (std::size_t i = 0; i < kept; ++i) {
    end = ring_.peek(end, entry_);
    (void)entry_of(cursor_);
  }
  ring_.drop(end);
  if (ring_.empty() && ring_.capacity() > capacity_) ring_ = ByteRing(capacity_);
  return kept;
}

// What entry_ says: `point`, of the record before, becomes this one's; the encoding is what is left.
Reader ExportQueue::entry_of(LogPoint& point) const {
  Reader reader(entry_);
  point.head.index = reader.u64();
  point.head.hash = reader.array<32>();
  point.position += reader.u32();
  STATEFS_CHECK(reader.ok());
  return reader;
}

}  // namespace statefs
