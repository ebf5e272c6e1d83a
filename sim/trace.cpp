#include "sim/trace.h"

namespace statefs::sim {

void Trace::add(NodeId node, TraceKind kind, std::uint64_t argument, ByteView payload) {
  constexpr std::uint32_t trace_kinds = 0x10000;  // apart from the kinds of the events themselves
  schedule_.mark(node, trace_kinds + static_cast<std::uint32_t>(kind), mix(argument) ^ hash_bytes(payload));
  const bool is_wire = kind == TraceKind::stream_bytes;
  if (!keep_entries_ || (is_wire && !keep_stream_bytes_)) return;
  const TraceEntry entry{schedule_.now(), node, kind, argument, arena_.size(), payload.size()};
  if (is_wire) {
    wire_.push_back({entry, entries_.size()});
  } else {
    entries_.push_back(entry);
  }
  arena_.insert(arena_.end(), payload.begin(), payload.end());
}

std::string_view name_of(TraceKind kind) {
  switch (kind) {
    case TraceKind::stream_offered: return "stream_offered";
    case TraceKind::stream_opened: return "stream_opened";
    case TraceKind::stream_refused: return "stream_refused";
    case TraceKind::stream_bytes: return "stream_bytes";
    case TraceKind::stream_ended: return "stream_ended";
    case TraceKind::stream_broken: return "stream_broken";
    case TraceKind::call: return "call";
    case TraceKind::completion: return "completion";
    case TraceKind::audit: return "audit";
    case TraceKind::node_down: return "node_down";
    case TraceKind::node_up: return "node_up";
    case TraceKind::fault: return "fault";
    case TraceKind::appended: return "appended";
    case TraceKind::durable: return "durable";
    case TraceKind::store_lost: return "store_lost";
    case TraceKind::lost_write: return "lost_write";
    case TraceKind::tampered: return "tampered";
    case TraceKind::stream_closed: return "stream_closed";
    case TraceKind::policy: return "policy";
    case TraceKind::calm: return "calm";
    case TraceKind::distrusted: return "distrusted";
    case TraceKind::store_failed: return "store_failed";
    case TraceKind::store_refused: return "store_refused";
    case TraceKind::recovered: return "recovered";
    case TraceKind::rolled_back: return "rolled_back";
    case TraceKind::log_fill: return "log_fill";
  }
  return "?";
}

}  // namespace statefs::sim
