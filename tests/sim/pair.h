// PAIR: two nodes with one stream between them, and what tests of the network send over it.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "sim/network.h"

namespace statefs::sim {

// One node that sends what it was given and keeps what it got, at its end of one stream.
struct Party : StreamUser {
  bool stream_offered(StreamEnd offered) override {
    end = offered;
    ready = true;
    return true;
  }
  void stream_ready(StreamEnd) override { ready = true; }

  void act(Network& network) {
    if (!end || !ready) return;
    ready = false;
    Stream& stream = network.stream(*end);
    for (;;) {
      const ByteView bytes = stream.read(end->side, read_max);
      if (bytes.empty()) break;
      ++reads;
      received.insert(received.end(), bytes.begin(), bytes.end());
    }
    while (sent < to_send.size()) {
      const std::size_t size = std::min(write_max, to_send.size() - sent);
      const std::size_t count = stream.write(end->side, ByteView(to_send).subspan(sent, size));
      if (count == 0) break;
      sent += count;
    }
    if (closes_when_sent && sent == to_send.size() && stream.is_open(end->side)) stream.close(end->side);
    ended = ended || stream.at_end(end->side);
    broken = broken || stream.broken(end->side);
  }

  std::optional<StreamEnd> end;
  Bytes to_send, received;
  std::size_t sent = 0, reads = 0, read_max = 1 << 20, write_max = 1 << 20;
  bool ready = false, closes_when_sent = false, ended = false, broken = false;
};

struct Pair {
  explicit Pair(const Faults& faults, std::uint64_t seed = 1)
      : random(seed), schedule(random), trace(schedule), network(random, schedule, trace, faults) {
    network.listen(1, &server);
    client.end = network.connect(0, 1, client);
  }
  void run() {
    client.act(network);
    server.act(network);
    while (schedule.run_one()) {
      client.act(network);
      server.act(network);
    }
  }
  RandomSource random;
  Schedule schedule;
  Trace trace;
  Network network;
  Party client, server;
};

inline Bytes pattern(std::size_t size, std::uint8_t salt) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 131 + i / 251 + salt);
  return bytes;
}

inline std::vector<Faults> tearings() {
  std::vector<Faults> all(1);
  const auto add = [&all]() -> Faults& { return all.emplace_back(); };
  add().stream.cuts = {0, 1, 0, 0};
  add().stream.cuts = {0, 0, 1, 0};
  add().stream.cuts = {0, 0, 0, 1};
  add().stream.send_window = 1;
  add().stream.send_window = 100;
  add().stream.short_write = {1, 2};
  add().stream.short_read = {1, 1};
  add().stream.blocked_write = {1, 3};
  add().link.jitter = milliseconds(50);
  add().link.bytes_per_second = 10'000;
  Faults& every = add();
  every.stream.send_window = 333;
  every.stream.cuts = {1, 2, 3, 4};
  every.stream.short_write = {1, 2};
  every.stream.blocked_write = {1, 4};
  every.stream.short_read = {1, 2};
  every.link.latency = microseconds(300);
  every.link.jitter = milliseconds(5);
  every.link.bytes_per_second = 100'000;
  return all;
}

}  // namespace statefs::sim
