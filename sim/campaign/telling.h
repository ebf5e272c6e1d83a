// TELLING: the files that tell one run: a page to read, a trace to load.
//
//   story.h -> TELLING: report.h, perfetto.h -> files
#pragma once

#include <string>

#include "sim/story.h"

namespace statefs::sim {

struct Telling {
  std::string report_path;  // empty: none, also below
  std::string trace_path;

  [[nodiscard]] bool is_asked_for() const { return !report_path.empty() || !trace_path.empty(); }
};

// Replaces the files; returns which of them could not be written, and why, or nothing.
[[nodiscard]] std::string write_files(const Telling& telling, const Story& story);

}  // namespace statefs::sim
