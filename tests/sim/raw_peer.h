// RAW PEER: a peer that speaks the channel, or not even that, and sends whatever a test wants.
//
//   test -> RAW PEER -> channel.h -> stream of a world -> the real server
#pragma once

#include <optional>

#include "core/channel.h"
#include "sim/node.h"

namespace statefs::sim {

class RawPeer final : public Program {
 public:
  // With a server key it makes the handshake; without it sends nothing that it was not told to send.
  RawPeer(Node& node, NodeId server, const std::optional<PublicKey>& server_key) : Program(node), server_(server) {
    if (server_key) channel_.emplace(Channel::initiator(node.ground().suite, node.identity(), *server_key, node.fresh_key()));
    request_wake();
  }

  void send_stream(ByteView bytes) {
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
    request_wake();
  }
  // Sealed once the channel is established.
  void send_plain(ByteView bytes) {
    plain_.insert(plain_.end(), bytes.begin(), bytes.end());
    request_wake();
  }
  // Flips one bit of the next bytes that are sealed.
  void damage_next() { damages_ = true; }

  [[nodiscard]] const Bytes& plain_received() const { return received_; }
  [[nodiscard]] std::size_t stream_received_size() const { return stream_received_size_; }
  [[nodiscard]] bool established() const { return channel_ && channel_->established(); }
  [[nodiscard]] bool closed_by_server() const { return closed_; }
  [[nodiscard]] bool all_sent() const { return pending_.empty() && plain_.empty(); }

 private:
  [[nodiscard]] Time deadline() const override { return never; }

  void work(const std::vector<StreamEnd>&, Now) override {
    if (!end_ && !closed_) end_ = connect(server_);
    if (!end_) return;
    Stream& to = stream(*end_);
    read(to);
    if (channel_ && !to.broken(end_->side)) {
      const Bytes message = channel_->take_handshake_output();
      pending_.insert(pending_.end(), message.begin(), message.end());
      if (channel_->established() && !plain_.empty()) {
        STATEFS_CHECK(channel_->seal(plain_, pending_));
        plain_.clear();
        if (std::exchange(damages_, false)) pending_.back() ^= 1;
      }
    }
    if (to.is_open(end_->side)) {
      const std::size_t count = to.write(end_->side, pending_);
      pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    if (to.at_end(end_->side) || to.broken(end_->side)) {
      closed_ = true;
      close(*end_);
      end_.reset();
    }
  }

  void read(Stream& from) {
    for (ByteView bytes = from.read(end_->side, 64 * 1024); !bytes.empty(); bytes = from.read(end_->side, 64 * 1024)) {
      stream_received_size_ += bytes.size();
      while (channel_ && !bytes.empty()) {
        const ChannelEvent event = channel_->receive(bytes, received_);
        if (event == ChannelEvent::handshake_failed || event == ChannelEvent::damaged) channel_.reset();
      }
    }
  }

  NodeId server_;
  std::optional<Channel> channel_;
  std::optional<StreamEnd> end_;
  Bytes pending_, plain_, received_;
  std::size_t stream_received_size_ = 0;
  bool damages_ = false, closed_ = false;
};

}  // namespace statefs::sim
