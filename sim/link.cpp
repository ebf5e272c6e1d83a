#include "sim/link.h"

#include <algorithm>

namespace statefs::sim {
namespace {

constexpr Duration backoff_max = seconds(120);  // as TCP has it

}  // namespace

Link::Link(NodeId from, NodeId to, const Faults& faults, RandomSource& random, FaultCounts& counts)
    : from_(from), to_(to), faults_(faults),
      random_(random.stream("net/" + std::to_string(from) + "->" + std::to_string(to))),
      counts_(counts) {}

Carriage Link::carry(std::size_t size, Time now) {
  Time left = now;
  if (blocked_until_ > now) {
    count(FaultKind::clog);
    left = blocked_until_;
  }
  if (faults_.link.bytes_per_second != 0) {
    const std::uint64_t ns = std::uint64_t{size} * 1'000'000'000 / faults_.link.bytes_per_second;
    if (free_at_ > left) count(FaultKind::bandwidth);
    free_at_ = std::max(left, free_at_) + nanoseconds(static_cast<std::int64_t>(ns));
    left = free_at_;
  }
  Duration delay = faults_.link.latency;
  if (faults_.link.jitter.ns > 0) {
    const std::uint64_t more = random_.below(static_cast<std::uint64_t>(faults_.link.jitter.ns) + 1);
    if (more > 0) count(FaultKind::jitter);
    delay.ns += static_cast<std::int64_t>(more);
  }
  Carriage carriage{left + delay, false};
  for (std::uint64_t tries = 0; !carriage.lost && chance(faults_.link.loss, FaultKind::loss); ++tries) {
    carriage.lost = tries == faults_.link.retransmissions_max;
    carriage.arrival = carriage.arrival + backoff(tries);
  }
  return carriage;
}

Duration Link::backoff(std::uint64_t tries) const {
  const std::int64_t first = std::clamp<std::int64_t>(faults_.link.rto_min.ns, 1, backoff_max.ns);
  std::int64_t wait = first;
  for (std::uint64_t i = 0; i < tries && wait < backoff_max.ns; ++i) wait *= 2;
  return nanoseconds(std::min(wait, backoff_max.ns));
}

bool Link::chance(Ratio ratio, FaultKind kind) {
  const bool came_true = random_.chance(ratio);
  if (came_true) count(kind);
  return came_true;
}

Duration Link::drawn_delay(Ratio ratio, Duration max, FaultKind kind) {
  if (max.ns <= 0 || !chance(ratio, kind)) return {};
  return nanoseconds(static_cast<std::int64_t>(random_.between(1, static_cast<std::uint64_t>(max.ns))));
}

}  // namespace statefs::sim
