// HISTORY: what the trace says that clients asked and got, and that the server recorded, side by side.
//
//   trace.h -> HISTORY -> checkers.h
//
// Everything is decoded again from the frames and records in the trace; nothing of a client's or server's own tables is
// used. A place is the number of an entry in the trace: what happened before what, also within one instant.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/audit.h"
#include "core/client.h"
#include "sim/trace.h"

namespace statefs::sim {

using Place = std::size_t;
inline constexpr Place no_place = ~Place{0};

struct SeenEntry {
  std::string key;
  std::uint64_t size = 0;
  std::uint64_t revision = 0;
};

struct SeenCall {
  NodeId node = 0;
  CallId id = 0;
  Place called = 0;
  Place completed = no_place;
  Op op = Op::sync;
  std::string key;                                // or prefix
  std::string cursor;
  Bytes value;                                    // of a PUT
  std::optional<std::uint64_t> condition;
  CallResult result = CallResult::timed_out;      // with `completed`
  Status status = Status::ok;                     // where answered
  std::uint64_t index = 0;                        // of the record
  std::uint64_t revision = 0;
  std::uint64_t total_size = 0;
  Bytes data;                                     // GET
  bool has_more = false;                          // LIST
  std::vector<SeenEntry> entries;

  [[nodiscard]] bool answered() const { return completed != no_place && result == CallResult::answered; }
  [[nodiscard]] bool is_mutation() const { return op == Op::put || op == Op::del; }
};

struct SeenRecord {
  Place at = 0;
  AuditRecord record;  // views into the trace
  ByteView encoded;
};

struct History {
  std::vector<SeenCall> calls;      // in the order of their calls
  std::vector<SeenRecord> records;  // in the order of the log, all of one server
  std::optional<std::string> unreadable;  // what could not be decoded, and then the rest is not there
};

// The two halves of a call, also for whoever records calls without a trace.
void fill_request(SeenCall& call, const RequestBody& body);
void fill_response(SeenCall& call, const Response& response);

// `trace` outlives the history and gets no more entries.
[[nodiscard]] History history_of(const Trace& trace);

}  // namespace statefs::sim
