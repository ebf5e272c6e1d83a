#include "core/log_record.h"

#include "core/crc32c.h"

namespace statefs {

namespace {

constexpr std::size_t crc_size = 4;
constexpr std::size_t header_size = 16;

std::size_t change_size(SlotChange::Kind kind) {
  switch (kind) {
    case SlotChange::Kind::none: return 0;
    case SlotChange::Kind::use: return 8 + 8 + 4 + 2 + 2 + 8 + 32;
    case SlotChange::Kind::open: return 16 + 4;
    case SlotChange::Kind::resume: return 8 + 4;
    case SlotChange::Kind::close:
    case SlotChange::Kind::evict: return 8;
  }
  STATEFS_CHECK(false);
}

void put_change(const SlotChange& change, BlockBuffer& out) {
  switch (change.kind) {
    case SlotChange::Kind::none: return;
    case SlotChange::Kind::use:
      STATEFS_CHECK(change.result.sequence == change.at.sequence);
      out.u64(change.at.session);
      out.u64(change.at.sequence);
      out.u32(change.at.generation);
      out.u16(change.at.slot);
      out.u16(static_cast<std::uint16_t>(change.result.status));
      out.u64(change.result.revision);
      out.append(change.result.request);
      return;
    case SlotChange::Kind::open:
      out.append(change.instance);
      out.u32(change.generation);
      return;
    case SlotChange::Kind::resume:
      out.u64(change.at.session);
      out.u32(change.generation);
      return;
    case SlotChange::Kind::close:
    case SlotChange::Kind::evict: out.u64(change.at.session); return;
  }
  STATEFS_CHECK(false);
}

// False where a status has no meaning.
bool take_change(Reader& in, SlotChange& change) {
  switch (change.kind) {
    case SlotChange::Kind::none: return true;
    case SlotChange::Kind::use: {
      change.at.session = in.u64();
      change.at.sequence = in.u64();
      change.at.generation = in.u32();
      change.at.slot = in.u16();
      const std::uint16_t status = in.u16();
      change.result.sequence = change.at.sequence;
      change.result.status = static_cast<Status>(status);
      change.result.revision = in.u64();
      change.result.request = in.array<32>();
      return is_status(status);
    }
    case SlotChange::Kind::open:
      change.instance = in.array<16>();
      change.generation = in.u32();
      return true;
    case SlotChange::Kind::resume:
      change.at.session = in.u64();
      change.generation = in.u32();
      return true;
    case SlotChange::Kind::close:
    case SlotChange::Kind::evict: change.at.session = in.u64(); return true;
  }
  STATEFS_CHECK(false);
}

}  // namespace

std::size_t log_record_size(const LogRecord& record) {
  return header_size + record.audit.size() + change_size(record.change.kind) + record.value.size();
}

void append_log_record(const LogRecord& record, BlockBuffer& out) {
  const std::size_t size = log_record_size(record);
  STATEFS_CHECK(size <= limits::log_record_size_max && record.audit.size() <= limits::audit_record_size_max);
  STATEFS_CHECK(record.effect == Effect::Kind::put || record.value.empty());
  const std::size_t start = out.size();
  out.u32(0);
  out.u32(static_cast<std::uint32_t>(size));
  out.u16(static_cast<std::uint16_t>(record.audit.size()));
  out.u8(static_cast<std::uint8_t>(record.effect));
  out.u8(static_cast<std::uint8_t>(record.change.kind));
  out.u32(static_cast<std::uint32_t>(record.value.size()));
  out.append(record.audit);
  put_change(record.change, out);
  out.append(record.value);
  STATEFS_CHECK(out.size() - start == size);
  store_le<std::uint32_t>(out.at(start), crc32c(out.bytes().subspan(start + crc_size)));
}

Result<DecodedRecord, LogRecordError> decode_log_record(ByteView bytes) {
  Reader header(bytes);
  const std::uint32_t crc = header.u32();
  const std::uint32_t size = header.u32();
  if (!header.ok()) return LogRecordError::incomplete;
  if (size < header_size || size > limits::log_record_size_max) return LogRecordError::bad;
  if (size > bytes.size()) return LogRecordError::incomplete;
  bytes = bytes.first(size);
  if (crc32c(bytes.subspan(crc_size)) != crc) return LogRecordError::bad;

  Result<DecodedRecord, LogRecordError> out(std::in_place);
  DecodedRecord& decoded = out.value();
  Reader in(bytes.subspan(crc_size + 4));
  const std::uint16_t audit_size = in.u16();
  const std::uint8_t effect = in.u8();
  const std::uint8_t change = in.u8();
  const std::uint32_t value_size = in.u32();
  if (effect > static_cast<std::uint8_t>(Effect::Kind::erase) || change > static_cast<std::uint8_t>(SlotChange::Kind::evict)) {
    return LogRecordError::bad;
  }
  LogRecord& record = decoded.record;
  record.effect = static_cast<Effect::Kind>(effect);
  record.change.kind = static_cast<SlotChange::Kind>(change);
  if (record.effect != Effect::Kind::put && value_size != 0) return LogRecordError::bad;
  record.audit = in.take(audit_size);
  if (!take_change(in, record.change)) return LogRecordError::bad;
  record.value = in.take(value_size);
  if (!in.at_end() || value_size > limits::total_value_size_ceiling) return LogRecordError::bad;
  const auto audit = decode_audit(record.audit);
  if (!audit.ok() || audit_size > limits::audit_record_size_max) return LogRecordError::bad;
  decoded.audit = audit.value();
  decoded.size = size;
  return out;
}

}  // namespace statefs
