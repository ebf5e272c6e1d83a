// SESSION HOG: opens sessions of its node's key until the server has no room for the others of that key.
//
//   adversary.h -> SESSION HOG -> raw_end.h
//
// Each session has an instance of its own, so a client of the same key finds its session evicted when it comes back. Few are opened at
// once. Of more than a server keeps of those that ended, each is closed before the next is opened. When all have been answered it asks
// for an outcome in each.
#pragma once

#include <vector>

#include "sim/node.h"
#include "sim/raw_end.h"

namespace statefs::sim {

class SessionHog final : public Program {
 public:
  SessionHog(Node& node, NodeId server, const PublicKey& server_key, std::uint32_t session_count);
  void leave();  // closes its stream, whatever it was at

 private:
  void work(const std::vector<StreamEnd>& ready, Now now) override;
  [[nodiscard]] Time deadline() const override { return never; }
  void open(Bytes& frames);
  void take(const Response& response);
  [[nodiscard]] bool turns_over() const { return session_count_ > limits::ended_sessions_per_key; }

  NodeId server_;
  RawEnd raw_;
  std::optional<StreamEnd> end_;
  bool over_ = false;
  std::size_t session_count_;
  std::uint64_t next_id_ = 1;
  std::vector<SessionInstance> instances_;  // of those asked for so far
  std::size_t answered_ = 0;                // of those, with their CLOSE where there is one
};

}  // namespace statefs::sim
