// TRANSPORT: what turns the bytes of a stream into plaintext and back: a channel, or nothing at all.
//
//   stream bytes <-> TRANSPORT (channel.h | plain) <-> plaintext bytes -> intake.h, client.h
//
// A remote peer is known by a channel; at the local door the kernel knows who is there and nobody is on the path, so the
// plaintext travels as it is. A plain transport is established from the start, has no peer key, is never dead and has no
// keepalives: the kernel says at once when the other end has gone.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "core/bytes.h"
#include "core/channel.h"
#include "core/check.h"
#include "core/limits.h"

namespace statefs {

class Transport {
 public:
  explicit Transport(Channel channel) : channel_(std::move(channel)) {}
  static Transport plain() { return Transport(); }

  // Channel::receive(). Plain: takes at most as much at once as one record would carry.
  [[nodiscard]] ChannelEvent receive(ByteView& bytes, Bytes& plaintext) {
    if (channel_) return channel_->receive(bytes, plaintext);
    if (bytes.empty()) return ChannelEvent::need_more;
    const std::size_t size = std::min(bytes.size(), limits::record_plaintext_size_max);
    plaintext.insert(plaintext.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    bytes = bytes.subspan(size);
    return ChannelEvent::plaintext;
  }
  [[nodiscard]] Bytes take_handshake_output() { return channel_ ? channel_->take_handshake_output() : Bytes(); }

  // Channel::seal(). Plain: always possible.
  [[nodiscard]] bool seal(ByteView plaintext, Bytes& out) {
    if (channel_) return channel_->seal(plaintext, out);
    out.insert(out.end(), plaintext.begin(), plaintext.end());
    return true;
  }
  // Only where has_keepalives().
  [[nodiscard]] bool seal_keepalive(Bytes& out) {
    STATEFS_CHECK(channel_.has_value());
    return channel_->seal_keepalive(out);
  }
  [[nodiscard]] bool has_keepalives() const { return channel_.has_value(); }

  [[nodiscard]] bool established() const { return !channel_ || channel_->established(); }
  [[nodiscard]] bool dead() const { return channel_ && channel_->dead(); }
  [[nodiscard]] const PublicKey& peer() const {  // only of an established channel
    STATEFS_CHECK(channel_.has_value());
    return channel_->peer();
  }
  [[nodiscard]] bool mid_message() const { return channel_ && channel_->mid_message(); }
  [[nodiscard]] std::size_t buffered_size() const { return channel_ ? channel_->buffered_size() : 0; }

 private:
  Transport() = default;
  std::optional<Channel> channel_;  // none: plain
};

}  // namespace statefs
