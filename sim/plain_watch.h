// PLAIN WATCH: what was said at the local doors of a world, where there is no cipher that would tell.
//
//   server_program.h (bytes of local streams) -> PLAIN WATCH -> conversation.h, as crypto_watch.h does for the others
//
// Like the crypto watch it draws nothing and leaves no entry in the trace.
#pragma once

#include <deque>

#include "sim/crypto_watch.h"

namespace statefs::sim {

class PlainWatch {
 public:
  // Both outlive the last call.
  void watch(const Schedule& schedule, const Trace& trace) {
    schedule_ = &schedule;
    trace_ = &trace;
  }

  // Somebody with that uid came to the local door of `server`, let in or not; the answer names the connection below.
  [[nodiscard]] std::size_t arrived(NodeId server, std::uint32_t uid);
  void heard(std::size_t connection, ByteView bytes);  // before the server works on them
  void said(std::size_t connection, ByteView bytes);   // once the server has made them

  [[nodiscard]] const std::deque<SpokenConnection>& connections() const { return connections_; }

 private:
  struct Lines {
    SpokenLine requests, answers;
  };
  [[nodiscard]] Place place() const { return trace_->entries().size(); }

  const Schedule* schedule_ = nullptr;
  const Trace* trace_ = nullptr;
  std::deque<Lines> lines_;
  std::deque<SpokenConnection> connections_;
};

}  // namespace statefs::sim
