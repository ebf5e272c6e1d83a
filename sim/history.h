// HISTORY: what the trace says that clients asked and got and that servers stored, lost and recorded, side by side.
//
//   trace.h -> HISTORY -> case.h -> checks.h
//
// All is decoded again from frames and records in the trace and from what was sealed; nothing of a client's, server's or
// store's own tables is used. A place is the number of an entry in the trace: what happened before what, also within one instant.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/audit.h"
#include "core/client.h"
#include "core/store.h"
#include "sim/spoken.h"
#include "sim/trace.h"

namespace statefs::sim {

struct SeenEntry {
  std::string key;
  std::uint64_t size = 0;
  std::uint64_t revision = 0;
};

struct SeenCall {
  NodeId node = 0;
  CallId id = 0;  // of trace_call_id()
  Place called = 0;
  Time called_time;
  Place completed = no_place;
  Time completed_time;
  Place completed_again = no_place;
  Place crashed = no_place;                       // its client went down before a completion
  Op op = Op::sync;
  std::string key;                                // or prefix
  std::string cursor;
  std::uint64_t offset = 0;                       // GET
  std::uint64_t wanted = 0;                       // GET: bytes; LIST: entries, 0 for the most
  Bytes value;                                    // of a PUT; empty where it is over the limit of a value
  std::uint32_t value_size = 0;                   // as declared; of a staged PUT the total size, or the most that fits here
  std::optional<StageCommit> staged;              // and then no value
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
  Time time;
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

// One request as a server opened it, and what it answered (conversation.h). Views into what was said.
struct SeenExchange {
  enum class Form : std::uint8_t { none, request, malformed, unknown_op };  // none: an answer to no request

  NodeId node = 0;               // the server
  NodeId peer = 0;               // no_node: nobody's key
  std::uint32_t connection = 0;  // which arrival
  Place asked = 0;               // the last entry before it was opened
  Time asked_time;
  Place answered = no_place;     // the last entry before its answer was sealed
  Time answered_time;
  Form form = Form::none;
  std::uint64_t id = 0;
  std::uint8_t op = 0;
  Request request;               // of that form
  bool is_readable = false;      // the answer, where there is one
  Response answer;

  [[nodiscard]] bool is_answered() const { return answered != no_place; }
};

// A peer that came through a handshake, whether it was let in or not.
struct SeenArrival {
  Place at = 0;
  NodeId node = 0;               // the server
  NodeId peer = 0;               // no_node: nobody's key
  std::uint32_t connection = 0;
  Place refused = no_place;      // where a record of it did not authenticate
  Place last_said = no_place;    // where something was sealed for it last
  bool is_heard = false;         // a record of it was opened
  bool is_local = false;         // it came to the local door, and has no handshake behind it
  Time time;
  const SpokenLine* requests = nullptr;  // what it sealed; null: not known
  const SpokenLine* answers = nullptr;
};

// Where each number of a load was highest, or first counted; no_place: never.
struct LoadPlaces {
  Place connections = no_place, buffered_size = no_place, output_size = no_place, staged_size = no_place, waiting_size = no_place;
  Place reads_when_full = no_place, one_too_many = no_place, one_too_few = no_place, overdue = no_place, idle_timers = no_place;
};
// A number that is kept at its highest, and one that is counted: with the place of the first such.
inline void raise(std::uint64_t& most, Place& at, std::uint64_t to, Place here) {
  if (to <= most) return;
  most = to;
  at = here;
}
inline void count_to(std::uint64_t& count, Place& at, std::uint64_t to, Place here) {
  if (to > count && at == no_place) at = here;
  count = to;
}

// What was measured of a node's programs while they ran, each at its highest, and what was left over in the end.
struct SeenLoad {
  NodeId node = 0;
  std::uint64_t samples = 0;
  std::uint64_t connections = 0;       // of a server
  std::uint64_t buffered_size = 0;     // of one connection
  std::uint64_t output_size = 0;       // that was handed out for one of them at once
  std::uint64_t reads_when_full = 0;   // how often it would read though so much output waited as may wait
  std::uint64_t idle_timers = 0;       // beyond those that time explains, in a row and without any effect
  std::uint64_t connections_left = 0;
  std::uint64_t commits_left = 0;
  std::uint64_t staged_size = 0;       // reserved for stages, of all peers
  std::uint64_t staged_left = 0;
  std::uint64_t one_too_many = 0;      // connections let in beyond a limit
  std::uint64_t one_too_few = 0;       // turned away below all limits
  std::uint64_t waiting_size = 0;      // answers and input not worked on, of all connections
  std::uint64_t overdue = 0;           // left in a handshake, in silence or in age beyond its time
  std::uint64_t timed_out = 0;         // handshakes given up for their time, in the last life of a server
  LoadPlaces at{};
};

// A client's wait from the end of one stream to the begin of the next, by its own clock.
struct SeenWait {
  NodeId node = 0;
  Time began;
  Time time;                           // when it was over
  std::uint32_t failures = 0;          // streams before this one, in a row, on which HELLO was not answered
  Duration lasted;
  bool was_wanted = false;             // there was a call to be made all the time
  std::uint64_t incarnation = 0;       // of its program: another begins its draws anew
};

// A server did not read a connection of that peer, though there was room for its answers, and then did again. By the world's time.
struct SeenRest {
  Place at = 0;
  NodeId node = 0;  // the server
  NodeId peer = 0;
  Time from, until;
  bool is_pressed = false;  // since too much waited for that peer, or for all, as its server says
  bool is_edge = false;     // it was never read again, as when draining, or little was said to it yet, as in a handshake
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
  std::vector<SeenExchange> exchanges;
  std::vector<SeenArrival> arrivals;
  std::vector<SeenLoad> loads;
  std::vector<SeenWait> waits;            // of each client in their order
  std::vector<SeenRest> rests;
  std::uint64_t streams_left = 0;         // in the end, of the whole world
  std::uint64_t events_left = 0;
  Place end = 0;                          // the number of entries
  std::optional<std::string> unreadable;  // what could not be decoded, and then the rest is not there
};

// The two halves of a call, also for whoever records calls without a trace.
void fill_request(SeenCall& call, const RequestBody& body);
void fill_response(SeenCall& call, const Response& response);

// A GET or LIST that was answered, as a call of that peer between the two places.
[[nodiscard]] SeenCall seen_call_of(const SeenExchange& exchange);

// `trace` outlives the history and gets no more entries.
[[nodiscard]] History history_of(const Trace& trace);

}  // namespace statefs::sim
