// TRACE: the log of what happened in a world, for checkers and reports. It is all that they may look at.
//
//   network.h, node.h, workloads (add) -> TRACE -> checkers, digest.h
//
// Each entry is folded into the run's digest, kept or not. Payload bytes are kept in one arena; bytes on the wire are
// large, kept only where asked for, and apart: the number of an entry does not depend on whether they are kept.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "sim/schedule.h"

namespace statefs::sim {

enum class TraceKind : std::uint32_t {
  stream_offered = 1,  // at the acceptor; argument: the stream
  stream_opened,       // at the connector
  stream_refused,      // payload: nothing, or the byte 1: nobody answered in time
  stream_bytes,        // at the receiver; payload: the bytes that arrived
  stream_ended,        // the peer's clean end was reached
  stream_broken,       // payload: nothing, or the byte 1: nobody answered in time
  call,                // argument: call id (of this incarnation, trace_call_id); payload: the request as a frame
  completion,          // argument: call id; payload: result byte and the response as a frame
  audit,               // payload: the encoded record
  node_down,           // argument: how often this node was started before
  node_up,             // argument: how often it was
  fault,               // argument: which
  appended,            // by a store; argument: the index; payload: see history.cpp
  durable,             // argument: the index up to which a crash takes nothing back
  store_lost,          // argument: the last index that a crash left, as known once the store is ready again; payload: nothing, or the byte
                       // 1: an older copy of the disk was put in, or a write had gone elsewhere
  lost_write,          // argument: call id; payload: u64 index, u8 certain
  tampered,            // at the receiver; argument: the stream; payload: side that sent u8, TamperKind u8, place in what is received u64
  stream_closed,       // by its user; argument: the stream; payload: side u8
  policy,              // argument: the number of the policy that is in force from here on
  calm,                // no more faults from here on
  distrusted,          // by a client; argument: the stream that it ended for what came on it; payload: Disconnect u8
  store_failed,        // a disk did, in one request: nothing completes any more
  store_refused,       // damage was found; argument: where on the disk; payload: Found u8, Damage u8
  recovered,           // argument: as of which index; payload: size u16, key, revision u64, hash of the value u64, of all that is there
  rolled_back,         // by a client; argument: the durable index that the store no longer has; payload: u64 incarnation, u64 durable now
  log_fill,            // argument: 1 where a journal may have no room for its largest record, 0 where it has
};

struct TraceEntry {
  Time time;
  NodeId node = 0;
  TraceKind kind = TraceKind::fault;
  std::uint64_t argument = 0;
  std::size_t payload_at = 0;
  std::size_t payload_size = 0;
};

using Place = std::size_t;  // the number of an entry
inline constexpr Place no_place = ~Place{0};

// Bytes that arrived, and how many entries there were before.
struct WireEntry {
  TraceEntry entry;
  std::size_t place = 0;
};

class Trace {
 public:
  explicit Trace(Schedule& schedule) : schedule_(schedule) {}

  void keep_entries(bool keep) { keep_entries_ = keep; }
  void keep_stream_bytes(bool keep) { keep_stream_bytes_ = keep; }

  void add(NodeId node, TraceKind kind, std::uint64_t argument, ByteView payload = {});

  [[nodiscard]] const std::vector<TraceEntry>& entries() const { return entries_; }
  // Of the last entry, or where the first will be.
  [[nodiscard]] Place here() const { return entries_.empty() ? 0 : entries_.size() - 1; }
  [[nodiscard]] const std::vector<WireEntry>& wire() const { return wire_; }
  // Valid until the next add().
  [[nodiscard]] ByteView payload(const TraceEntry& entry) const {
    return ByteView(arena_).subspan(entry.payload_at, entry.payload_size);
  }

 private:
  Schedule& schedule_;
  bool keep_entries_ = true;
  bool keep_stream_bytes_ = false;
  std::vector<TraceEntry> entries_;
  std::vector<WireEntry> wire_;
  Bytes arena_;
};

// A client that was restarted counts its calls from 1 again; in the trace its number is above theirs.
constexpr std::uint64_t trace_call_id(std::uint64_t incarnation, std::uint64_t call) { return incarnation << 40 | call; }
constexpr std::uint64_t incarnation_of(std::uint64_t trace_call_id) { return trace_call_id >> 40; }

[[nodiscard]] std::string_view name_of(TraceKind kind);

}  // namespace statefs::sim
