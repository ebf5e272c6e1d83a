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
    call.value.assign(put->value.begin(), put->value.end());
    call.condition = put->expected_revision;
  } else if (const auto* get = std::get_if<GetRequest>(&body)) {
    call.key = text(get->key);
    call.condition = get->revision;
  } else if (const auto* erase = std::get_if<DeleteRequest>(&body)) {
    call.key = text(erase->key);
    call.condition = erase->expected_revision;
  } else if (const auto* list = std::get_if<ListRequest>(&body)) {
    call.key = text(list->prefix);
    call.cursor = text(list->cursor);
  }
}

void fill_response(SeenCall& call, const Response& response) {
  call.status = response.status;
  if (const auto* mutation = std::get_if<MutationResponse>(&response.body)) {
    call.index = mutation->index;
    call.revision = mutation->revision;
  } else if (const auto* got = std::get_if<GetResponse>(&response.body)) {
    call.revision = got->revision;
    call.total_size = got->total_size;
    call.data.assign(got->data.begin(), got->data.end());
  } else if (const auto* page = std::get_if<ListResponse>(&response.body)) {
    call.has_more = page->has_more;
    for (const ListEntry& entry : page->entries) call.entries.push_back({text(entry.key), entry.size, entry.revision});
  }
}

History history_of(const Trace& trace) {
  History history;
  std::map<std::pair<NodeId, CallId>, std::size_t> open;
  const auto unreadable = [&history](Place at, const char* what) {
    history.unreadable = std::string(what) + " at entry " + std::to_string(at);
    return history;
  };
  for (Place at = 0; at < trace.entries().size(); ++at) {
    const TraceEntry& entry = trace.entries()[at];
    const ByteView payload = trace.payload(entry);
    if (entry.kind == TraceKind::call) {
      SeenCall call;
      call.node = entry.node;
      call.id = entry.argument;
      call.called = at;
      if (!read_call(call, payload)) return unreadable(at, "call");
      open[{entry.node, entry.argument}] = history.calls.size();
      history.calls.push_back(std::move(call));
    } else if (entry.kind == TraceKind::completion) {
      const auto found = open.find({entry.node, entry.argument});
      if (found == open.end()) return unreadable(at, "completion of no open call");
      SeenCall& call = history.calls[found->second];
      call.completed = at;
      if (!read_completion(call, payload)) return unreadable(at, "completion");
      open.erase(found);  // a second completion of the call is of no open call
    } else if (entry.kind == TraceKind::audit) {
      const auto record = decode_audit(payload);
      if (!record.ok()) return unreadable(at, "audit record");
      history.records.push_back({at, record.value(), payload});
    }
  }
  return history;
}

}  // namespace statefs::sim
