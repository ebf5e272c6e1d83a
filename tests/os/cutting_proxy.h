// CUTTING PROXY: stands between a client and a daemon, and ends the first streams right after it has passed on a request:
// the request arrives, its answer never does, or not as it was sent.
#pragma once

#include <atomic>
#include <thread>

#include "os/endpoint.h"

namespace statefs::test {

class CuttingProxy {
 public:
  struct Plan {
    int cut_count = 1;          // the first so many streams are cut
    int answers_passed = 2;     // before that: handshake message 2, the answer to HELLO, to the first request behind it, ...
    bool closes_later = false;  // streams after the cut ones are closed at once; otherwise they are passed through
    bool damages = false;       // not cut: the answer behind `answers_passed` arrives with one bit turned
    std::size_t bytes_passed = 0;  // not 0: in place of answers_passed, which many requests at a time do not count well
  };
  CuttingProxy(const Endpoint& daemon, const Plan& plan);
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;
  ~CuttingProxy();

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] int cuts() const { return cuts_; }

 private:
  void serve();
  void pass(const Fd& client, const Fd& daemon);
  [[nodiscard]] bool wait_readable(const Fd& one, const Fd* other, bool readable[2]) const;

  Endpoint daemon_;
  Endpoint endpoint_;
  Fd listener_;
  Fd stop_;
  Plan plan_;
  std::atomic<int> cuts_ = 0;
  std::thread thread_;
};

}  // namespace statefs::test
