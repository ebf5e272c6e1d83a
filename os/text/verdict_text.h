// VERDICT TEXT: what a policy says to an operation and a key that a person or a script names.
//
//   `put<TAB>2f73...` -> VERDICT TEXT -> `OK` | `INVALID_KEY` | `KEY_TOO_LONG` | `ACCESS_DENIED`
//
// The same rules as the server applies, in the same order, with nothing else looked at. What follows them on a server
// (does the key exist, is the value too large) is not part of a verdict.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/policy.h"
#include "core/response.h"
#include "core/result.h"
#include "os/text/text_error.h"

namespace statefs {

namespace text_limits {
inline constexpr std::size_t verdict_line_size_max = 256 * 1024;  // more than any key that a request could carry
}

// `put`, `get`, `delete` or `list` in either case.
[[nodiscard]] std::optional<Access> access_of_name(std::string_view name);

// One of Status::ok, invalid_key, key_too_long, access_denied. For `list` the key is a prefix.
[[nodiscard]] Status verdict_of(const RuleSet& rules, Access access, ByteView key);

// One line of a batch: an operation, a tab, the key in hexadecimal (nothing: the empty key); a CR at its end is
// no part of it. An error says why the line cannot be read.
[[nodiscard]] Result<Status, TextError> verdict_of_line(const RuleSet& rules, std::string_view line, std::uint32_t line_number);

// All lines of a text: one status name and a newline for each, or the first line that cannot be read.
[[nodiscard]] Result<std::string, TextError> verdicts_of_text(const RuleSet& rules, std::string_view text);

}  // namespace statefs
