// AUDIT TEXT: one audit record as one line, for a machine (JSON) or for a console.
//
//   audit.h -> AUDIT TEXT -> an exporter
//
// Pure. No bytes of a peer can end the line, leave their field or look like another one: in JSON a key is a string only
// where no character of it needs an escape, else it is `key_hex`; on a console every byte that is not a plain printable
// ASCII character is %XX, so fields are split at spaces and at their first `=`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/audit.h"

namespace statefs {

// Longest line of either kind, its newline included.
inline constexpr std::size_t audit_line_size_max = 2'560;

[[nodiscard]] std::string_view name_of(AuditKind kind);
[[nodiscard]] std::string_view name_of(PeerKind kind);
// `put`, `get`, `del`, ...; empty for a number that is no op.
[[nodiscard]] std::string_view name_of_op(std::uint8_t op);

// Appends one JSON object and a newline. Every field of every record is there, in one order; what a record of its kind
// does not have is null. `hash` is the record's own, so that a log file alone can be checked against its chain.
void append_audit_json(const AuditRecord& record, const Digest& hash, std::string& out);

// Appends `dsoftbusd: audit remote statefs put allow peer=... key=... status=... index=... ...` and a newline. Fields
// that a record does not have are left out.
void append_audit_console(const AuditRecord& record, const Digest& hash, std::string& out);

// Appends `INDEX TIME EVENT STATUS [KEY revision OLD->NEW size SIZE] [count N] by [ALIAS ]PEER` and a newline: who did what, for a person.
void append_audit_text(const AuditRecord& record, std::string& out);

// Appends one datagram of journald's native protocol: MESSAGE is the console line, STATEFS_RECORD the JSON object, and index, hash, op, status,
// peer and key are fields of their own that journalctl can select by. No newline is in any of them.
void append_audit_journald(const AuditRecord& record, const Digest& hash, std::string& out);

// Appends `bytes` with every byte that is not printable ASCII, and space and `%`, as %XX.
std::string& append_escaped(std::string_view bytes, std::string& out);

// Appends nanoseconds since 1970 as 2026-11-23T18:07:09.123456789Z.
void append_rfc3339(std::int64_t wall_ns, std::string& out);

}  // namespace statefs
