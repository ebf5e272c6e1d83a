// DUMP TEXT: the state that an image holds, without its values, in lines for a person or as JSON.
//
//   inspection.h -> DUMP TEXT -> statefs dump
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "os/text/inspection.h"

namespace statefs {

// Keys with sizes and revisions, sessions with their slots, epochs: of what was whole. Never a value. Given out in pieces.
using PrintPiece = std::function<bool(std::string_view piece)>;  // false: stop
[[nodiscard]] bool dump_text(const Look& look, const PrintPiece& print);
[[nodiscard]] bool dump_json(const Look& look, const PrintPiece& print);

}  // namespace statefs
