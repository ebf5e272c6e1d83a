// INSPECTION TEXT: what was found in an image, in lines for a person or as JSON.
//
//   inspection.h -> INSPECTION TEXT -> statefs check; state_file.cpp says damage in the same words
#pragma once

#include <string>
#include <string_view>

#include "os/text/inspection.h"

namespace statefs {

// `the snapshot`, `the log, which ends before what is known to be durable`, ...
[[nodiscard]] std::string_view name_of(Damage damage);
// `whole`, `empty`, `damaged`, `no store`, `unreadable`.
[[nodiscard]] std::string_view verdict_of(const Inspection& inspection);
// One line without a newline: what is wrong and where; what was cut where nothing is wrong and something was; else empty.
[[nodiscard]] std::string finding_of(const Inspection& inspection);

// The whole finding: lines for a person, or one JSON object. `name` is the image's, printable.
[[nodiscard]] std::string check_text(const Inspection& inspection, std::string_view name);
[[nodiscard]] std::string check_json(const Inspection& inspection);

}  // namespace statefs
