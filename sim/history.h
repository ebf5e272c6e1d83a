// HISTORY: what the trace says that clients asked and got and that servers stored, lost and recorded, side by side.
//
//   trace.h -> HISTORY -> case.h -> checks.h
//
// Everything is decoded again from the frames and records in the trace; nothing of a client's, server's or store's own
// tables is used. A place is the number of an entry in the trace: what happened before what, also within one instant.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/audit.h"
#include "core/client.h"
#include "core/store.h"
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
  CallId id = 0;  // of trace_call_id()
  Place called = 0;
  Place completed = no_place;
  Place completed_again = no_place;
  Place crashed = no_place;                       // its client went down before a completion
  Op op = Op::sync;
  std::string key;                                // or prefix
  std::string cursor;
  std::uint64_t offset = 0;                       // GET
  std::uint64_t wanted = 0;                       // GET: bytes; LIST: entries, 0 for the most
  Bytes value;                                    // of a PUT; empty where it is over the limit of a value
  std::uint32_t value_size = 0;                   // as declared
  std::optional<std::uint64_t> condition;
  CallResult result = CallResult::timed_out;      // with `completed`
  Op answered_op = Op::sync;                      // where answered, and so the rest
  Status status = Status::ok;
  std::uint64_t index = 0;                        // of the record
  std::uint64_t revision = 0;
  bool replayed = false;                          // perhaps from the session's table, which names no revision
  std::uint64_t total_size = 0;
  Bytes data;                                     // GET
  bool has_more = false;                          // LIST
  std::vector<SeenEntry> entries;
  std::uint64_t durable_index = 0;                // SYNC
  AuditHead head;                                 // mutations, SYNC

  [[nodiscard]] bool answered() const { return completed != no_place && result == CallResult::answered; }
  [[nodiscard]] bool is_mutation() const { return op == Op::put || op == Op::del; }
};

// One record as a store took it, with its effect.
struct SeenAppend {
  Place at = 0;
  NodeId node = 0;
  std::uint64_t index = 0;  // as the trace names it
  Effect::Kind effect = Effect::Kind::none;
  std::string_view key;
  ByteView value;
  AuditRecord record;       // views into the trace
  ByteView encoded;
  Place lost = no_place;    // where a crash took it back

  [[nodiscard]] bool is_mutation() const { return record.kind == AuditKind::mutation; }
  [[nodiscard]] bool alive_at(Place place) const { return at <= place && place < lost; }
};

struct SeenExport {
  Place at = 0;
  NodeId node = 0;
  std::uint64_t index = 0;
  AuditRecord record;
  ByteView encoded;
};

struct SeenLostWrite {
  Place at = 0;
  NodeId node = 0;
  CallId call = 0;
  std::uint64_t index = 0;
  bool certain = false;
};

// Every other entry.
struct SeenEvent {
  Place at = 0;
  Time time;
  NodeId node = 0;
  TraceKind kind = TraceKind::fault;
  std::uint64_t argument = 0;
  ByteView payload;
};

// In the order of their places.
struct History {
  std::vector<SeenCall> calls;
  std::vector<SeenAppend> appends;
  std::vector<SeenExport> exports;
  std::vector<SeenLostWrite> lost_writes;
  std::vector<SeenEvent> events;
  Place end = 0;                          // the number of entries
  std::optional<std::string> unreadable;  // what could not be decoded, and then the rest is not there
};

// The two halves of a call, also for whoever records calls without a trace.
void fill_request(SeenCall& call, const RequestBody& body);
void fill_response(SeenCall& call, const Response& response);

// `trace` outlives the history and gets no more entries.
[[nodiscard]] History history_of(const Trace& trace);

}  // namespace statefs::sim
