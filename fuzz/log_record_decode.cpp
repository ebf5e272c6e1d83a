// Bytes that claim to be a record of the journal, with their checksum put right: what decodes encodes to the same bytes, and no
// shorter piece of it decodes.
#include "core/crc32c.h"
#include "core/log_record.h"

using namespace statefs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, data + size);
  if (size >= 8) {
    const std::size_t announced = load_le<std::uint32_t>(bytes.data() + 4);
    if (announced >= 8 && announced <= size) store_le<std::uint32_t>(bytes.data(), crc32c(ByteView(bytes).first(announced).subspan(4)));
  }
  const auto decoded = decode_log_record(bytes);
  if (!decoded.ok()) return 0;
  const DecodedRecord& record = decoded.value();
  STATEFS_CHECK(record.size <= size && record.size == log_record_size(record.record));
  BlockBuffer again(record.size);
  append_log_record(record.record, again);
  STATEFS_CHECK(equal(again.bytes(), ByteView(bytes).first(record.size)));
  STATEFS_CHECK(!decode_log_record(ByteView(bytes).first(record.size - 1)).ok());
  return 0;
}
