#include "sim/perfetto.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "sim/json.h"

namespace statefs::sim {
namespace {

// Tracks of a node.
enum class Track : std::int64_t { sent = 1, received, log, marks };

class TraceWriter {
 public:
  explicit TraceWriter(const Story& story) : story_(story), json_(out_) {}

  std::string write() {
    json_.open_object().member("displayTimeUnit", "ns");
    json_.name("otherData").open_object().member("verdict", story_.verdict_line).member("plan", story_.plan).close_object();
    json_.name("traceEvents").open_array();
    for (const Row& row : story_.rows) {
      if (!is_sent(row)) continue;
      starts_.insert({row.node, Track::sent, row.start});
      if (row.to != no_node && row.end) starts_.insert({row.to, Track::received, *row.end});
    }
    for (const StoryNode& node : story_.nodes) add_node(node);
    for (const StoryStream& stream : story_.streams) add_stream(stream);
    for (std::size_t i = 0; i < story_.rows.size(); ++i) add_row(story_.rows[i], static_cast<std::int64_t>(i));
    for (const StoryCheck& check : story_.checks) add_check(check);
    json_.close_array().close_object();
    return out_ + '\n';
  }

 private:
  // Opens an event; its arguments and end are the caller's.
  Json& event(std::string_view phase, std::string_view title, std::string_view category, NodeId node, Time time) {
    json_.open_object().member("ph", phase).member("name", title).member("cat", category);
    json_.member("pid", std::int64_t{node}).name("ts").microseconds(time.ns);
    return json_;
  }
  [[nodiscard]] static bool is_sent(const Row& row) {
    return row.node != no_node && (row.kind == RowKind::request || row.kind == RowKind::response || row.kind == RowKind::handshake ||
                                   row.kind == RowKind::keepalive || row.kind == RowKind::bytes);
  }
  // A slice of a track: up to a microsecond, and not into the next one, because a viewer wants slices that nest.
  Json& slice(const Row& row, NodeId node, Track track, Time time);
  void add_node(const StoryNode& node);
  void name_track(NodeId node, Track track, std::string_view name);
  void add_stream(const StoryStream& stream);
  void add_row(const Row& row, std::int64_t number);
  void add_span(const Row& row, std::int64_t number);
  void add_frame(const Row& row, std::int64_t number);
  void add_arguments(const Row& row);
  void add_check(const StoryCheck& check);

  const Story& story_;
  std::string out_;
  Json json_;
  std::set<std::tuple<NodeId, Track, Time>> starts_;
};

Json& TraceWriter::slice(const Row& row, NodeId node, Track track, Time time) {
  std::int64_t size = 1'000;
  const auto next = starts_.upper_bound({node, track, time});
  if (next != starts_.end() && std::get<NodeId>(*next) == node && std::get<Track>(*next) == track) {
    size = std::min(size, (std::get<Time>(*next) - time).ns);
  }
  event("X", row.title, name_of(row.kind), node, time).member("tid", static_cast<std::int64_t>(track));
  return json_.name("dur").microseconds(size);
}

void TraceWriter::name_track(NodeId node, Track track, std::string_view name) {
  event("M", "thread_name", "__metadata", node, {}).member("tid", static_cast<std::int64_t>(track));
  json_.name("args").open_object().member("name", name).close_object().close_object();
}

void TraceWriter::add_node(const StoryNode& node) {
  std::string name = "node " + std::to_string(node.id);
  if (node.accepts) name += " server";
  if (node.connects) name += " client";
  event("M", "process_name", "__metadata", node.id, {});
  json_.name("args").open_object().member("name", name).close_object().close_object();
  name_track(node.id, Track::sent, "sent");
  name_track(node.id, Track::received, "received");
  name_track(node.id, Track::log, "audit and store");
  name_track(node.id, Track::marks, "marks");
}

void TraceWriter::add_stream(const StoryStream& stream) {
  if (stream.connector == no_node) return;
  for (const StreamSpan& span : stream.spans) {
    const std::string title = "stream " + std::to_string(stream.id) + ' ' + std::string(span.state);
    for (const bool begins : {true, false}) {
      event(begins ? "b" : "e", title, "stream", stream.connector, begins ? span.from : span.to);
      json_.member("id", "stream" + std::to_string(stream.id)).close_object();
    }
  }
}

void TraceWriter::add_arguments(const Row& row) {
  json_.name("args").open_object();
  if (!row.fate.empty()) json_.member("fate", row.fate);
  if (row.is_entry) json_.member("entry", static_cast<std::int64_t>(row.place));
  for (const Field& field : row.fields) json_.member(field.name, field.value);
  json_.close_object();
}

void TraceWriter::add_span(const Row& row, std::int64_t number) {
  for (const bool begins : {true, false}) {
    event(begins ? "b" : "e", row.title, "call", row.node, begins ? row.start : row.end.value_or(story_.end));
    json_.member("id", "call" + std::to_string(number));
    if (begins) add_arguments(row);
    json_.close_object();
  }
}

// A short slice at each end, and the arrow between them, which needs slices to hold on to.
void TraceWriter::add_frame(const Row& row, std::int64_t number) {
  const std::string_view kind = name_of(row.kind);
  slice(row, row.node, Track::sent, row.start);
  add_arguments(row);
  json_.close_object();
  if (row.to == no_node || !row.end) return;
  slice(row, row.to, Track::received, *row.end).close_object();
  event("s", row.title, kind, row.node, row.start).member("tid", static_cast<std::int64_t>(Track::sent)).member("id", number).close_object();
  event("f", row.title, kind, row.to, *row.end).member("tid", static_cast<std::int64_t>(Track::received)).member("id", number);
  json_.member("bp", "e").close_object();
}

void TraceWriter::add_row(const Row& row, std::int64_t number) {
  if (row.node == no_node) return;
  if (row.kind == RowKind::call) return add_span(row, number);
  if (is_sent(row)) return add_frame(row, number);
  const bool is_log = row.kind == RowKind::record || row.kind == RowKind::store;
  event("i", row.title, name_of(row.kind), row.node, row.start).member("tid", static_cast<std::int64_t>(is_log ? Track::log : Track::marks));
  json_.member("s", row.kind == RowKind::node || row.kind == RowKind::fault ? "p" : "t");
  add_arguments(row);
  json_.close_object();
}

void TraceWriter::add_check(const StoryCheck& check) {
  if (check.failure.empty()) return;
  const NodeId node = check.row && story_.rows[*check.row].node != no_node ? story_.rows[*check.row].node : 0;
  event("i", "VIOLATED " + check.name, "check", node, check.row ? check.time : story_.end).member("tid", static_cast<std::int64_t>(Track::marks));
  json_.member("s", "g").name("args").open_object().member("failure", check.failure).close_object().close_object();
}

}  // namespace

std::string render_trace(const Story& story) { return TraceWriter(story).write(); }

}  // namespace statefs::sim
