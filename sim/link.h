// LINK: one direction between two nodes: how long a segment takes, whether it gets through, what the streams on it share.
//
//   stream.h (carry) -> LINK -> arrival time;  network.h, plan (block_until, sever, heal) -> LINK
//
// Bandwidth and randomness (`net/A->B`) belong to the direction, not to the stream: streams between the same nodes
// queue behind each other. Delay is drawn per segment; keeping a stream's segments in order is the stream's affair. A lost
// segment is one that comes later, because somebody sends it again. A severed link lets nothing arrive: whoever sends
// tries again with backoff, so what is healed is noticed at the next try.
#pragma once

#include "sim/faults.h"
#include "sim/schedule.h"
#include "sim/tamper.h"

namespace statefs::sim {

struct Carriage {
  Time arrival;
  bool lost = false;  // too often in a row: `arrival` is when the sender gives up
};

class Link {
 public:
  // `counts` outlives the link.
  Link(NodeId from, NodeId to, const Faults& faults, RandomSource& random, FaultCounts& counts);

  // When `size` bytes handed over at `now` arrive, if the link is whole by then.
  [[nodiscard]] Carriage carry(std::size_t size, Time now);
  // How long the sender waits for an answer after this many tries before.
  [[nodiscard]] Duration backoff(std::uint64_t tries) const;

  // What is handed over from now on leaves after that time; what is on its way arrives.
  void block_until(Time time) { blocked_until_ = time; }
  // Nothing arrives until heal(); what is on its way neither.
  void sever() { severed_ = true; }
  void heal() { severed_ = false; }
  [[nodiscard]] bool severed() const { return severed_; }
  [[nodiscard]] Tamper& tamper() { return tamper_; }

  [[nodiscard]] NodeId from() const { return from_; }
  [[nodiscard]] NodeId to() const { return to_; }
  [[nodiscard]] const Faults& faults() const { return faults_; }
  void set_faults(const Faults& faults) { faults_ = faults; }
  [[nodiscard]] RandomStream& random() { return random_; }
  // A draw that counts where it came true.
  [[nodiscard]] bool chance(Ratio ratio, FaultKind kind);
  // The same of a delay, which is drawn up to `max`; nothing where there is none.
  [[nodiscard]] Duration drawn_delay(Ratio ratio, Duration max, FaultKind kind);
  void count(FaultKind kind) { counts_.add(kind); }

 private:
  NodeId from_;
  NodeId to_;
  Faults faults_;
  RandomStream random_;
  FaultCounts& counts_;
  Time free_at_;  // the bytes before have left
  Time blocked_until_;
  bool severed_ = false;
  Tamper tamper_;
};

}  // namespace statefs::sim
