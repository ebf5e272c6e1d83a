// SESSION HOG: opens sessions of its node's key until the server has no room for the others of that key.
//
//   adversary.h -> SESSION HOG -> raw_end.h
//
// Each session has an instance of its own, so a client of the same key finds its session evicted when it comes back.
#pragma once

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

  NodeId server_;
  RawEnd raw_;
  std::optional<StreamEnd> end_;
  bool over_ = false;
};

}  // namespace statefs::sim
