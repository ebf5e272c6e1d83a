// WITNESS TEXT: the durable heads that servers told a device, one to a line, for the next program that asks them.
//
//   a witness file -> WITNESS TEXT -> core/witness.h (SeenHead)
//
//   # comment
//   STORE EPOCH INDEX:HASH SERVER      STORE 32 and HASH 64 hex digits, SERVER the key of the server, or local:PATH
//
// Pure. Nothing is passed over in silence: a line that is not understood is an error, because the head that it held is then unknown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/witness.h"
#include "os/text/text_error.h"

namespace statefs {

namespace text_limits {
inline constexpr std::size_t witness_size_max = 64 * 1024;
}  // namespace text_limits

struct WitnessLine {
  std::string server;
  SeenHead seen;
  friend bool operator==(const WitnessLine&, const WitnessLine&) = default;
};

// Each server at most once.
[[nodiscard]] Result<std::vector<WitnessLine>, TextError> parse_witness(std::string_view text);
[[nodiscard]] std::string witness_text(const std::vector<WitnessLine>& lines);

}  // namespace statefs
