// SERVER PROGRAM: a real core Server with its store on one node, driven as the epoll loop of the daemon drives it.
//
//   node.h (wake-ups) -> SERVER PROGRAM -> core/server.h, statefs.h or journal_store.h;  audit records -> trace.h
//
// Each wake-up makes one read of each ready connection, one advance(), one write of each that has output. The audit is
// exported into the trace at the end of the wake-up that made it, unless the exporter is stalled. A crash takes the server and
// what its store had not made durable; after a restart a new server works on what the store recovered, and nobody is let in
// before it has.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>

#include "core/server.h"
#include "sim/connection_watch.h"
#include "sim/journal_store.h"
#include "sim/node.h"
#include "sim/plain_watch.h"
#include "sim/rest_watch.h"
#include "sim/statefs.h"

namespace statefs::sim {

// A store on a disk, instead of one in memory.
struct JournalOptions {
  bool direct = true;      // else reads may give what only a cache holds, and what a failed flush should have covered no other writes
  Duration request_time;   // of a read or write, at most; a flush takes at most flush_delay
  std::uint64_t snapshot_after = 0;         // bytes of log; 0: half of it
  std::size_t snapshot_chunk_size = 32 * 1024;
};

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
  std::optional<JournalOptions> journal{};
  std::set<NodeId> locals{};      // whose streams come to the local door, with uid_of() as their uid
  PlainWatch* plain_watch = nullptr;  // outlives the program; null: nobody listens at that door
};

class ServerProgram final : public Program, private DiskOwner {
 public:
  ServerProgram(Node& node, const ServerProgramOptions& options);
  ~ServerProgram() override;

  // What was seen of its connections so far. Of its remote door where limits are concerned: a local one has its own.
  [[nodiscard]] const SeenLoad& load() const { return load_; }
  [[nodiscard]] const RestWatch& rest_watch() const { return rest_watch_; }
  [[nodiscard]] std::size_t most_buffered() const;  // bytes, for one connection
  // Whether it is up and its store is ready: only then there is a server.
  [[nodiscard]] bool serves() const { return server_.has_value(); }
  [[nodiscard]] Server& server() { return *server_; }
  // Only while it is up.
  [[nodiscard]] MachineStore& store() { return *store_; }
  [[nodiscard]] JournalStore* journal() { return journal_; }  // the store, where it is one

  // As Program::crash(); `amount` is what the store is left with.
  void crash(std::int64_t amount, bool silent = false);
  // Between wake-ups. `number` names the policy in the trace; it stays through restarts.
  void reload(const PolicySource& policy, std::uint64_t number);
  void stall_export(bool stalled);
  // What keys the MACs of values in audit records: a checker that knows the values can find them there.
  [[nodiscard]] static SecretKey mac_key_of(RandomSource& random, NodeId id);

 private:
  void work(const std::vector<StreamEnd>& ready, Now now) override;
  [[nodiscard]] Time deadline() const override;
  void started() override;
  [[nodiscard]] bool accepts() const override { return serves(); }
  void disk_completed() override { request_wake(); }
  void disk_failed(DiskRequest::Kind kind) override;
  void disk_misdirected() override;
  [[nodiscard]] std::unique_ptr<MachineStore> make_store();
  void make_server();
  void serve(StreamEnd end, Now now);
  void write_output(StreamEnd end, ConnectionId connection, Now now);
  [[nodiscard]] std::optional<ConnectionId> admit(StreamEnd end, Now now);
  void watch_output(ConnectionId connection);
  void watch_rest(ConnectionId connection);
  void watch_limits();
  void export_audit();

  ServerProgramOptions options_;
  JournalStore* journal_ = nullptr;  // store_, or null
  std::unique_ptr<MachineStore> store_;
  std::optional<Server> server_;
  bool export_stalled_ = false;
  SeenLoad load_;
  ConnectionWatch connection_watch_;
  RestWatch rest_watch_;
  std::map<StreamEnd, ConnectionId> connections_;
  std::map<ConnectionId, StreamEnd> ends_;
  struct Overheard {
    std::size_t number = 0;     // of the plain watch
    std::size_t waiting = 0;    // of the output, already told
  };
  std::map<ConnectionId, Overheard> local_;
};

}  // namespace statefs::sim
