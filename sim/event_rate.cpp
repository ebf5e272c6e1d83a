#include "sim/event_rate.h"

#include <algorithm>

#include "core/limits.h"

namespace statefs::sim {

void EventRate::settle() {
  std::stable_sort(all_.begin(), all_.end(), [](const Spent& a, const Spent& b) { return a.to < b.to; });
}

// Since any earlier moment at which the bucket cannot have held more than its burst: what came in, without all that may have gone out.
std::int64_t EventRate::least_between(Place life, Time from, Time to) const {
  const auto burst = static_cast<std::int64_t>(limit_.burst * 1000);
  const auto per_second = static_cast<std::int64_t>(limit_.per_second);
  std::int64_t spent = 0, least = burst;
  for (auto each = all_.rbegin(); each != all_.rend(); ++each) {
    if (each->life != life || each->from > to) continue;
    spent += each->count * 1000;
    const std::int64_t passed_ms = each->to >= from ? 0 : (from - each->to).ns / milliseconds(1).ns;
    least = std::min(least, burst + passed_ms * per_second * 9 / 10 - spent);
  }
  return std::max<std::int64_t>(0, least);
}

}  // namespace statefs::sim
