// CASE: the history of one server and its clients, with what more than one checker must know of it.
//
//   history.h, CheckContext -> CASE -> checks.h
//
// Which call a record belongs to: the one that was answered with its index; a PUT's by its value, which is unlike every
// other; a DELETE's any that can be, those first whose time runs out first. A client that was restarted opens new sessions, so
// the session of a record says which incarnation called. An execution that a crash took back may be followed by another, so a
// call can have several records, at most one of them alive at any moment.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/crypto.h"
#include "core/memory_store.h"
#include "core/peer_rates.h"
#include "core/staging.h"
#include "sim/history.h"
#include "sim/shadow.h"

namespace statefs::sim {

// What a node opened and did not believe: part of a handshake message, or a record.
struct SeenRefusal {
  Place at = 0;
  NodeId node = 0;
  bool is_handshake = false;
};

struct ServerContext {
  SecretKey mac_key;  // of values in its records
  Durability durability = Durability::sync;
  std::uint64_t audit_ring_size = limits::audit_ring_size;
  std::uint64_t value_bytes_max = limits::store_value_bytes_default;
  std::uint64_t keys_max = limits::store_keys_default;
  std::uint64_t sessions_per_key = limits::sessions_per_key;
  bool is_journal = false;  // on a disk
  StagingLimits staging;
  PeerRateLimits rates;
};

struct LoadLimits {
  std::uint64_t connections_max = limits::connections_max;
  std::uint64_t buffered_size_max = ~std::uint64_t{0};  // of one connection
  std::uint64_t output_size_max = ~std::uint64_t{0};    // waiting for one connection
  std::uint64_t staged_size_max = ~std::uint64_t{0};    // for stages, of all peers
  std::uint64_t waiting_size_max = ~std::uint64_t{0};   // for all connections
};

// What programs were told about connections. Zero: not known.
struct LinkTimes {
  Duration keepalive_interval, dead_peer_timeout, connection_age_max;  // of a server
  Duration client_keepalive_interval, client_dead_peer_timeout, backoff_min, backoff_max;
  std::uint64_t connections_per_peer_max = limits::connections_per_peer_max;
  std::uint64_t local_connections_per_uid_max = limits::local_connections_per_uid_max;
};

// A node did nothing, by the world's time.
struct SeenPause {
  NodeId node = 0;
  Time from, until;
};

// What checkers must know of a world besides its trace.
struct CheckContext {
  std::vector<PublicKey> keys;               // by node
  std::map<NodeId, ServerContext> servers;   // by their nodes
  std::map<NodeId, NodeId> server_of;        // of each node with a client whose calls are in the trace
  std::vector<PolicyPlan> policies;          // by number; 0 is in force from the start
  std::set<NodeId> unwatched;                // peers whose requests are not in the trace, such as hostile ones
  std::map<NodeId, NodeId> visits;           // the server of each of those
  std::set<NodeId> strangers;                // whom no policy enrols
  std::set<NodeId> locals;                   // programs of their server's own machine: they come by the local door
  std::set<NodeId> clients;                  // that run the client library
  std::uint32_t calm_operations = 0;         // that each client which is up then completes after the faults have stopped
  Duration call_timeout{};                   // of a client's call, before the calm; zero: not known
  LoadLimits limits;
  LinkTimes links;
  std::vector<SeenPause> pauses;
  bool handshakes_fail = false;              // some peer makes bad ones of its own
  std::vector<SeenRefusal> refusals;         // by place

  // How long a node did nothing between the two, at most.
  [[nodiscard]] Duration standstill(NodeId node, Time from, Time to) const {
    Duration sum;
    for (const SeenPause& each : pauses) {
      if (each.node == node && each.from < to && from < each.until) sum = sum + (std::min(to, each.until) - std::max(from, each.from));
    }
    return sum;
  }
};

class Case {
 public:
  // All three outlive it. `history` is of that server and its clients alone.
  Case(const History& history, const CheckContext& context, NodeId server);

