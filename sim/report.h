// REPORT: a story as one page that needs nothing else: no network, no other file.
//
//   story.h, report_page.h -> REPORT -> `--report out.html`
//
// The run's data stands in the page as JSON, which no byte of a key or value can end (json.h). The page's policy lets its
// own script and style run, named by their hashes, and forbids everything else, so nothing that a peer sent can act
// even if it got out. Row members are single letters, because a large run has 100,000 of them: k kind, t title, o op,
// s status, f fate, n node, d to, c stream, a start, r arrived, e end, p entry, F fields, z size, h hex, l links.
#pragma once

#include <string>

#include "sim/story.h"

namespace statefs::sim {

[[nodiscard]] std::string render_report(const Story& story);

}  // namespace statefs::sim
