#include "sim/connection_watch.h"

#include <algorithm>

namespace statefs::sim {
namespace {

constexpr std::uint64_t message_2_size = 2 + 48;
constexpr std::uint64_t handshake_size = (2 + 48) + (2 + 64);  // messages 1 and 3

}  // namespace

void ConnectionWatch::accepted(StreamEnd end, Now now) {
  const auto in_handshake = std::count_if(all_.begin(), all_.end(), [](const auto& each) { return each.second.received < handshake_size; });
  if (all_.size() >= limits_.connections_max || static_cast<std::size_t>(in_handshake) >= limits_.half_open_max) ++one_too_many_;
  all_[end] = {0, 0, now.monotonic, now.monotonic, {}, false};
}

void ConnectionWatch::turned_away() {
  const auto may_be = std::count_if(all_.begin(), all_.end(), [](const auto& each) { return each.second.sent <= message_2_size; });
  if (all_.size() < limits_.connections_max && static_cast<std::size_t>(may_be) < limits_.half_open_max) ++one_too_few_;
}

void ConnectionWatch::received(StreamEnd end, std::size_t size, Now now) {
  Seen& seen = all_[end];
  seen.received += size;
  seen.heard = now.monotonic;
}

void ConnectionWatch::sent(StreamEnd end, std::size_t size) { all_[end].sent += size; }

void ConnectionWatch::plan_look(Now now) {
  const Duration least = std::min({limits_.handshake_timeout, limits_.dead_peer_timeout, limits_.connection_age_max, limits_.drain_timeout});
  next_look_ = now.monotonic + nanoseconds(least.ns / 2);
}

void ConnectionWatch::ended_by_peer(StreamEnd end) {
  const auto at = all_.find(end);
  if (at != all_.end()) at->second.ended_by_peer = true;
}

// A handshake that the peer did not end itself, and that nothing came for that could have been bad, was given up for its time.
void ConnectionWatch::ended(StreamEnd end, Now now) {
  const auto at = all_.find(end);
  if (at == all_.end()) return;
  const Seen& seen = at->second;
  const bool is_handshake = seen.received < handshake_size && seen.heard < now.monotonic && !seen.ended_by_peer;
  if (is_handshake && now.monotonic >= seen.accepted + limits_.handshake_timeout) ++timed_out_;
  all_.erase(at);
}

// Of one that was greeted: a handshake has a time of its own.
bool ConnectionWatch::is_aged(const Seen& seen, Now now) const {
  return seen.sent > message_2_size && now.monotonic >= seen.accepted + limits_.connection_age_max;
}

// Until HELLO the time of the handshake runs. Whoever is read and silent for thrice the time in which it should have been found
// dead was forgotten, and so was one that has had the time to drain since it was found too old.
bool ConnectionWatch::is_overdue(const Seen& seen, Now now) const {
  if (now.monotonic < seen.accepted + limits_.handshake_timeout) return false;
  if (seen.aged && now.monotonic > *seen.aged + limits_.drain_timeout) return true;
  const Duration dead = limits_.dead_peer_timeout;
  return seen.received < handshake_size || now.monotonic > seen.heard + dead + dead + dead;
}

}  // namespace statefs::sim
