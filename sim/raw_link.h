// RAW LINK: one stream of a program with its own channel: requests out, responses in, and no promise kept for anybody.
//
//   repeater.h -> RAW LINK -> core/channel.h, stream.h
//
// A client keeps to the protocol by itself, so what a peer may do that is no such client needs one without its rules.
// HELLO is sent when the channel is established.
#pragma once

#include <optional>
#include <vector>

#include "core/channel.h"
#include "core/response.h"
#include "sim/node.h"

namespace statefs::sim {

// A response with the bytes that it points into.
struct RawResponse {
  Bytes bytes;
  Response response;
};

class RawLink {
 public:
  static constexpr std::uint64_t hello_id = 0;

  // Over a stream that is opening. The node outlives the link, and the stream is the caller's.
  RawLink(Node& node, StreamEnd end, const PublicKey& server);

  // Takes what arrived; responses are appended to `responses`. False: the stream ended, or what came makes no sense.
  [[nodiscard]] bool read(std::vector<RawResponse>& responses);
  void send(const Request& request) { encode_request(request, plain_out_); }
  // Writes as much as the stream takes.
  void flush();
  [[nodiscard]] bool established() const { return channel_.established(); }
  [[nodiscard]] StreamEnd end() const { return end_; }
  [[nodiscard]] Stream& stream() const { return node_.ground().network.stream(end_); }

 private:
  [[nodiscard]] bool take_frames(std::vector<RawResponse>& responses);

  Node& node_;
  StreamEnd end_;
  Channel channel_;
  Bytes plain_in_, plain_out_, output_;
};

}  // namespace statefs::sim
