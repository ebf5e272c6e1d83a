// One end of a channel, fed with a genuine conversation that the input cuts, changes, repeats, leaves out and replaces.
// A model that knows the genuine bytes and no cryptography says what must come of it: messages that came unchanged and
// in order are accepted, the first one that did not ends the channel, and no other plaintext ever appears.
//
// Input: one byte for the end that is fed (even: server, odd: client), one for the size of the pieces (0: each step
// whole), then steps of one byte and a little-endian u16 count: 0 deliver, 1 replace by what follows in the input,
// 2 leave out, 3 change the next byte by the count's low bits, 4 repeat what was last delivered.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "core/channel.h"

namespace {

using statefs::Bytes;
using statefs::ByteView;
using statefs::Channel;
using statefs::ChannelEvent;

constexpr std::size_t delivered_size_max = 1 << 18;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "channel_bytes: %s\n", what);
  std::abort();
}

statefs::SecretKey secret(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(seed + 7 * i);
  return statefs::SecretKey(bytes);
}

// What one end is sent when nothing goes wrong.
struct Side {
  Bytes stream;
  std::vector<std::size_t> ends;  // of each message in the stream
  std::vector<Bytes> texts;       // of each message; empty for the handshake and keepalives
  std::size_t handshakes = 0;

  void add(const Bytes& wire, const Bytes& text) {
    stream.insert(stream.end(), wire.begin(), wire.end());
    ends.push_back(stream.size());
    texts.push_back(text);
  }
};

class Conversation {
 public:
  Conversation() {
    Channel client = make(true);
    Channel server = make(false);
    shake(client, to_server_, server);
    shake(server, to_client_, client);
    shake(client, to_server_, server);
    require(client.established() && server.established(), "a genuine handshake fails");
    talk(client, to_server_);
    talk(server, to_client_);
  }

  [[nodiscard]] Channel make(bool client) const {
    return client ? Channel::initiator(*suite_, client_key_, server_key_->public_key(), secret(3))
                  : Channel::responder(*suite_, server_key_, secret(4));
  }
  [[nodiscard]] const Side& to(bool client) const { return client ? to_client_ : to_server_; }

 private:
  static void shake(Channel& from, Side& side, Channel& to) {
    const Bytes wire = from.take_handshake_output();
    side.add(wire, {});
    ++side.handshakes;
    ByteView rest = wire;
    Bytes none;
    (void)to.receive(rest, none);
  }
  static void talk(Channel& from, Side& side) {
    for (const std::size_t size : {1u, 0u, 40u, 300u, 0u, 0u, 65'519u, 16u, 17u}) {
      Bytes text(size);
      for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<std::uint8_t>(i + side.ends.size());
      Bytes wire;
      require(text.empty() ? from.seal_keepalive(wire) : from.seal(text, wire), "a genuine record is not sealed");
      side.add(wire, text);
    }
  }

  std::unique_ptr<statefs::Suite> suite_ = statefs::make_crypto_suite();
  std::shared_ptr<const statefs::DhKey> client_key_ = suite_->import(secret(1));
  std::shared_ptr<const statefs::DhKey> server_key_ = suite_->import(secret(2));
  Side to_server_;
  Side to_client_;
};

struct Expected {
  Bytes plaintext;
  bool established = false;
  bool dead = false;
  bool mid_message = false;
};

// The model: walks what was delivered, message by message, beside what is genuine.
Expected expect(const Side& side, ByteView delivered) {
  Expected expected;
  std::size_t at = 0;
  for (std::size_t i = 0;; ++i) {
    expected.established = i >= side.handshakes;
    const ByteView rest = delivered.subspan(at);
    if (rest.size() < 2) {
      expected.mid_message = !rest.empty();
      return expected;
    }
    const std::size_t end = i < side.ends.size() ? side.ends[i] : 0;
    const std::size_t size = 2 + (std::size_t{rest[0]} << 8 | rest[1]);
    expected.dead = i < side.handshakes ? size != end - at : size < 18;
    if (expected.dead) return expected;
    if (rest.size() < size) {
      expected.mid_message = true;
      return expected;
    }
    if (end == 0 || !statefs::equal(rest.first(size), ByteView(side.stream).subspan(at, end - at))) {
      expected.dead = true;
      return expected;
    }
    expected.plaintext.insert(expected.plaintext.end(), side.texts[i].begin(), side.texts[i].end());
    at = end;
  }
}

// What the input makes of the genuine stream.
Bytes deliver(const Side& side, ByteView steps) {
  Bytes out;
  ByteView genuine = side.stream;
  const auto append = [&](ByteView bytes) {
    const std::size_t room = delivered_size_max - out.size();
    out.insert(out.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min(room, bytes.size())));
  };
  while (steps.size() >= 3) {
    const std::size_t count = std::size_t{steps[1]} | std::size_t{steps[2]} << 8;
    const int step = steps[0] % 5;
    steps = steps.subspan(3);
    ByteView& source = step == 1 ? steps : genuine;
    const std::size_t size = step == 3 ? std::min<std::size_t>(1, genuine.size()) : std::min(count, source.size());
    if (step == 4) {
      const Bytes last(out.end() - static_cast<std::ptrdiff_t>(std::min(count, out.size())), out.end());
      append(last);
      continue;
    }
    if (step == 3 && size == 1) append(Bytes{static_cast<std::uint8_t>(genuine[0] ^ (count & 0xff))});
    if (step < 2) append(source.first(size));
    source = source.subspan(size);
  }
  return out;
}

bool is_death(ChannelEvent event) {
  return event == ChannelEvent::handshake_failed || event == ChannelEvent::damaged || event == ChannelEvent::exhausted;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Conversation conversation;
  if (size < 2) return 0;
  const bool client = data[0] % 2 == 1;
  const Side& side = conversation.to(client);
  const Bytes delivered = deliver(side, ByteView(data, size).subspan(2));
  const std::size_t piece_size = data[1] == 0 ? delivered_size_max : data[1];

  Channel channel = conversation.make(client);
  Bytes plaintext;
  ByteView left = delivered;
  while (!left.empty()) {
    ByteView piece = left.first(std::min(left.size(), piece_size));
    left = left.subspan(piece.size());
    while (!piece.empty()) {
      const std::size_t before = plaintext.size();
      const ChannelEvent event = channel.receive(piece, plaintext);
      require(plaintext.size() == before || event == ChannelEvent::plaintext, "plaintext without saying so");
      require(is_death(event) == channel.dead(), "an event does not agree with the state");
      require(event != ChannelEvent::handshake_failed || !channel.established(), "a handshake fails after its end");
      require(event != ChannelEvent::damaged || channel.established(), "a record is damaged before the first");
      require(event != ChannelEvent::exhausted, "nonces run out");
      require(channel.buffered_size() <= 65'537 + 66, "more is held than a message and an answer");
    }
  }

  const Expected expected = expect(side, delivered);
  require(plaintext == expected.plaintext, "plaintext is not what was sealed and came unchanged");
  require(channel.dead() == expected.dead, "damage does not end the channel, or something else does");
  require(channel.established() == expected.established, "established by other bytes, or not by the right ones");
  require(channel.mid_message() == expected.mid_message, "what is held is not part of a message");
  Bytes out;
  if (channel.established()) require(channel.seal_keepalive(out) != channel.dead(), "a dead channel seals");
  return 0;
}