  [[nodiscard]] const History& history() const { return history_; }
  [[nodiscard]] const CheckContext& context() const { return context_; }
  [[nodiscard]] NodeId server() const { return server_; }
  [[nodiscard]] Durability durability() const { return mine_.durability; }
  [[nodiscard]] const ServerContext& store() const { return mine_; }
  [[nodiscard]] NodeId node_of(const PeerRef& peer) const;  // no_node: nobody's
  [[nodiscard]] bool watched(NodeId peer) const;            // a client whose calls are in the trace
  [[nodiscard]] ShadowPeer shadow_of(NodeId node) const { return {node, context_.locals.contains(node)}; }
  [[nodiscard]] const Digest& mac_of(const SeenCall& call) const { return macs_[number_of(call)]; }  // of a PUT's value

  [[nodiscard]] const SeenAppend* append_of_index(std::uint64_t index) const;  // null: none
  [[nodiscard]] const SeenCall* call_of(const SeenAppend& append) const;       // null: none known
  // By the answered index or the value, not by what can be.
  [[nodiscard]] bool is_certain(const SeenAppend& append) const { return certain_[number_of(append)]; }
  [[nodiscard]] const std::vector<const SeenAppend*>& appends_of(const SeenCall& call) const { return appends_of_[number_of(call)]; }

  // Whether what was lost there was durable on a disk that lost it: an older copy was put in, or a write had gone elsewhere.
  [[nodiscard]] bool is_rollback(Place lost) const { return rollbacks_.contains(lost); }
  [[nodiscard]] bool was_rolled_back(Place before) const { return !rollbacks_.empty() && *rollbacks_.begin() < before; }
  [[nodiscard]] bool has_rollbacks() const { return !rollbacks_.empty(); }
  // Whether the client of that node said between the two places that its store was rolled back.
  [[nodiscard]] bool reported_rollback(NodeId node, Place from, Place to) const;
  [[nodiscard]] const PolicyPlan& policy_at(Place place) const;
  // Whether some policy that is in force between the two places fits.
  template <typename Fits>
  [[nodiscard]] bool some_policy(Place from, Place to, Fits fits) const {
    if (fits(policy_at(from))) return true;
    for (const auto& [place, plan] : policies_) {
      if (place > from && place < to && fits(*plan)) return true;
    }
    return false;
  }
  [[nodiscard]] const std::vector<std::pair<Place, const PolicyPlan*>>& policies() const { return policies_; }

 private:
  using Name = std::tuple<NodeId, Op, std::string_view>;

  [[nodiscard]] std::size_t number_of(const SeenCall& call) const { return static_cast<std::size_t>(&call - history_.calls.data()); }
  [[nodiscard]] std::size_t number_of(const SeenAppend& append) const {
    return static_cast<std::size_t>(&append - history_.appends.data());
  }
  void take_event(const SeenEvent& event);
  void take_opened();
  void match_answered();
  void match_rest();
  [[nodiscard]] bool is_same_life(const SeenAppend& append, const SeenCall& call) const;
  [[nodiscard]] bool may_be(const SeenAppend& append, const SeenCall& call) const;
  void match(const SeenAppend& append, const SeenCall& call, bool certain);

  const History& history_;
  const CheckContext& context_;
  NodeId server_;
  const ServerContext& mine_;
  std::map<PublicKey, NodeId> nodes_;
  std::vector<Digest> macs_;                                // by call
  std::map<std::uint64_t, std::size_t> by_index_;           // appends
  std::vector<std::size_t> call_of_;                        // by append; no_place: none
  std::vector<bool> certain_;                               // by append
  std::vector<std::vector<const SeenAppend*>> appends_of_;  // by call
  std::vector<std::pair<Place, const PolicyPlan*>> policies_;
  std::set<Place> rollbacks_;
  std::map<NodeId, std::vector<std::pair<Place, std::uint64_t>>> ups_;  // incarnations, and since when
  std::map<std::pair<NodeId, std::uint64_t>, std::vector<Place>> opened_;  // by session; after a rollback a number may come again
};

}  // namespace statefs::sim
