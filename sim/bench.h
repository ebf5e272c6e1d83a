// BENCH: worlds without faults that are there to be measured: the same few calls over and over, and what they came to.
//
//   campaign/figures.h (how long it took) -> BENCH -> world.h, schedule.h
//
// A bench knows no clock but the world's: it does its work and counts it, and its digest shows that it was the same work.
// RPC16 is sixteen clients, one link of 1 ms each to one server, a call at a time, values of 256 bytes, PUT and GET in turn; the
// others are like it but for what their options say. Real cryptography and the stand-in suite are two different benches.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "sim/world.h"

namespace statefs::sim {

struct BenchOptions {
  enum class Work : std::uint8_t {
    calls,     // the next call when the last one is answered, or `pause` later
    connects,  // a new connection for each call, which is a GET
  };
  std::uint64_t seed = 1;
  bool real_crypto = true;
  bool crashable = true;  // servers keep what a crash would leave
  std::uint32_t server_count = 1;
  std::uint32_t client_count = 16;  // of servers in turn; at most limits::enrolled_peers_max of each
  Work work = Work::calls;
  Duration pause;
};

class Bench {
 public:
  explicit Bench(const BenchOptions& options);
  ~Bench();

  // Until each client had an answer: what comes then is work under way.
  void begin();
  void run_for(Duration duration);

  [[nodiscard]] std::uint64_t call_count() const;  // answered OK; anything else is a bug
  [[nodiscard]] std::uint64_t connect_count() const { return world_.network().connect_count(); }
  [[nodiscard]] std::uint64_t event_count() const { return event_count_; }
  [[nodiscard]] const RunDigest& digest() { return world_.schedule().digest(); }

 private:
  class Caller;
  BenchOptions options_;
  World world_;
  std::vector<std::unique_ptr<Caller>> callers_;
  std::uint64_t event_count_ = 0;
};

// The queue alone: `pending_count` events that do nothing but come again after a drawn time, folded into the digest.
[[nodiscard]] RunDigest run_empty_events(std::uint64_t seed, std::uint32_t pending_count, std::uint64_t event_count);

}  // namespace statefs::sim
