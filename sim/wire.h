// WIRE: the messages of each stream, put together again from the bytes that arrived.
//
//   trace.h (wire) -> WIRE -> story.h
//
// A stream carries Noise messages, each with a big-endian length of two bytes in front (core/channel.h). What arrived in
// pieces becomes messages again, by stream and direction. From where a length cannot be right (below a tag), the rest of
// that direction is one piece that is no message.
#pragma once

#include <optional>
#include <vector>

#include "sim/stream.h"
#include "sim/tap.h"

namespace statefs::sim {

// Who a stream is between, as far as the trace tells.
struct StreamNodes {
  NodeId connector = no_node;
  NodeId acceptor = no_node;
};
// By StreamId.
[[nodiscard]] std::vector<StreamNodes> stream_nodes_of(const Trace& trace);

struct WireMessage {
  StreamId stream = 0;
  NodeId to = no_node;
  Time first_arrival;          // of its first byte
  Time last_arrival;           // of its last byte that came
  std::size_t place = 0;       // entries of the trace before its last byte
  std::optional<Tag> tag;      // none: no message, or one that did not arrive whole
  std::size_t size = 0;        // with the length in front, as far as it came
  Bytes head;                  // its first bytes, `wire_head_size_max` of them at most
};
inline constexpr std::size_t wire_head_size_max = 256;

// In the order in which they were complete, what is not complete last.
[[nodiscard]] std::vector<WireMessage> wire_messages_of(const Trace& trace);

}  // namespace statefs::sim
