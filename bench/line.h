// LINE: one established connection to a server without sockets, whose client side is a bare channel with a session open.
//
//   sealed request bytes -> LINE (core/server.h over any store) -> sealed answer bytes, which go nowhere
#pragma once

#include <cstdlib>
#include <functional>
#include <optional>
#include <utility>

#include "core/server.h"

namespace statefs::bench {

inline SecretKey secret(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(seed);
  return SecretKey(bytes);
}

class Line {
 public:
  // `store` outlives it. `serve_store` is called in each wake-up behind the requests, where the store has a disk.
  Line(Store& store, std::size_t grants, std::function<void()> serve_store = {}) : store_(store), serve_store_(std::move(serve_store)) {
    PolicySource source;
    source.peers.push_back({peer_->public_key(), "bench"});
    for (std::size_t i = 1; i < grants; ++i) {
      source.default_rules.push_back({"/state/other-" + std::to_string(i) + "/", access_all, false});
    }
    server_.emplace(*suite_, ServerKeys{device_, secret(9)}, Policy::create(source).value(), store_, ServerLimits{});
    id_ = server_->accept(secret(3), now_).value();
    channel_.emplace(Channel::initiator(*suite_, peer_, device_->public_key(), secret(4)));
    turn(channel_->take_handshake_output());
    turn(channel_->take_handshake_output());
    open_session();
  }

  // Where the next mutation goes: on one slot, in order.
  SlotRef next_place() {
    ++at_.sequence;
    return at_;
  }
  Bytes seal(ByteView plain) {
    Bytes sealed;
    if (!channel_->seal(plain, sealed)) std::abort();
    return sealed;
  }
  // One wake-up of the server. Returns the size of its answers in bytes.
  std::size_t take(ByteView bytes) {
    work(bytes);
    const std::size_t size = server_->output(id_).size();
    server_->output_taken(id_, size, now_);
    return size;
  }
  void pass_time() { now_.monotonic = now_.monotonic + milliseconds(1); }
  [[nodiscard]] std::uint64_t answered_ok() const { return server_->counters().requests_ok; }

 private:
  void open_session() {
    HelloRequest hello;
    hello.version = protocol_version;
    Bytes frame;
    encode_request({1, hello}, frame);
    encode_request({2, OpenRequest{{1}, 1}}, frame);
    turn(seal(frame));
    turn({});
    const auto sessions = store_.slots().live(owner_of({PeerKind::remote, peer_->public_key(), 0, {}}));
    if (sessions.size() != 1) std::abort();
    at_ = {sessions[0].number, 0, 1, 0};
  }
  void work(ByteView bytes) {
    server_->receive(id_, bytes, now_);
    server_->advance(now_);
    if (!serve_store_) return;
    serve_store_();
    server_->advance(now_);
  }
  void turn(const Bytes& bytes) {
    work(bytes);
    Bytes none;
    ByteView out = server_->output(id_);
    const std::size_t size = out.size();
    while (!out.empty()) (void)channel_->receive(out, none);
    server_->output_taken(id_, size, now_);
  }

  Now now_{Time{1}, 1};
  std::unique_ptr<Suite> suite_ = make_crypto_suite();
  std::shared_ptr<const DhKey> device_ = suite_->import(secret(1));
  std::shared_ptr<const DhKey> peer_ = suite_->import(secret(2));
  Store& store_;
  std::function<void()> serve_store_;
  std::optional<Server> server_;
  std::optional<Channel> channel_;
  ConnectionId id_ = 0;
  SlotRef at_;
};

}  // namespace statefs::bench
