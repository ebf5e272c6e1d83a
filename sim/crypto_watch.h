// CRYPTO WATCH: at the seam of core/crypto.h, whether ciphers are used as they must be, and what did not authenticate.
//
//   Suite <- CRYPTO WATCH (each seal and open) -> episode.h: the check `nonces`, refusals -> check_channel.cpp
//
// It is part of every run. Of each cipher it holds: nonces ascend by one, so none is used twice under one key; and once a record
// did not authenticate nothing more is opened with that cipher, because its connection is over. It draws nothing and leaves no
// entry in the trace, so the digest knows nothing of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/crypto.h"
#include "sim/checks.h"
#include "sim/schedule.h"
#include "sim/trace.h"

namespace statefs::sim {

class CryptoWatch {
 public:
  CryptoWatch() = default;
  CryptoWatch(const CryptoWatch&) = delete;  // ciphers point at it
  CryptoWatch& operator=(const CryptoWatch&) = delete;

  // The watch outlives the suite and what it makes.
  [[nodiscard]] std::unique_ptr<Suite> wrap(std::unique_ptr<Suite> suite);
  // Before the first open that fails. Both outlive the last one.
  void watch(const Schedule& schedule, const Trace& trace);

  [[nodiscard]] const CheckResult& result() const { return result_; }
  [[nodiscard]] const std::vector<SeenRefusal>& refusals() const { return refusals_; }

  // A lie about them: what was seen last is seen again.
  void repeat_last_use() { use(last_used_, last_used_.next_nonce - 1); }

  // What is known of one cipher. Used by the ciphers that wrap() made.
  struct Cipher {
    std::uint64_t next_nonce = 0;
    bool refused = false;
  };
  void use(Cipher& cipher, std::uint64_t nonce);
  void fail(const std::string& what);
  void refuse(bool is_handshake);

 private:
  [[nodiscard]] NodeId node() const { return schedule_ == nullptr ? no_node : schedule_->working_node(); }

  const Schedule* schedule_ = nullptr;
  const Trace* trace_ = nullptr;
  CheckResult result_{"nonces", 0, {}};
  std::vector<SeenRefusal> refusals_;
  Cipher last_used_;
};

}  // namespace statefs::sim
