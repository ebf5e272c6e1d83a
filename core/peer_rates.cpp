#include "core/peer_rates.h"

#include <algorithm>

#include "core/check.h"

namespace statefs {

namespace {

std::uint32_t retry_ms(Time at, Time now) {
  if (at <= now) return 1;
  // Without a sign: a clock that began below 0 may be further from the end of time than a sign leaves room for.
  const std::uint64_t wait_ns = static_cast<std::uint64_t>(at.ns) - static_cast<std::uint64_t>(now.ns);
  const std::uint64_t wait_ms = (wait_ns - 1) / static_cast<std::uint64_t>(milliseconds(1).ns) + 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(wait_ms, limits::retry_after_ms_max));
}

// An eighth of a second's worth: a peer that rests wakes the server eight times a second, not once for each refusal.
std::uint64_t rest_of(const RateLimit& refusals) {
  if (!refusals.limits()) return 0;
  return std::clamp<std::uint64_t>(refusals.per_second / 8, 1, refusals.burst);
}

}  // namespace

PeerRate::PeerRate(const PeerRateLimits& limits, Time now)
    : session_events_(limits.session_events, now),
      refusals_(limits.refusals, now),
      requests_(limits.requests, now),
      bytes_(limits.bytes, now),
      rest_(rest_of(limits.refusals)) {}

bool PeerRate::take_session_event(Time now) {
  if (!session_events_.has(1, now)) return false;
  session_events_.take(1, now);
  return true;
}

bool PeerRate::take_request(Time now) {
  if (!requests_.has(1, now) || !bytes_.has(1, now)) return false;
  requests_.take(1, now);
  return true;
}

std::uint32_t PeerRate::session_retry_ms(Time now) const { return retry_ms(session_events_.has_at(1), now); }

std::uint32_t PeerRate::request_retry_ms(Time now) const { return retry_ms(std::max(requests_.has_at(1), bytes_.has_at(1)), now); }

bool PeerRate::may_read(Time now) {
  resting_ = !refusals_.has(resting_ ? rest_ : 1, now);
  return !resting_;
}

PeerRate& PeerRates::of(const Owner& owner, Time now) {
  const auto at = rates_.try_emplace(owner, limits_, now).first;
  STATEFS_CHECK(rates_.size() <= limits::rated_peers_max);
  return at->second;
}

}  // namespace statefs
