// Bytes that claim to be an audit record: what decodes encodes to the same bytes, and both of its renderings are one
// line within their limit, whatever its key and alias hold.
#include <algorithm>

#include "core/audit.h"
#include "core/limits.h"
#include "os/text/audit_text.h"

namespace {

using namespace statefs;

void check_line(const std::string& line) {
  STATEFS_CHECK(!line.empty() && line.size() <= audit_line_size_max && line.back() == '\n');
  const bool no_controls = std::all_of(line.begin(), line.end() - 1, [](char c) { return static_cast<std::uint8_t>(c) >= 0x20 && c != 0x7f; });
  STATEFS_CHECK(no_controls);
}

// No string of the object holds a quote or a backslash, so quotes come in pairs and each member has its two.
void check_json(const std::string& line) {
  check_line(line);
  STATEFS_CHECK(line.front() == '{' && line[line.size() - 2] == '}');
  STATEFS_CHECK(line.find('\\') == std::string::npos && std::count(line.begin(), line.end(), '"') % 2 == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const auto record = decode_audit(bytes);
  if (!record.ok()) return 0;
  STATEFS_CHECK(size <= limits::audit_record_size_max);
  Bytes again;
  encode_audit(record.value(), again);
  STATEFS_CHECK(equal(again, bytes));
  std::string json;
  append_audit_json(record.value(), record.value().previous, json);
  check_json(json);
  std::string console;
  append_audit_console(record.value(), record.value().previous, console);
  check_line(console);
  STATEFS_CHECK(std::all_of(console.begin(), console.end(), [](char c) { return static_cast<std::uint8_t>(c) < 0x80; }));
  return 0;
}
