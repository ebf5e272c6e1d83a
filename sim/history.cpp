#include "sim/history.h"

#include <map>
#include <utility>

namespace statefs::sim {
namespace {

std::string text(ByteView bytes) { return std::string(as_text(bytes)); }

bool read_call(SeenCall& call, ByteView frame) {
  if (frame.size() < limits::frame_header_size) return false;
  const auto header = decode_frame_header(frame);
  if (!header.ok()) return false;
  const auto request = decode_request(header.value(), frame.subspan(limits::frame_header_size));
  if (!request.ok()) return false;
  fill_request(call, request.value().body);
  return true;
}

bool read_completion(SeenCall& call, ByteView payload) {
  if (payload.empty()) return false;
  call.result = static_cast<CallResult>(payload[0]);
  const ByteView frame = payload.subspan(1);
  if (call.result != CallResult::answered) return frame.empty();
  if (frame.size() < limits::frame_header_size) return false;
  const auto header = decode_frame_header(frame);
  if (!header.ok()) return false;
  const auto response = decode_response(header.value(), frame.subspan(limits::frame_header_size));
  if (!response.ok()) return false;
  fill_response(call, response.value());
  return true;
}

}  // namespace

void fill_request(SeenCall& call, const RequestBody& body) {
  call.op = op_of(body);
  if (const auto* put = std::get_if<PutRequest>(&body)) {
    call.key = text(put->key);
    if (put->stage) {
      call.staged = put->stage;
      call.value_size = static_cast<std::uint32_t>(std::min<std::uint64_t>(put->stage->total_size, ~std::uint32_t{0}));
    } else {
      call.value.assign(put->value.begin(), put->value.end());
      call.value_size = put->value_size;
    }
    call.condition = put->expected_revision;
  } else if (const auto* get = std::get_if<GetRequest>(&body)) {
    call.key = text(get->key);
    call.condition = get->revision;
    call.offset = get->offset;
    call.wanted = get->length;
  } else if (const auto* erase = std::get_if<DeleteRequest>(&body)) {
    call.key = text(erase->key);
    call.condition = erase->expected_revision;
  } else if (const auto* stage = std::get_if<StageRequest>(&body)) {
    call.key = text(stage->key);
  } else if (const auto* list = std::get_if<ListRequest>(&body)) {
    call.key = text(list->prefix);
    call.cursor = text(list->cursor);
    call.wanted = list->limit;
  }
}

void fill_response(SeenCall& call, const Response& response) {
  call.status = response.status;
  call.answered_op = static_cast<Op>(response.op);
  if (const auto* mutation = std::get_if<MutationResponse>(&response.body)) {
    call.index = mutation->index;
    call.revision = mutation->revision;
    call.replayed = mutation->replayed;
    call.head = mutation->head;
  } else if (const auto* got = std::get_if<GetResponse>(&response.body)) {
    call.revision = got->revision;
    call.total_size = got->total_size;
    call.data.assign(got->data.begin(), got->data.end());
  } else if (const auto* page = std::get_if<ListResponse>(&response.body)) {
    call.has_more = page->has_more;
    for (const ListEntry& entry : page->entries) call.entries.push_back({text(entry.key), entry.size, entry.revision});
  } else if (const auto* synced = std::get_if<SyncResponse>(&response.body)) {
    call.durable_index = synced->durable_index;
    call.head = synced->head;
  }
}

SeenCall seen_call_of(const SeenExchange& exchange) {
  SeenCall call;
  call.node = exchange.peer;
  call.id = exchange.id;
  call.called = exchange.asked;
  call.completed = exchange.answered + 1;
  call.result = CallResult::answered;
  fill_request(call, exchange.request.body);
  fill_response(call, exchange.answer);
  return call;
}

namespace {

bool read_append(SeenAppend& append, ByteView payload) {
  Reader reader(payload);
  append.effect = static_cast<Effect::Kind>(reader.u8());
  append.key = as_text(reader.take(reader.u16()));
  append.encoded = reader.take(reader.u32());
  if (!reader.ok() || append.effect > Effect::Kind::erase) return false;
  append.value = reader.rest();
  const auto record = decode_audit(append.encoded);
  if (!record.ok()) return false;
  append.record = record.value();
  return true;
}

bool read_lost_write(SeenLostWrite& lost, ByteView payload) {
  Reader reader(payload);
  lost.index = reader.u64();
  lost.certain = reader.u8() != 0;
  return reader.ok() && reader.rest().empty();
}

class Telling {
 public:
  explicit Telling(const Trace& trace) : trace_(trace) {}

