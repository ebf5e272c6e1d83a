// STORY: a run told from its trace and its tap: who there was, which connections, what happened in which order, and
// where a check objects.
//
//   trace.h, frames.h, checkers.h -> STORY -> report.h (a page), perfetto.h (a trace file)
//
// Rows come in the order in which things happened; rows name each other by their place in that order. Kinds of trace
// entries that nothing here knows are told by their name, argument and payload. What `StorySource` points to outlives the
// making and not more: a story owns what it tells.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/checkers.h"
#include "sim/row.h"
#include "sim/tap.h"
#include "sim/trace.h"

namespace statefs::sim {

struct StorySource {
  const Trace& trace;              // with stream bytes kept, or what arrived is not told
  const Tap& tap;                  // that watched the same world
  const std::vector<CheckResult>& checks;
  std::string verdict_line;
  std::string plan;                // as text, in lines
};

struct StoryNode {
  NodeId id = 0;
  bool connects = false;           // to others
  bool accepts = false;
};

struct StreamSpan {
  std::string_view state;          // `opening`, `handshake`, `established`, `ending`
  Time from;
  Time to;
};

struct StoryStream {
  StreamId id = 0;
  NodeId connector = no_node;
  NodeId acceptor = no_node;
  std::vector<StreamSpan> spans;
  std::string_view ending;         // `refused`, `ended`, `broken`, `closed`, or empty where it still is
};

struct StoryCheck {
  std::string name;
  std::uint64_t judged = 0;
  std::string failure;             // empty: none
  std::optional<std::size_t> row;  // where it objects
  Time time;                       // with `row`
};

struct Story {
  std::string verdict_line;
  std::string plan;
  std::vector<StoryNode> nodes;    // by id
  std::vector<StoryStream> streams;
  std::vector<Row> rows;
  std::vector<StoryCheck> checks;
  Time end;                        // of the last row
  std::uint64_t dropped_count = 0; // records that the tap had no room for
};

[[nodiscard]] Story story_of(const StorySource& source);

}  // namespace statefs::sim
