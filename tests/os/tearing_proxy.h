// TEARING PROXY: stands between many clients and a daemon, and ends each stream at a moment drawn from a seed: after so many
// bytes, in the middle of whatever they are, or after so much time. Of some streams the answers are held back for a while
// before, so that requests arrive and nobody is told. After `cut_count_max` cuts streams are passed through.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "core/time.h"
#include "os/endpoint.h"
#include "sim/random.h"

namespace statefs::test {

class TearingProxy {
 public:
  TearingProxy(const Endpoint& daemon, std::uint64_t seed, int cut_count_max);
  TearingProxy(const TearingProxy&) = delete;
  TearingProxy& operator=(const TearingProxy&) = delete;
  ~TearingProxy();

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] int cuts() const { return cuts_; }
  [[nodiscard]] std::uint64_t size_held_back() const { return size_held_back_; }  // of answers

 private:
  struct Stream {
    Fd client;
    Fd daemon;
    std::uint64_t size_left = 0;  // until it is cut
    std::uint64_t mute_size = 0;  // with less than this left, answers are held back
    bool mute = false;
    bool resets = false;          // the cut is a reset and no orderly end
    Time ends_at = never;
  };

  void serve();
  void accept_one();
  // False when the stream is over.
  [[nodiscard]] bool pass(Stream& stream, bool is_answer);
  [[nodiscard]] bool cut(Stream& stream);

  Endpoint daemon_;
  Endpoint endpoint_;
  Fd listener_;
  Fd stop_;
  sim::RandomStream random_;
  int cut_count_max_;
  std::vector<Stream> streams_;
  std::vector<char> buffer_;
  std::atomic<int> cuts_ = 0;
  std::atomic<std::uint64_t> size_held_back_ = 0;
  std::thread thread_;
};

}  // namespace statefs::test
