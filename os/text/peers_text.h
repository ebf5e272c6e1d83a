// PEERS TEXT: the file of enrolled peers.
//
//   bytes of a file -> PEERS TEXT -> policy_text.h (rules) -> core/policy.h
//
//   line    = [ key [ 1*blank alias ] ] *blank [ "#" anything ]       in order: who, and what to call them
//   key     = 64 hexadecimal digits, either case: the peer's public key
//   alias   = 1 to 32 of A-Z a-z 0-9 . _ -                             stands beside the key in audit records
//   blank   = space | tab, also before the key; a line ends with LF or CR LF
//
// A key or an alias stands once in the file. A file with no peer in it is legal: nobody is enrolled.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/policy.h"
#include "core/result.h"
#include "os/text/text_error.h"

namespace statefs {

namespace text_limits {
inline constexpr std::size_t peers_size_max = 64 * 1024;
inline constexpr std::size_t peers_line_size_max = 512;
}  // namespace text_limits

[[nodiscard]] Result<std::vector<EnrolledPeer>, TextError> parse_peers(std::string_view text);
// One line for each; what parse_peers() reads back as the same.
[[nodiscard]] std::string render_peers(std::span<const EnrolledPeer> peers);

}  // namespace statefs
