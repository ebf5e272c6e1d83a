#include "core/export_queue.h"

#include "core/check.h"

namespace statefs {

bool ExportQueue::push(const AuditHead& head, std::size_t log_size, ByteView encoded) {
  entry_.clear();
  Block block(entry_, 8 + 32 + 4 + encoded.size());
  block.u64(head.index);
  block.bytes(head.hash);
  block.u32(static_cast<std::uint32_t>(log_size));
  block.bytes(encoded);
  return ring_.push(entry_);
}

std::size_t ExportQueue::export_to(AuditSink& sink, std::uint64_t durable_index, std::size_t count_max) {
  std::size_t count = 0;
  for (; count < count_max && !ring_.empty(); ++count) {
    ring_.front(entry_);
    Reader reader(entry_);
    AuditHead head;
    head.index = reader.u64();
    head.hash = reader.array<32>();
    const std::uint32_t log_size = reader.u32();
    STATEFS_CHECK(reader.ok());
    if (head.index > durable_index || !sink.take(head.index, reader.rest(), head.hash)) break;
    cursor_ = {head, cursor_.position + log_size};
    ring_.pop();
  }
  return count;
}

}  // namespace statefs
