// WORLD: nodes, a network between them, and virtual time: everything of one run, from one seed.
//
//   main.h, tests -> WORLD -> node.h (programs), network.h, schedule.h, trace.h
//
// One thread, no clock but the schedule. The same seed and the same calls give the same digest, on every compiler and
// machine. A world is destroyed whole; nothing in it outlives it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/client_program.h"
#include "sim/repeater.h"
#include "sim/script.h"
#include "sim/server_program.h"

namespace statefs::sim {

class World {
 public:
  // Real cryptography, or the suite given: figures of the two are never mixed.
  World(std::uint64_t seed, const Faults& faults, std::unique_ptr<Suite> suite = make_crypto_suite());
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Node ids count from 0. The identity of a node that is still to come is known already.
  Node& add_node(const NodeOptions& options = {});
  [[nodiscard]] PublicKey public_key_of(NodeId id);
  [[nodiscard]] static std::string alias_of(NodeId id) { return "node-" + std::to_string(id); }
  // The default policy with these nodes enrolled.
  [[nodiscard]] PolicySource enrol(const std::vector<NodeId>& peers);
  ServerProgram& add_server(Node& node, const ServerProgramOptions& options);
  Repeater& add_repeater(Node& node, RepeaterOptions options);
  ClientProgram& add_client(Node& node, NodeId server, CallUser& user, ClientProgramOptions options = {});

  // One event; false where none is left.
  bool step() { return schedule_.run_one(); }
  // Until nothing is left to happen before `time`, which becomes now.
  void run_until(Time time);
  // Until `done()`; false where nothing was left to happen, or `event_count_max` events did not suffice.
  template <typename Done>
  [[nodiscard]] bool run_while_not(Done done, std::uint64_t event_count_max) {
    for (std::uint64_t events = 0; !done(); ++events) {
      if (events == event_count_max || !step()) return false;
    }
    return true;
  }

  [[nodiscard]] std::uint64_t seed() const { return random_.seed(); }
  [[nodiscard]] Time now() const { return schedule_.now(); }
  [[nodiscard]] RandomSource& random() { return random_; }
  [[nodiscard]] Schedule& schedule() { return schedule_; }
  [[nodiscard]] Network& network() { return network_; }
  [[nodiscard]] const Network& network() const { return network_; }
  [[nodiscard]] Trace& trace() { return trace_; }
  [[nodiscard]] const Suite& suite() const { return *suite_; }
  [[nodiscard]] Marks& marks() { return marks_; }  // of every machine in it
  [[nodiscard]] Node& node(NodeId id) { return *nodes_[id]; }

 private:
  RandomSource random_;
  Schedule schedule_;
  Trace trace_;
  Network network_;
  std::unique_ptr<Suite> suite_;
  Marks marks_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Program>> programs_;
};

// Carries a script in a world: one client, one call at a time.
class WorldDriver final : public Driver, public CallUser {
 public:
  // `world` outlives the driver. The client is on a new node, which the server's options name where it is `local`.
  WorldDriver(World& world, NodeId server, bool local = false);
  Completion call(const RequestBody& request) override;
  std::uint64_t epoch() override;
  void break_stream() override;
  void completed(ClientProgram& client, Completion completion) override;
  [[nodiscard]] ClientProgram& client() { return *client_; }

 private:
  World& world_;
  ClientProgram* client_;
  std::optional<Completion> last_;
};

// The audit records in the trace, decoded, in order. Views in them point into the trace.
[[nodiscard]] std::vector<AuditRecord> audit_in(const Trace& trace);

}  // namespace statefs::sim
