#include "core/tally.h"

#include <algorithm>

#include "core/limits.h"

namespace statefs {

namespace {

// An op outside the known ones is counted as 0, so that a peer cannot widen the table.
std::uint8_t known_op(std::uint8_t op) { return (op >= 1 && op <= 5) || (op >= 16 && op <= 21) ? op : std::uint8_t{0}; }

}  // namespace

void Tally::count(AuditKind kind, const PeerRef& peer, std::uint8_t op, Status status) {
  Count& entry = counted_[Key{kind, owner_of(peer), op, status}];
  if (entry.count == 0) entry.alias = peer.alias;
  ++entry.count;
}

void Tally::count_refusal(const PeerRef& peer, std::uint8_t op, Status status) {
  count(AuditKind::refusals, peer, known_op(op), status);
  ++refusals_counted_;
}

void Tally::count_damage(const PeerRef& peer) { count(AuditKind::damaged, peer, 0, Status::malformed); }

void Tally::count_handshake_failure(HandshakeFailure cause) {
  ++handshakes_[static_cast<std::size_t>(cause)];
  handshakes_waiting_ = true;
}

void Tally::policy_changed(const Digest& version) {
  STATEFS_MARK("tally.policy_changed");
  policy_ = version;
  policy_waiting_ = true;
}

bool Tally::append(AuditRecord& record, Now now) {
  record.wall_ns = now.wall_ns;
  record.monotonic_ns = now.monotonic.ns;
  record.policy = policy_;
  if (store_.append(record).ok()) return true;
  STATEFS_MARK("tally.no_room");
  return false;
}

// Where the log has no room it is tried again after a while, not at once: room comes from an exporter, not from trying.
void Tally::record(Now now) {
  if (!record_all(now)) handshakes_due_ = now.monotonic + limits::aggregate_interval;
}

std::size_t Tally::record_the_rest(Now now) {
  handshakes_due_ = now.monotonic;
  record(now);
  const auto handshakes = std::count_if(handshakes_.begin(), handshakes_.end(), [](std::uint64_t count) { return count > 0; });
  return counted_.size() + static_cast<std::size_t>(handshakes) + (policy_waiting_ ? 1 : 0);
}

bool Tally::record_all(Now now) {
  if (policy_waiting_) {
    AuditRecord record;
    record.kind = AuditKind::policy;
    record.allowed = true;
    if (!append(record, now)) return false;
    policy_waiting_ = false;
  }
  while (!counted_.empty()) {
    const auto first = counted_.begin();
    AuditRecord record;
    record.kind = first->first.kind;
    const Owner& peer = first->first.peer;
    record.peer = {peer.kind, peer.key, peer.uid, first->second.alias};
    record.op = first->first.op;
    record.status = first->first.status;
    record.count = first->second.count;
    if (!append(record, now)) return false;
    if (record.kind == AuditKind::damaged) STATEFS_MARK("tally.damage");
    else STATEFS_MARK("tally.refusals");
    counted_.erase(first);
  }
  if (!handshakes_waiting_ || now.monotonic < handshakes_due_) return true;
  if (!record_handshakes(now)) return false;
  handshakes_waiting_ = false;
  handshakes_due_ = now.monotonic + limits::aggregate_interval;
  return true;
}

bool Tally::record_handshakes(Now now) {
  for (std::size_t cause = 0; cause < handshakes_.size(); ++cause) {
    if (handshakes_[cause] == 0) continue;
    AuditRecord record;
    record.kind = AuditKind::handshakes;
    record.op = static_cast<std::uint8_t>(cause);
    record.status = Status::access_denied;
    record.count = handshakes_[cause];
    if (!append(record, now)) return false;
    STATEFS_MARK("tally.handshakes");
    handshakes_[cause] = 0;
  }
  return true;
}

Time Tally::deadline() const {
  return handshakes_waiting_ && !store_.status().failed ? handshakes_due_ : never;
}

}  // namespace statefs
