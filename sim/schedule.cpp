#include "sim/schedule.h"

#include <algorithm>

namespace statefs::sim {
namespace {

constexpr std::uint32_t none = 0xffffffff;
constexpr std::size_t arity = 4;

}  // namespace

Schedule::Schedule(RandomSource& random) : random_(random), tie_key_(RandomStream(random.seed(), "schedule/tie").next()), free_(none) {}

// The tie is a bijection of the sequence, so no two events are equal and the order is total.
bool Schedule::before(const Entry& a, const Entry& b) { return a.time != b.time ? a.time < b.time : a.tie < b.tie; }

void Schedule::place(std::size_t position, const Entry& entry) {
  heap_[position] = entry;
  slots_[entry.slot].position = static_cast<std::uint32_t>(position);
}

void Schedule::sift_up(std::size_t position, Entry entry) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / arity;
    if (!before(entry, heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void Schedule::sift_down(std::size_t position, Entry entry) {
  for (;;) {
    const std::size_t first = position * arity + 1;
    if (first >= heap_.size()) break;
    std::size_t least = first;
    const std::size_t last = std::min(first + arity, heap_.size());
    for (std::size_t child = first + 1; child < last; ++child) {
      if (before(heap_[child], heap_[least])) least = child;
    }
    if (!before(heap_[least], entry)) break;
    place(position, heap_[least]);
    position = least;
  }
  place(position, entry);
}

void Schedule::remove(std::size_t position) {
  Slot& slot = slots_[heap_[position].slot];
  ++slot.generation;
  slot.position = free_;
  free_ = heap_[position].slot;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  if (position > 0 && before(last, heap_[(position - 1) / arity])) {
    sift_up(position, last);
  } else {
    sift_down(position, last);
  }
}

EventId Schedule::at(Time time, const Event& event) {
  STATEFS_CHECK(time >= now_ && event.handler != nullptr);
  if (free_ == none) {
    free_ = static_cast<std::uint32_t>(slots_.size());
    slots_.push_back({{}, 0, none});
  }
  const std::uint32_t index = free_;
  Slot& slot = slots_[index];
  free_ = slot.position;
  slot.event = event;
  const Entry entry{time, mix(++sequence_ ^ tie_key_), index};
  heap_.push_back(entry);
  sift_up(heap_.size() - 1, entry);
  return (std::uint64_t{slot.generation} << 32 | index) + 1;
}

bool Schedule::cancel(EventId id) {
  if (id == 0) return false;
  const auto index = static_cast<std::uint32_t>((id - 1) & 0xffffffff);
  const auto generation = static_cast<std::uint32_t>((id - 1) >> 32);
  if (index >= slots_.size() || slots_[index].generation != generation) return false;
  const std::size_t position = slots_[index].position;
  if (position >= heap_.size() || heap_[position].slot != index) return false;
  remove(position);
  return true;
}

bool Schedule::run_one() {
  if (heap_.empty()) return false;
  now_ = heap_.front().time;
  const Event event = slots_[heap_.front().slot].event;
  remove(0);
  mark(event.node, event.kind, event.argument);
  working_node_ = event.node;
  event.handler->fire(event.kind, event.argument);
  working_node_ = no_node;
  return true;
}

void Schedule::pass_to(Time time) {
  STATEFS_CHECK(time >= now_ && time <= next_time());
  now_ = time;
}

void Schedule::mark(NodeId node, std::uint32_t kind, std::uint64_t payload) {
  const EventMark mark{now_, node, kind, payload, random_.draws()};
  const std::uint64_t number = digest_.event_count();
  if (number >= recorded_range_.first && number < recorded_range_.last) recorded_.push_back(mark);
  digest_.add(mark);
}

}  // namespace statefs::sim
