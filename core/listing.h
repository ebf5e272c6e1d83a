// LISTING: whether a page of LIST is what was asked for, so that a server that is not right neither lists for ever nor writes to a terminal.
//
//   response.h, key.h -> LISTING -> programs that list
#pragma once

#include <string_view>

#include "core/response.h"

namespace statefs {

// Whether every key of the page is canonical (key.h), under `prefix`, and behind the one before it, the first behind `cursor`; and whether
// a page after which there is more has any.
[[nodiscard]] bool is_page(const ListResponse& page, std::string_view prefix, std::string_view cursor);

}  // namespace statefs
