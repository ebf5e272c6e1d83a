// NETWORK: all links and streams of a world.
//
//   node.h (connect) -> NETWORK -> stream.h over link.h
//
// A link exists once somebody used it, with the faults of the world or its own. A stream is freed when both ends closed.
#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "sim/stream.h"

namespace statefs::sim {

class Network {
 public:
  Network(RandomSource& random, Schedule& schedule, Trace& trace, const Faults& faults)
      : random_(random), schedule_(schedule), trace_(trace), faults_(faults) {}

  // `user` gets the streams whose knock arrives at `node` from now on; null: they are refused. Before it goes it takes
  // itself off the list and closes, or resets, its ends.
  void listen(NodeId node, StreamUser* user) { listeners_[node] = user; }
  // The connector's end; it is open once stream_ready() said so and is_open() agrees.
  [[nodiscard]] StreamEnd connect(NodeId from, NodeId to, StreamUser& user);

  [[nodiscard]] Stream& stream(StreamEnd end);
  [[nodiscard]] Link& link(NodeId from, NodeId to);
  void set_faults(const Faults& faults);  // of all links, present and to come

  // Both ways between two nodes; one way: link(from, to).sever().
  void partition(NodeId a, NodeId b);
  void heal(NodeId a, NodeId b);
  void heal_all();  // what is blocked until some time is not any more, and no attacker is left on the path
  // What an attacker does with bytes from one node to another.
  void tamper(NodeId from, NodeId to, const Tampering& tampering) { link(from, to).tamper().add(tampering); }
  // A node has power again after ends of it vanished, and answers by resets what comes for them.
  void revive(NodeId node);

  [[nodiscard]] FaultCounts& counts() { return counts_; }

  // After close() or reset() of an end, whose owner forgets it.
  void release(StreamEnd end);
  [[nodiscard]] std::size_t stream_count() const { return live_count_; }   // not yet freed
  [[nodiscard]] std::size_t connect_count() const { return streams_.size(); }

 private:
  RandomSource& random_;
  Schedule& schedule_;
  Trace& trace_;
  Faults faults_;
  FaultCounts counts_;
  Listeners listeners_;
  std::map<std::pair<NodeId, NodeId>, std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Stream>> streams_;  // by StreamId
  std::size_t live_count_ = 0;
};

}  // namespace statefs::sim
