#include "sim/draw_rates.h"

#include <algorithm>

namespace statefs::sim {

void draw_rates(RandomStream& random, Plan& plan) {
  PeerRateLimits& rates = plan.limits.rates;
  if (random.chance({1, 2})) rates.refusals = {random.between(1, 40), 1 + random.skewed(80)};
  if (rates.refusals.limits()) {
    // A client that takes a rest for death comes again, is put off again, and its next rest is longer.
    const Duration rest = nanoseconds(8'000'000'000 / static_cast<std::int64_t>(rates.refusals.per_second));
    plan.client_dead_peer_timeout = std::max(plan.client_dead_peer_timeout, seconds(1) + rest);
  }
  if (random.chance({1, 4})) rates.session_events = {random.between(8, 60), 8 + random.skewed(60)};
  // Each new connection asks for something: where they are short, nothing else would ever get through.
  if (plan.limits.connection_age_max >= seconds(10)) {
    if (random.chance({1, 4})) rates.requests = {random.between(2, 60), 1 + random.skewed(60)};
    if (random.chance({1, 6})) rates.bytes = {4'000 + random.skewed(200'000), 1 + random.skewed(200'000)};
  }
  if (random.chance({1, 4})) {
    plan.hostile.push_back(HostileKind::noisy);
    plan.faults.stream.send_window = std::max<std::size_t>(plan.faults.stream.send_window, 1'024);  // a flood through less is only events
  }
}

void draw_crowd(RandomStream& random, Plan& plan) {
  if (random.chance({1, 12})) {
    plan.limits.connections_max = plan.client_count + random.between(1, 3);
    plan.hostile.push_back(HostileKind::crowd);
  }
  if (plan.limits.connection_age_max < seconds(60) && random.chance({1, 2})) plan.hostile.push_back(HostileKind::deaf);
}

}  // namespace statefs::sim
