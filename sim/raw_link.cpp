#include "sim/raw_link.h"

#include <utility>

namespace statefs::sim {

RawLink::RawLink(Node& node, StreamEnd end, const PublicKey& server)
    : node_(node), end_(end), channel_(Channel::initiator(node.ground().suite, node.identity(), server, node.fresh_key())) {
  send({hello_id, HelloRequest{1, feature_sessions, {}, 0, {}}});
}

bool RawLink::read(std::vector<RawResponse>& responses) {
  constexpr std::size_t read_size = 64 * 1024;
  Stream& from = stream();
  for (ByteView bytes = from.read(end_.side, read_size); !bytes.empty(); bytes = from.read(end_.side, read_size)) {
    while (!bytes.empty()) {
      const ChannelEvent event = channel_.receive(bytes, plain_in_);
      if (channel_.dead()) return false;
      if (event == ChannelEvent::plaintext && !take_frames(responses)) return false;
    }
  }
  return !from.at_end(end_.side) && !from.broken(end_.side);
}

bool RawLink::take_frames(std::vector<RawResponse>& responses) {
  while (plain_in_.size() >= limits::frame_header_size) {
    const auto header = decode_frame_header(plain_in_);
    if (!header.ok()) return false;
    const std::size_t size = limits::frame_header_size + header.value().body_size;
    if (plain_in_.size() < size) return true;
    RawResponse taken{Bytes(plain_in_.begin() + limits::frame_header_size, plain_in_.begin() + static_cast<std::ptrdiff_t>(size)), {}};
    auto response = decode_response(header.value(), taken.bytes);
    if (!response.ok()) return false;
    taken.response = std::move(response).value();
    responses.push_back(std::move(taken));
    plain_in_.erase(plain_in_.begin(), plain_in_.begin() + static_cast<std::ptrdiff_t>(size));
  }
  return true;
}

void RawLink::flush() {
  const Bytes message = channel_.take_handshake_output();
  output_.insert(output_.end(), message.begin(), message.end());
  if (channel_.established() && !channel_.dead() && !plain_out_.empty()) {
    STATEFS_CHECK(channel_.seal(plain_out_, output_));
    plain_out_.clear();
  }
  if (!stream().is_open(end_.side)) return;
  while (!output_.empty()) {
    const std::size_t count = stream().write(end_.side, output_);
    if (count == 0) return;
    output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(count));
  }
}

}  // namespace statefs::sim
