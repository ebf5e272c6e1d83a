// RAW END: one stream of a program that speaks for itself: the channel where wanted, and plain frames in it.
//
//   session_hog.h, hostile.h -> RAW END -> core/channel.h -> a stream of a world
//
// It keeps no promise of the protocol but the record layer's, and not even that where raw bytes are sent.
#pragma once

#include <optional>

#include "core/channel.h"
#include "core/response.h"
#include "sim/stream.h"

namespace statefs::sim {

class RawEnd {
 public:
  explicit RawEnd(std::optional<Channel> channel) : channel_(std::move(channel)) {}

  void send_plain(ByteView bytes) { plain_.insert(plain_.end(), bytes.begin(), bytes.end()); }
  // Behind what was sent so far, as it is.
  void send_raw(ByteView bytes);
  [[nodiscard]] bool established() const { return channel_ && channel_->established(); }

  // Moves bytes as far as the stream takes them; reads unless told not to. False once the stream is over.
  [[nodiscard]] bool move(Stream& stream, Side side, bool reads);
  // No more than was written: what waits to be sent is forgotten, and nothing may be sent any more.
  void finish(Stream& stream, Side side);
  [[nodiscard]] bool done() const { return done_; }
  // The next whole response, which points into this until the next call; none yet.
  [[nodiscard]] std::optional<Response> take_response();

 private:
  void read(ByteView bytes);
  bool seal();

  std::optional<Channel> channel_;
  Bytes plain_;     // to be sealed
  Bytes out_;
  Bytes received_;  // plaintext
  bool done_ = false;
  Bytes frame_;     // the response that was taken last
};

}  // namespace statefs::sim
