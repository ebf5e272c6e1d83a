// AUDIT LINE: one line of an exported JSON Lines file, read back into the record that it was written from.
//
//   audit_text.h (append_audit_json) <-> AUDIT LINE -> audit_filter.h, statefs audit
//
// Strict: what is accepted, append_audit_json writes again byte for byte. So a line that was changed is either no audit line or
// does not have its hash: genuine() encodes the record anew and compares.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/audit.h"

namespace statefs {

struct AuditLine {
  AuditRecord record;  // its alias and key are views of the two below
  Digest hash{};       // as the line says
  std::string alias;
  std::string key;

  AuditLine() = default;
  AuditLine(const AuditLine&) = delete;  // views
  AuditLine& operator=(const AuditLine&) = delete;
};

// `line` is without its newline. False, and `out` is of no use, where it is no audit line.
[[nodiscard]] bool parse_audit_line(std::string_view line, AuditLine& out);
// Whether the hash is that of the record's encoding.
[[nodiscard]] bool genuine(const AuditLine& line);

}  // namespace statefs
