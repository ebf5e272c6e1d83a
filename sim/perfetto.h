// PERFETTO: a story as a trace file that chrome://tracing and ui.perfetto.dev open.
//
//   story.h -> PERFETTO -> `--trace out.json`
//
// The Chrome trace event format, JSON flavour: one process for each node, with a track for its calls, one for what it
// sends, one for its store and audit, one for marks. Calls and frames are asynchronous spans, connections too; an arrow
// goes from where a frame was sealed to where it was opened. Times are microseconds of the world.
#pragma once

#include <string>

#include "sim/story.h"

namespace statefs::sim {

[[nodiscard]] std::string render_trace(const Story& story);

}  // namespace statefs::sim
