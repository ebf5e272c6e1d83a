// REPORT PAGE: the page of a report before anything is in it: sim/report_page/ as one file, made by the build.
//
//   report_page/ -> REPORT PAGE -> report.h
#pragma once

#include <string_view>

namespace statefs::sim {

// Markup, style and script in one; @DATA@, @STYLE_HASH@ and @SCRIPT_HASH@ are still to be filled in.
[[nodiscard]] std::string_view report_page();

}  // namespace statefs::sim
