#include "sim/story.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "core/client.h"
#include "sim/frames.h"
#include "sim/mark_rows.h"
#include "sim/wire.h"

namespace statefs::sim {
namespace {

std::string_view result_name(CallResult result) {
  switch (result) {
    case CallResult::answered: return "answered";
    case CallResult::outcome_unknown: return "OUTCOME UNKNOWN";
    case CallResult::timed_out: return "TIMED OUT";
  }
  return "?";
}

// The decimal number that follows `word` in `text`.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  std::optional<std::uint64_t> number;
  for (const char c : text.substr(at + word.size())) {
    if (c < '0' || c > '9') break;
    number = number.value_or(0) * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return number;
}

class Teller {
 public:
  explicit Teller(const StorySource& source) : source_(source) {}

  Story tell() {
    story_.verdict_line = source_.verdict_line;
    story_.plan = source_.plan;
    story_.dropped_count = source_.tap.dropped_count();
    story_.rows = rows_sent(source_.trace, source_.tap);
    for (std::size_t place = 0; place < source_.trace.entries().size(); ++place) take(place);
    sort_rows();
    add_links();
    add_nodes();
    add_streams();
    for (const CheckResult& check : source_.checks) add_check(check);
    for (const Row& row : story_.rows) story_.end = std::max(story_.end, row.end.value_or(row.arrived.value_or(row.start)));
    return std::move(story_);
  }

 private:
  void take(std::size_t place);
  void take_call(Row& row, ByteView frame);
  void take_completion(const TraceEntry& entry);
  void sort_rows();
  void add_links();
  void link(std::size_t a, std::string_view what_b_is, std::size_t b, std::string_view what_a_is);
  void add_nodes();
  void add_streams();
  void add_check(const CheckResult& check);
  [[nodiscard]] std::optional<std::size_t> row_of_failure(std::string_view failure) const;

