// CLIENT LOOP: a client link that is waited for, for programs that keep several calls in flight and cut their own streams.
//
//   selftest_retry.cpp, selftest_flap.cpp, selftest_persist.cpp -> CLIENT LOOP -> client_link.h;   one call at a time: client_stream.h
#pragma once

#include <optional>

#include "os/client_link.h"

namespace statefs {

class ClientLoop {
 public:
  // `suite` outlives the loop.
  ClientLoop(const Suite& suite, std::shared_ptr<const DhKey> identity, const ClientConfig& config, const Endpoint& endpoint)
      : link_(suite, std::move(identity), config, endpoint, config.connect_timeout) {}

  // Opens a stream where one is wanted, and moves bytes until a completion is there to be taken or `wait` is over.
  void run(Duration wait);
  // The next completion; waits at most `wait` for it.
  [[nodiscard]] std::optional<Completion> next(Duration wait);

  [[nodiscard]] ClientLink& link() { return link_; }
  [[nodiscard]] Client& client() { return link_.client(); }

 private:
  ClientLink link_;
  std::optional<Completion> taken_;
};

}  // namespace statefs
