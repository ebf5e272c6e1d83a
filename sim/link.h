// LINK: one direction between two nodes: how long a segment takes, and what the streams on it share.
//
//   stream.h (carry) -> LINK -> arrival time
//
// Bandwidth and randomness (`net/A->B`) belong to the direction, not to the stream: streams between the same nodes
// queue behind each other. Delay is drawn per segment; keeping a stream's segments in order is the stream's affair.
#pragma once

#include "sim/faults.h"
#include "sim/schedule.h"

namespace statefs::sim {

class Link {
 public:
  // `counts` outlives the link.
  Link(NodeId from, NodeId to, const Faults& faults, RandomSource& random, FaultCounts& counts);

  // When `size` bytes handed over at `now` arrive.
  [[nodiscard]] Time carry(std::size_t size, Time now);

  [[nodiscard]] NodeId from() const { return from_; }
  [[nodiscard]] NodeId to() const { return to_; }
  [[nodiscard]] const Faults& faults() const { return faults_; }
  void set_faults(const Faults& faults) { faults_ = faults; }
  [[nodiscard]] RandomStream& random() { return random_; }
  // A draw that counts where it came true.
  [[nodiscard]] bool chance(Ratio ratio, FaultKind kind);
  void count(FaultKind kind) { counts_.add(kind); }

 private:
  NodeId from_;
  NodeId to_;
  Faults faults_;
  RandomStream random_;
  FaultCounts& counts_;
  Time free_at_;  // the bytes before have left
};

}  // namespace statefs::sim