  const StorySource& source_;
  Story story_;
  std::map<std::pair<NodeId, std::uint64_t>, std::size_t> open_calls_;  // rows, before they are sorted
  std::map<std::size_t, std::size_t> call_of_completion_;               // places of entries
  std::map<std::size_t, std::size_t> row_of_place_;
};

void Teller::take_call(Row& row, ByteView frame) {
  row.title = "call";
  if (frame.size() < limits::frame_header_size) return;
  const FrameHeader header = load_frame_header(frame);
  row.op = op_title(header.op);
  row.title = row.op;
  const auto request = decode_request(header, frame.subspan(limits::frame_header_size));
  if (!request.ok()) return;
  const std::string_view key = key_of(request.value().body);
  if (!key.empty()) row.title += ' ' + shown(key, 64);
  add_fields(request.value().body, row.fields);
}

// A completion is the end of its call's row.
void Teller::take_completion(const TraceEntry& entry) {
  const auto found = open_calls_.find({entry.node, entry.argument});
  if (found == open_calls_.end()) return;
  Row& row = story_.rows[found->second];
  const ByteView payload = source_.trace.payload(entry);
  row.end = entry.time;
  if (!payload.empty()) {
    row.status = std::string(result_name(static_cast<CallResult>(payload[0])));
    row.fields.push_back({"result", row.status});
  }
  if (payload.size() > limits::frame_header_size) {
    const FrameHeader header = load_frame_header(payload.subspan(1));
    if (is_status(header.status)) row.status = std::string(name_of(static_cast<Status>(header.status)));
    const auto response = decode_response(header, payload.subspan(1 + limits::frame_header_size));
    row.fields.push_back({"status", row.status});
    if (response.ok()) {
      if (const auto* mutation = std::get_if<MutationResponse>(&response.value().body)) row.record = mutation->index;
      Fields answer;
      add_fields(response.value().body, answer);
      for (Field& field : answer) row.fields.push_back({"answer " + field.name, std::move(field.value)});
    }
  }
  open_calls_.erase(found);
}

void Teller::take(std::size_t place) {
  const TraceEntry& entry = source_.trace.entries()[place];
  const ByteView payload = source_.trace.payload(entry);
  if (entry.kind == TraceKind::completion) {
    const auto call = open_calls_.find({entry.node, entry.argument});
    if (call != open_calls_.end()) {
      call_of_completion_[place] = story_.rows[call->second].place;
      return take_completion(entry);
    }
  }
  Row row;
  const std::string_view kind = name_of(entry.kind);
  row.kind = row_kind_of(kind);
  row.node = entry.node;
  row.id = entry.argument;
  row.start = entry.time;
  row.place = place;
  row.is_entry = true;
  row.title = std::string(kind);
  std::replace(row.title.begin(), row.title.end(), '_', ' ');
  row.size = payload.size();
  row.hex = hex_of(payload.first(std::min(payload.size(), row_hex_size_max)));
  if (entry.kind == TraceKind::call) {
    take_call(row, payload);
    open_calls_[{entry.node, entry.argument}] = story_.rows.size();
  } else {
    tell_mark(entry, payload, row);
  }
  story_.rows.push_back(std::move(row));
}

void Teller::sort_rows() {
  std::stable_sort(story_.rows.begin(), story_.rows.end(), [](const Row& a, const Row& b) {
    return std::tie(a.place, a.is_entry, a.start, a.order) < std::tie(b.place, b.is_entry, b.start, b.order);
  });
  for (std::size_t i = 0; i < story_.rows.size(); ++i) {
    if (story_.rows[i].is_entry) row_of_place_[story_.rows[i].place] = i;
  }
  for (const auto& [completion, call] : call_of_completion_) row_of_place_[completion] = row_of_place_[call];
}

void Teller::link(std::size_t a, std::string_view what_b_is, std::size_t b, std::string_view what_a_is) {
  story_.rows[a].links.push_back({what_b_is, b});
  story_.rows[b].links.push_back({what_a_is, a});
}

void Teller::add_links() {
  std::map<std::pair<NodeId, std::uint64_t>, std::size_t> calls;
  std::map<std::pair<NodeId, std::uint64_t>, std::size_t> appended;  // the last of that index
  std::map<std::pair<NodeId, std::uint64_t>, std::size_t> records;
  std::map<std::pair<StreamId, std::uint64_t>, std::size_t> requests;
  const std::vector<Row>& rows = story_.rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].record == 0) continue;
    if (rows[i].kind == RowKind::store) appended[{rows[i].node, rows[i].record}] = i;
    if (rows[i].kind == RowKind::record) records[{rows[i].node, rows[i].record}] = i;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    if (row.kind == RowKind::call) calls[{row.node, row.id % trace_call_id(1, 0)}] = i;  // of the latest incarnation
    if (row.kind == RowKind::request) {
      if (row.stream) requests[{*row.stream, row.id}] = i;
      if (const auto call = calls.find({row.node, row.id}); call != calls.end()) link(i, "call", call->second, "request");
    }
    if (row.kind != RowKind::response) continue;
    if (row.stream) {
      if (const auto request = requests.find({*row.stream, row.id}); request != requests.end()) {
        link(i, "request", request->second, "answer");
      }
    }
    if (const auto call = calls.find({row.to, row.id}); call != calls.end()) link(i, "call", call->second, "answer");
    if (row.record == 0) continue;
    const auto effect = appended.find({row.node, row.record});
    if (effect != appended.end()) link(i, "appended", effect->second, "answer");
    const auto record = records.find({row.node, row.record});
    if (record != records.end()) link(i, "record", record->second, "answer");
  }
  // An answer says nothing of the key; its request does.
  for (Row& row : story_.rows) {
    for (const RowLink& each : row.links) {
      const std::string& title = rows[each.row].title;
      const std::size_t space = title.find(' ');
      if (row.kind == RowKind::response && each.name == "request" && space != std::string::npos) row.title += title.substr(space);
    }
  }
}

