// RAW PEER: a peer that speaks the channel by hand, so that it can say what no client says.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "tests/core/device.h"

namespace statefs::test {

class RawPeer {
 public:
  RawPeer(Device& device, std::size_t peer) : device_(device) {
    const auto accepted = device.server().accept(device.ephemeral(), device.now());
    EXPECT_TRUE(accepted.ok());
    id = accepted.value();
    channel.emplace(Channel::initiator(device.suite(), device.peer_key(peer), device.key(), device.ephemeral()));
  }
  void send_raw(ByteView bytes) {
    device_.server().receive(id, bytes, device_.now());
    turn();
  }
  void turn() {
    device_.server().advance(device_.now());
    const ByteView out = device_.server().output(id);
    received.insert(received.end(), out.begin(), out.end());
    device_.server().output_taken(id, out.size(), device_.now());
  }
  // Everything the server said since, opened.
  Bytes open() {
    Bytes plain;
    ByteView rest(received);
    while (!rest.empty()) {
      const ChannelEvent event = channel->receive(rest, plain);
      EXPECT_NE(event, ChannelEvent::damaged);
    }
    received.clear();
    return plain;
  }
  void shake_hands() {
    send_raw(channel->take_handshake_output());
    EXPECT_TRUE(open().empty());
    send_raw(channel->take_handshake_output());
  }
  void send(ByteView plain) {
    Bytes sealed;
    ASSERT_TRUE(channel->seal(plain, sealed));
    send_raw(sealed);
  }
  void send(const RequestBody& request, std::uint64_t request_id) {
    Bytes frame;
    encode_request({request_id, request}, frame);
    send(frame);
  }
  void greet() {
    shake_hands();
    HelloRequest hello;
    hello.version = 1;
    send(hello, 1);
    EXPECT_EQ(status(), Status::ok);
  }
  // Opens a session, however long the flush takes that its answer waits for.
  void open_session() {
    SessionInstance instance{};
    instance.fill(static_cast<std::uint8_t>(0x70 + id));
    send(OpenRequest{instance, 1}, 2);
    for (int i = 0; i < 3 && received.empty(); ++i) {
      device_.wait(milliseconds(3));
      turn();
    }
    const Bytes plain = open();
    ASSERT_GT(plain.size(), limits::frame_header_size);
    const auto answer = decode_response(load_frame_header(plain), ByteView(plain).subspan(limits::frame_header_size));
    ASSERT_TRUE(answer.ok());
    ASSERT_EQ(answer.value().status, Status::ok);
    at.session = std::get<SessionResponse>(answer.value().body).session;
    at.generation = 1;
  }
  // The request on the next sequence of slot 0.
  template <typename Mutation>
  Mutation placed(Mutation mutation) {
    ++at.sequence;
    mutation.at = at;
    return mutation;
  }
  // The status of the only response that came.
  Status status() {
    const Bytes plain = open();
    EXPECT_GE(plain.size(), limits::frame_header_size);
    if (plain.size() < limits::frame_header_size) return Status::io_error;
    last = load_frame_header(plain);
    EXPECT_EQ(plain.size(), limits::frame_header_size + last.body_size);
    return static_cast<Status>(last.status);
  }
  [[nodiscard]] bool closed() const { return device_.server().finished(id); }

  ConnectionId id = 0;
  std::optional<Channel> channel;
  Bytes received;
  FrameHeader last;
  SlotRef at;

 private:
  Device& device_;
};

}  // namespace statefs::test
