// ROW: one thing that happened in a run, as a report shows it: a frame on its way, a call, a record, a fault.
//
//   frames.h, story.h (make) -> ROW -> report.h, perfetto.h
//
// Times are the world's. All text is printable ASCII.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/fields.h"
#include "sim/stream.h"

namespace statefs::sim {

enum class RowKind : std::uint8_t {
  request,    // a frame, from seal to open
  response,
  handshake,  // a handshake message
  keepalive,
  bytes,      // what arrived or was sealed and is no frame
  call,       // from call to completion
  record,     // of the audit
  store,      // appended, durable, lost
  stream,     // opened, ended, broken, ...
  node,       // up, down
  fault,
  other,
};
[[nodiscard]] std::string_view name_of(RowKind kind);
// The kind of row for an entry of the trace: by its name where nothing better is known.
[[nodiscard]] RowKind row_kind_of(std::string_view trace_kind_name);

struct RowLink {
  std::string_view name;  // `answer`, `call`, ...: what the other row is to this one
  std::size_t row = 0;
};

struct Row {
  RowKind kind = RowKind::other;
  std::string title;
  std::string op;                  // `PUT`, ... where there is one
  std::string status;              // of a response or a call: `OK`, ...
  std::string fate;                // of what was sent: `opened`, `did not arrive`, ...
  NodeId node = no_node;           // whose it is, or who sent it
  NodeId to = no_node;             // who it was sent to
  std::optional<StreamId> stream;
  std::uint64_t id = 0;            // of a frame or call
  std::uint64_t record = 0;        // index of the record that a response, call or record names; 0: none
  Time start;                      // sealed, called, happened
  std::optional<Time> arrived;     // its last byte
  std::optional<Time> end;         // opened, completed
  std::size_t place = 0;           // entries of the trace before it; of an entry that is its number
  bool is_entry = false;
  std::size_t order = 0;           // among rows of one place and time
  Fields fields;
  std::size_t size = 0;            // bytes of what `hex` is the beginning of
  std::string hex;
  std::vector<RowLink> links;
};

}  // namespace statefs::sim