void Teller::add_nodes() {
  std::map<NodeId, StoryNode> nodes;
  const auto know = [&nodes](NodeId id) -> StoryNode& {
    StoryNode& node = nodes[id];
    node.id = id;
    return node;
  };
  for (const Row& row : story_.rows) {
    if (row.node != no_node) know(row.node);
    if (row.to != no_node) know(row.to);
  }
  for (const StreamNodes& ends : stream_nodes_of(source_.trace)) {
    if (ends.connector != no_node) know(ends.connector).connects = true;
    if (ends.acceptor != no_node) know(ends.acceptor).accepts = true;
  }
  for (const auto& [id, node] : nodes) story_.nodes.push_back(node);
}

// What moved a stream on, in the order of its states.
struct Milestones {
  std::optional<Time> offered, opened, established, ending, over;
  std::string_view how;
};

void Teller::add_streams() {
  const std::vector<StreamNodes> ends = stream_nodes_of(source_.trace);
  std::vector<Milestones> known(ends.size());
  for (const Row& row : story_.rows) {
    if (!row.stream || *row.stream >= known.size()) continue;
    Milestones& at = known[*row.stream];
    if ((row.kind == RowKind::request || row.kind == RowKind::keepalive) && !at.established) at.established = row.start;
    if (row.kind != RowKind::stream) continue;
    const auto begins = [&row](std::string_view word) { return std::string_view(row.title).starts_with(word); };
    if (begins("stream offered")) {
      at.offered = row.start;
    } else if (begins("stream opened")) {
      at.opened = row.start;
    } else {
      if (!at.ending) at.ending = row.start;
      at.over = row.start;
      // The first word on how it ended counts: the other end learns of it in its own way.
      for (const std::string_view how : {"refused", "broken", "ended", "closed"}) {
        if (at.how.empty() && row.title.ends_with(how)) at.how = how;
      }
    }
  }
  const Time last = story_.rows.empty() ? Time{} : story_.rows.back().start;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const Milestones& at = known[i];
    StoryStream stream{static_cast<StreamId>(i), ends[i].connector, ends[i].acceptor, {}, at.how};
    const Time ending = at.ending.value_or(last);
    const Time opened = std::min(at.opened.value_or(ending), ending);
    const Time established = std::clamp(at.established.value_or(ending), opened, ending);
    const Time offered = std::min(at.offered.value_or(opened), opened);
    const auto add = [&stream](std::string_view state, Time from, Time to) {
      if (from < to) stream.spans.push_back({state, from, to});
    };
    add("opening", offered, opened);
    if (at.opened) add("handshake", opened, established);
    if (at.established) add("established", established, ending);
    add("ending", ending, at.over.value_or(ending));
    story_.streams.push_back(std::move(stream));
  }
}

// A failure names an entry, a record, or the call of a node.
std::optional<std::size_t> Teller::row_of_failure(std::string_view failure) const {
  if (const auto entry = number_after(failure, "entry ")) {
    const auto found = row_of_place_.find(static_cast<std::size_t>(*entry));
    if (found != row_of_place_.end()) return found->second;
  }
  const auto record = number_after(failure, "record ");
  const auto call = number_after(failure, "call ");
  for (std::size_t i = story_.rows.size(); i-- > 0;) {
    const Row& row = story_.rows[i];
    if (record && row.kind == RowKind::record && row.record == *record) return i;
    if (!record && call && row.kind == RowKind::call && row.id == *call && row.node == number_after(failure, "node ")) return i;
  }
  return std::nullopt;
}

void Teller::add_check(const CheckResult& check) {
  StoryCheck told{std::string(check.name), check.judged, check.failure, {}, {}};
  if (!check.failure.empty()) told.row = row_of_failure(check.failure);
  if (told.row) told.time = story_.rows[*told.row].end.value_or(story_.rows[*told.row].start);
  story_.checks.push_back(std::move(told));
}

}  // namespace

Story story_of(const StorySource& source) { return Teller(source).tell(); }

}  // namespace statefs::sim
