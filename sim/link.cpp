#include "sim/link.h"

#include <algorithm>

namespace statefs::sim {

Link::Link(NodeId from, NodeId to, const Faults& faults, RandomSource& random, FaultCounts& counts)
    : from_(from), to_(to), faults_(faults),
      random_(random.stream("net/" + std::to_string(from) + "->" + std::to_string(to))),
      counts_(counts) {}

Time Link::carry(std::size_t size, Time now) {
  Time left = now;
  if (faults_.link.bytes_per_second != 0) {
    const std::uint64_t ns = std::uint64_t{size} * 1'000'000'000 / faults_.link.bytes_per_second;
    if (free_at_ > now) count(FaultKind::bandwidth);
    free_at_ = std::max(now, free_at_) + nanoseconds(static_cast<std::int64_t>(ns));
    left = free_at_;
  }
  Duration delay = faults_.link.latency;
  if (faults_.link.jitter.ns > 0) {
    const std::uint64_t more = random_.below(static_cast<std::uint64_t>(faults_.link.jitter.ns) + 1);
    if (more > 0) count(FaultKind::jitter);
    delay.ns += static_cast<std::int64_t>(more);
  }
  return left + delay;
}

bool Link::chance(Ratio ratio, FaultKind kind) {
  const bool came_true = random_.chance(ratio);
  if (came_true) count(kind);
  return came_true;
}

}  // namespace statefs::sim
