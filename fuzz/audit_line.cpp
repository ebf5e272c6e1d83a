// Bytes that claim to be a line of an audit file: what is read is written again byte for byte, and its record encodes. And bytes
// that claim to be an instant: no more than an answer.
#include "os/text/audit_line.h"
#include "os/text/audit_filter.h"
#include "os/text/audit_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace statefs;
  const std::string_view text = as_text({data, size});
  (void)instant_of_text(text, 0);
  AuditLine line;
  if (!parse_audit_line(text, line)) return 0;
  std::string again;
  append_audit_json(line.record, line.hash, again);
  STATEFS_CHECK(again == std::string(text) + "\n");
  Bytes encoded;
  encode_audit(line.record, encoded);
  const auto decoded = decode_audit(encoded);
  STATEFS_CHECK(decoded.ok());
  STATEFS_CHECK(genuine(line) == (Sha256().of(encoded) == line.hash));
  std::string person;
  append_audit_text(line.record, person);
  STATEFS_CHECK(person.find('\n') == person.size() - 1);
  return 0;
}
