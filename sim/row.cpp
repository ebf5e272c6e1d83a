#include "sim/row.h"

#include <algorithm>
#include <initializer_list>

namespace statefs::sim {

std::string_view name_of(RowKind kind) {
  switch (kind) {
    case RowKind::request: return "request";
    case RowKind::response: return "response";
    case RowKind::handshake: return "handshake";
    case RowKind::keepalive: return "keepalive";
    case RowKind::bytes: return "bytes";
    case RowKind::call: return "call";
    case RowKind::record: return "record";
    case RowKind::store: return "store";
    case RowKind::stream: return "stream";
    case RowKind::node: return "node";
    case RowKind::fault: return "fault";
    case RowKind::other: return "other";
  }
  return "?";
}

RowKind row_kind_of(std::string_view trace_kind_name) {
  const auto any_of = [trace_kind_name](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), trace_kind_name) != names.end();
  };
  if (trace_kind_name == "call" || trace_kind_name == "completion") return RowKind::call;
  if (trace_kind_name == "audit") return RowKind::record;
  if (trace_kind_name.starts_with("stream_")) return RowKind::stream;
  if (trace_kind_name.starts_with("node_")) return RowKind::node;
  if (any_of({"fault", "tampered", "lost_write", "store_lost"})) return RowKind::fault;
  if (any_of({"appended", "durable", "flushed"}) || trace_kind_name.starts_with("store_")) return RowKind::store;
  return RowKind::other;
}

}  // namespace statefs::sim