  History tell() {
    history_.end = trace_.entries().size();
    for (Place at = 0; at < history_.end; ++at) {
      const TraceEntry& entry = trace_.entries()[at];
      if (take(at, entry, trace_.payload(entry))) continue;
      history_.unreadable = std::string(name_of(entry.kind)) + " at entry " + std::to_string(at);
      break;
    }
    return std::move(history_);
  }

 private:
  using Name = std::pair<NodeId, CallId>;

  bool take(Place at, const TraceEntry& entry, ByteView payload);
  bool take_call(Place at, const TraceEntry& entry, ByteView payload);
  bool take_completion(Place at, const TraceEntry& entry, ByteView payload);
  void take_loss(Place at, const TraceEntry& entry);
  void take_crash(Place at, NodeId node);

  const Trace& trace_;
  History history_;
  std::map<Name, std::size_t> calls_;
  std::map<NodeId, std::vector<std::size_t>> kept_;  // appends that no crash took back
  std::map<NodeId, std::vector<std::size_t>> open_;  // calls since the last crash
};

bool Telling::take(Place at, const TraceEntry& entry, ByteView payload) {
  switch (entry.kind) {
    case TraceKind::call: return take_call(at, entry, payload);
    case TraceKind::completion: return take_completion(at, entry, payload);
    case TraceKind::audit: {
      const auto record = decode_audit(payload);
      if (!record.ok()) return false;
      history_.exports.push_back({at, entry.node, entry.argument, record.value(), payload});
      return true;
    }
    case TraceKind::appended: {
      SeenAppend append;
      append.at = at;
      append.time = entry.time;
      append.node = entry.node;
      append.index = entry.argument;
      if (!read_append(append, payload)) return false;
      kept_[entry.node].push_back(history_.appends.size());
      history_.appends.push_back(append);
      return true;
    }
    case TraceKind::lost_write: {
      SeenLostWrite lost{at, entry.node, entry.argument, 0, false};
      if (!read_lost_write(lost, payload)) return false;
      history_.lost_writes.push_back(lost);
      return true;
    }
    case TraceKind::store_lost: take_loss(at, entry); break;
    case TraceKind::node_down: take_crash(at, entry.node); break;
    case TraceKind::stream_offered:
    case TraceKind::stream_opened:
    case TraceKind::stream_refused:
    case TraceKind::stream_bytes:
    case TraceKind::stream_ended:
    case TraceKind::stream_broken:
    case TraceKind::stream_closed:
    case TraceKind::node_up:
    case TraceKind::fault:
    case TraceKind::durable:
    case TraceKind::tampered:
    case TraceKind::policy:
    case TraceKind::calm:
    case TraceKind::distrusted:
    case TraceKind::store_failed:
    case TraceKind::store_refused:
    case TraceKind::recovered:
    case TraceKind::rolled_back:
    case TraceKind::log_fill: break;
  }
  history_.events.push_back({at, entry.time, entry.node, entry.kind, entry.argument, payload});
  return true;
}

bool Telling::take_call(Place at, const TraceEntry& entry, ByteView payload) {
  SeenCall call;
  call.node = entry.node;
  call.id = entry.argument;
  call.called = at;
  call.called_time = entry.time;
  if (!read_call(call, payload) || !calls_.emplace(Name{entry.node, entry.argument}, history_.calls.size()).second) return false;
  open_[entry.node].push_back(history_.calls.size());
  history_.calls.push_back(std::move(call));
  return true;
}

bool Telling::take_completion(Place at, const TraceEntry& entry, ByteView payload) {
  const auto found = calls_.find({entry.node, entry.argument});
  if (found == calls_.end()) return false;
  SeenCall& call = history_.calls[found->second];
  if (call.completed != no_place) {
    call.completed_again = at;
    return true;
  }
  call.completed = at;
  call.completed_time = entry.time;
  return read_completion(call, payload);
}

void Telling::take_loss(Place at, const TraceEntry& entry) {
  std::vector<std::size_t>& kept = kept_[entry.node];
  for (; !kept.empty() && history_.appends[kept.back()].index > entry.argument; kept.pop_back()) history_.appends[kept.back()].lost = at;
}

void Telling::take_crash(Place at, NodeId node) {
  for (const std::size_t number : open_[node]) {
    if (history_.calls[number].completed == no_place) history_.calls[number].crashed = at;
  }
  open_[node].clear();
}

}  // namespace

History history_of(const Trace& trace) { return Telling(trace).tell(); }

}  // namespace statefs::sim
