// LOG RECORD: one record of the journal: an audit record, the effect it is of, and the slot it fills. All or nothing.
//
//   audit.h, slots.h (SlotChange), store.h (Effect) -> LOG RECORD -> log_tail.h (written), recovery.h (read)
//
// Layout: docs/JOURNAL.md. The checksum covers everything after it. The effect's key and writer are the audit record's.
#pragma once

#include <cstdint>

#include "core/audit.h"
#include "core/block_buffer.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/slots.h"
#include "core/store.h"

namespace statefs {

struct LogRecord {
  ByteView audit;  // as encode_audit left it
  Effect::Kind effect = Effect::Kind::none;
  ByteView value;  // of a put
  SlotChange change;
};

[[nodiscard]] std::size_t log_record_size(const LogRecord& record);
// What a record takes beside its value, at most.
inline constexpr std::size_t log_record_overhead_max = 16 + limits::audit_record_size_max + 64;
static_assert(log_record_overhead_max + limits::total_value_size_ceiling <= limits::log_record_size_max);

// Appends log_record_size() bytes, for which there is room. A slot is used with the sequence that its result names.
void append_log_record(const LogRecord& record, BlockBuffer& out);

struct DecodedRecord {
  LogRecord record;
  AuditRecord audit;     // record.audit, decoded
  std::size_t size = 0;  // of all of it
};
enum class LogRecordError {
  incomplete,  // it may go on beyond the bytes that are there: they are fewer than log_record_size_max
  bad,         // no record begins here, whatever follows
};
// The record that `bytes` begin with; views point into them.
[[nodiscard]] Result<DecodedRecord, LogRecordError> decode_log_record(ByteView bytes);

}  // namespace statefs
