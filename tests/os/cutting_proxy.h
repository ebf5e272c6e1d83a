// CUTTING PROXY: stands between a client and a daemon, and ends the first streams right after it has passed on the first
// request behind HELLO: the request arrives, its answer never does.
#pragma once

#include <atomic>
#include <thread>

#include "os/endpoint.h"

namespace statefs::test {

class CuttingProxy {
 public:
  // Cuts the first `cut_count` streams; later ones are passed through.
  CuttingProxy(const Endpoint& daemon, int cut_count);
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
  int cut_count_;
  std::atomic<int> cuts_ = 0;
  std::thread thread_;
};

}  // namespace statefs::test
