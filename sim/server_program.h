// SERVER PROGRAM: a real core Server with its store on one node, driven as the epoll loop of the daemon drives it.
//
//   node.h (wake-ups) -> SERVER PROGRAM -> core/server.h, core/memory_store.h;  audit records -> trace.h
//
// Each wake-up makes one read of each ready connection, one advance(), one write of each that has output. The audit is
// exported into the trace at the end of the wake-up that made it.
#pragma once

#include <map>

#include "core/memory_store.h"
#include "core/server.h"
#include "sim/node.h"

namespace statefs::sim {

struct ServerProgramOptions {
  PolicySource policy;
  ServerLimits limits{};
  Durability durability = Durability::sync;
  Duration flush_delay{};         // of the memory store
  std::size_t audit_ring_size = limits::audit_ring_size;
  std::size_t read_size = 64 * 1024;
};

class ServerProgram final : public Program {
 public:
  ServerProgram(Node& node, const ServerProgramOptions& options);
  ~ServerProgram() override;

  [[nodiscard]] Server& server() { return server_; }
  [[nodiscard]] MemoryStore& store() { return store_; }
  // What keys the MACs of values in audit records: a checker that knows the values can find them there.
  [[nodiscard]] static SecretKey mac_key_of(RandomSource& random, NodeId id);

 private:
  void work(const std::vector<StreamEnd>& ready, Now now) override;
  [[nodiscard]] Time deadline() const override;
  void serve(StreamEnd end, Now now);
  void write_output(StreamEnd end, ConnectionId connection, Now now);
  void export_audit();

  ServerProgramOptions options_;
  MemoryStore store_;
  Server server_;
  std::map<StreamEnd, ConnectionId> connections_;
  std::map<ConnectionId, StreamEnd> ends_;
};

}  // namespace statefs::sim
