// SCHEDULE: the event queue of a world: what happens next, in virtual time.
//
//   node.h, stream.h (at) -> SCHEDULE (run_one) -> Handler.fire, digest.h
//
// Events are ordered by (time, tie, sequence): the tie is drawn from the seed, so events of one instant come in an
// order that differs between seeds and never between runs. Idle time costs nothing. Events live in a pool and are
// cancelled in place; an EventId names one event for good and is never mistaken for a later one.
#pragma once

#include <cstdint>
#include <vector>

#include "core/time.h"
#include "sim/digest.h"
#include "sim/random.h"

namespace statefs::sim {

using NodeId = std::uint32_t;
inline constexpr NodeId no_node = ~NodeId{0};

// What an event calls. Handlers outlive the events they are named in.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void fire(std::uint32_t kind, std::uint64_t argument) = 0;
};

struct Event {
  Handler* handler = nullptr;
  NodeId node = 0;             // whose event it is: goes into the digest
  std::uint32_t kind = 0;      // meaning is the handler's; goes into the digest
  std::uint64_t argument = 0;  // goes into the digest
};

// 0 is no event.
using EventId = std::uint64_t;

class Schedule {
 public:
  explicit Schedule(RandomSource& random);

  // `time` is not before now().
  EventId at(Time time, const Event& event);
  // True where the event was still to come.
  bool cancel(EventId id);

  // Fires the next event, folds it into the digest and moves now() to it; false where none is left.
  bool run_one();
  [[nodiscard]] Time now() const { return now_; }
  // Moves now() on to where nothing happens before.
  void pass_to(Time time);
  [[nodiscard]] Time next_time() const { return heap_.empty() ? never : heap_.front().time; }
  [[nodiscard]] std::uint64_t scheduled_count() const { return sequence_; }  // events, ever
  [[nodiscard]] std::size_t pending() const { return heap_.size(); }
  [[nodiscard]] const RunDigest& digest() const { return digest_; }

  // Whose event is being fired; no_node between events.
  [[nodiscard]] NodeId working_node() const { return working_node_; }

  // Folds in something that happened within the present event.
  void mark(NodeId node, std::uint32_t kind, std::uint64_t payload);
  // Keeps the marks of these events: a second run of a seed, to look at what first_difference() named.
  void record(EventRange range) { recorded_range_ = range; }
  [[nodiscard]] const std::vector<EventMark>& recorded() const { return recorded_; }

 private:
  struct Entry {
    Time time;
    std::uint64_t tie = 0;
    std::uint32_t slot = 0;
  };
  struct Slot {
    Event event;
    std::uint32_t generation = 0;
    std::uint32_t position = 0;  // in the heap; where the slot is free: the next free one
  };
  static bool before(const Entry& a, const Entry& b);
  void place(std::size_t position, const Entry& entry);
  void sift_up(std::size_t position, Entry entry);
  void sift_down(std::size_t position, Entry entry);
  void remove(std::size_t position);

  RandomSource& random_;
  std::uint64_t tie_key_;
  std::uint64_t sequence_ = 0;
  Time now_;
  NodeId working_node_ = no_node;
  std::vector<Entry> heap_;  // 4-ary
  std::vector<Slot> slots_;
  std::uint32_t free_;
  RunDigest digest_;
  EventRange recorded_range_;
  std::vector<EventMark> recorded_;
};

}  // namespace statefs::sim
