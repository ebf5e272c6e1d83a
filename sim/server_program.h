// SERVER PROGRAM: a real core Server with its store on one node, driven as the epoll loop of the daemon drives it.
//
//   node.h (wake-ups) -> SERVER PROGRAM -> core/server.h, statefs.h;  audit records -> trace.h
//
// Each wake-up makes one read of each ready connection, one advance(), one write of each that has output. The audit is
// exported into the trace at the end of the wake-up that made it, unless the exporter is stalled. A crash takes the server and
// what its store had not made durable; after a restart a new server works on what the store recovered.
#pragma once

#include <map>
#include <optional>

#include "core/server.h"
#include "sim/node.h"
#include "sim/statefs.h"

namespace statefs::sim {

struct ServerProgramOptions {
  PolicySource policy;
  ServerLimits limits{};
  Durability durability = Durability::sync;
  Duration flush_interval{};      // of the store
  Duration flush_delay{};
  std::uint64_t value_bytes_max = limits::store_value_bytes_default;
  std::uint64_t keys_max = limits::store_keys_default;
  std::size_t audit_ring_size = 256 * 1024;
  std::size_t read_size = 64 * 1024;
  bool crashable = true;          // the store keeps what a crash would leave
};

class ServerProgram final : public Program {
 public:
  ServerProgram(Node& node, const ServerProgramOptions& options);
  ~ServerProgram() override;

  // The most output that was handed out for one connection at once, and how often the server would have read from one that had
  // so much waiting as may wait.
  [[nodiscard]] std::size_t output_size_most() const { return output_size_most_; }
  [[nodiscard]] std::uint64_t reads_when_full() const { return reads_when_full_; }
  // Only while it is up.
  [[nodiscard]] Server& server() { return *server_; }
  [[nodiscard]] Statefs& store() { return store_; }

  // As Program::crash(); of the records that are not durable the first `kept_count` survive.
  void crash(std::size_t kept_count, bool silent = false);
  // Between wake-ups. `number` names the policy in the trace; it stays through restarts.
  void reload(const PolicySource& policy, std::uint64_t number);
  void stall_export(bool stalled);
  // What keys the MACs of values in audit records: a checker that knows the values can find them there.
  [[nodiscard]] static SecretKey mac_key_of(RandomSource& random, NodeId id);

 private:
  void work(const std::vector<StreamEnd>& ready, Now now) override;
  [[nodiscard]] Time deadline() const override;
  void started() override;
  void make_server();
  void serve(StreamEnd end, Now now);
  void write_output(StreamEnd end, ConnectionId connection, Now now);
  void export_audit();

  ServerProgramOptions options_;
  Statefs store_;
  std::optional<Server> server_;
  bool export_stalled_ = false;
  std::size_t output_size_most_ = 0;
  std::uint64_t reads_when_full_ = 0;
  std::map<StreamEnd, ConnectionId> connections_;
  std::map<ConnectionId, StreamEnd> ends_;
};

}  // namespace statefs::sim
