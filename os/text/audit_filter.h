// AUDIT FILTER: which records a person asked for.
//
//   flags of `statefs audit query` -> AUDIT FILTER <- audit_line.h, core/recovery.h (records)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/audit.h"
#include "core/time.h"

namespace statefs {

struct AuditFilter {
  std::string peer;                      // an alias, or the first digits of a public key, at least 8 of them; empty: anybody
  std::string key;                       // what the key begins with; empty: any record, also one without a key
  std::string op;                        // `put`, `del`, ...
  std::string status;                    // `OK`, `ACCESS_DENIED`, ... ; `refused`: any but OK
  std::optional<std::int64_t> since_ns;  // of wall time, the first instant that counts
  std::optional<std::int64_t> until_ns;  // the first that counts no more

  [[nodiscard]] bool matches(const AuditRecord& record) const;
};

// Why the words of a filter can match nothing: no such op or status. Empty where they may.
[[nodiscard]] std::string objection_to(const AuditFilter& filter);

// `2026-11-23`, `2026-11-23T18:07:09Z`, the same with a fraction, `@NANOSECONDS`, or a duration before `now_ns`: `90s`, `2h`.
[[nodiscard]] std::optional<std::int64_t> instant_of_text(std::string_view text, std::int64_t now_ns);

}  // namespace statefs
