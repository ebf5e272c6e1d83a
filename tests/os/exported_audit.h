// EXPORTED AUDIT: the JSON lines of an audit file read back as the records that they were, so that their hashes can be made anew.
//
//   dsoftbusd --audit FILE -> EXPORTED AUDIT -> crash_judge.h
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/audit.h"
#include "core/result.h"

namespace statefs::test {

struct ExportedRecord {
  AuditRecord record;  // its views are empty: `key` and `alias` hold what they named
  Digest hash{};       // as the line says
  std::string key;
  std::string alias;
  std::string line;
};

// One line without its newline. The error names what is missing or is no value.
[[nodiscard]] Result<ExportedRecord, std::string> parse_exported(std::string_view line);

// SHA-256 of the record's encoding.
[[nodiscard]] Digest hash_of(const ExportedRecord& exported);

// Whole lines of a file; what follows the last newline is left out.
[[nodiscard]] Result<std::vector<ExportedRecord>, std::string> parse_export(std::string_view text);

}  // namespace statefs::test
