#include "sim/wire.h"

#include <algorithm>
#include <map>
#include <utility>

namespace statefs::sim {
namespace {

// One direction of one stream.
class Assembly {
 public:
  void take(const WireEntry& wire, ByteView bytes, std::vector<WireMessage>& out) {
    while (!bytes.empty()) {
      const std::size_t size = std::min(bytes.size(), missing());
      if (message_.size == 0) {
        message_.stream = static_cast<StreamId>(wire.entry.argument);
        message_.to = wire.entry.node;
        message_.first_arrival = wire.entry.time;
      }
      message_.last_arrival = wire.entry.time;
      message_.place = wire.place;
      add(bytes.first(size));
      bytes = bytes.subspan(size);
      if (!is_junk_ && missing() == 0) finish(out);
    }
  }
  void end(std::vector<WireMessage>& out) {
    if (message_.size > 0) out.push_back(std::exchange(message_, {}));
  }

 private:
  // Bytes until the length is known, or until the message is whole.
  [[nodiscard]] std::size_t missing() const {
    if (is_junk_) return ~std::size_t{0};
    if (message_.size < limits::record_length_size) return limits::record_length_size - message_.size;
    return limits::record_length_size + load_be16(message_.head.data()) - message_.size;
  }
  void add(ByteView bytes) {
    message_.size += bytes.size();
    const std::size_t kept = std::min(bytes.size(), wire_head_size_max - message_.head.size());
    message_.head.insert(message_.head.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(kept));
    // The last bytes move on to the left.
    const std::size_t fresh = std::min(bytes.size(), tail_.size());
    std::copy(tail_.begin() + static_cast<std::ptrdiff_t>(fresh), tail_.end(), tail_.begin());
    std::copy(bytes.end() - static_cast<std::ptrdiff_t>(fresh), bytes.end(), tail_.end() - static_cast<std::ptrdiff_t>(fresh));
    const bool has_length = message_.size >= limits::record_length_size;
    if (has_length && load_be16(message_.head.data()) < limits::aead_tag_size) is_junk_ = true;
  }
  void finish(std::vector<WireMessage>& out) {
    message_.tag = tail_;
    out.push_back(std::exchange(message_, {}));
  }

  WireMessage message_;
  Tag tail_{};
  bool is_junk_ = false;
};

}  // namespace

std::vector<StreamNodes> stream_nodes_of(const Trace& trace) {
  std::vector<StreamNodes> streams;
  for (const TraceEntry& entry : trace.entries()) {
    const bool is_acceptor = entry.kind == TraceKind::stream_offered;
    const bool is_connector = entry.kind == TraceKind::stream_opened || entry.kind == TraceKind::stream_refused;
    if (!is_acceptor && !is_connector) continue;
    if (entry.argument >= streams.size()) streams.resize(static_cast<std::size_t>(entry.argument) + 1);
    StreamNodes& nodes = streams[static_cast<std::size_t>(entry.argument)];
    (is_acceptor ? nodes.acceptor : nodes.connector) = entry.node;
  }
  return streams;
}

std::vector<WireMessage> wire_messages_of(const Trace& trace) {
  std::vector<WireMessage> messages;
  std::map<std::pair<std::uint64_t, NodeId>, Assembly> directions;
  for (const WireEntry& wire : trace.wire()) {
    directions[{wire.entry.argument, wire.entry.node}].take(wire, trace.payload(wire.entry), messages);
  }
  for (auto& [direction, assembly] : directions) assembly.end(messages);
  return messages;
}

}  // namespace statefs::sim
