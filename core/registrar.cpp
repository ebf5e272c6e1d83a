#include "core/registrar.h"

#include <algorithm>

#include "core/check.h"
#include "core/limits.h"

namespace statefs {

namespace {

constexpr std::uint32_t room_retry_after_ms = 200;

AuditKind kind_of(SlotChange::Kind kind) { return kind == SlotChange::Kind::evict ? AuditKind::eviction : AuditKind::session; }

}  // namespace

Status Registrar::append(const SlotChange& change, const PeerRef& peer, Op op, Now now) {
  AuditRecord record;
  record.kind = kind_of(change.kind);
  record.wall_ns = now.wall_ns;
  record.monotonic_ns = now.monotonic.ns;
  record.policy = tally_.policy();
  record.peer = peer;
  record.op = static_cast<std::uint8_t>(op);
  record.allowed = true;
  record.at.session = change.kind == SlotChange::Kind::open ? store_.status().last_index + 1 : change.at.session;
  record.at.generation = change.kind == SlotChange::Kind::open || change.kind == SlotChange::Kind::resume ? change.generation
                                                                                                         : change.at.generation;
  const auto appended = store_.append(record, {}, change);
  if (!appended.ok()) {
    if (appended.error() == AppendError::failed) return Status::io_error;
    if (appended.error() == AppendError::no_space) return Status::session_limit;
    STATEFS_MARK("registrar.log_full");
    return Status::audit_unavailable;
  }
  store_.request_flush(appended.value());
  return Status::ok;
}

Registered Registrar::rate_refused(const Applicant& who, Now now) const {
  STATEFS_MARK("registrar.rate_refused");
  Registered out = answer(Status::overloaded, nullptr);
  out.answer.retry_after_ms = who.rate.session_retry_ms(now.monotonic);
  return out;
}

Registered Registrar::answer(Status status, const SlotSession* session) const {
  Registered out;
  out.status = status;
  if (status == Status::audit_unavailable || status == Status::session_limit) out.answer.retry_after_ms = room_retry_after_ms;
  if (session == nullptr) return out;
  out.answer.session = session->number;
  out.answer.generation = session->generation;
  if (status != Status::ok) return out;
  for (const Slot& slot : session->slots) out.answer.slots.push_back({slot.sequence, slot.index, slot.revision, slot.status});
  return out;
}

// An OPEN or RESUME of a live session: a higher generation fences whoever used it before.
Status Registrar::raise(const SlotSession& session, std::uint32_t generation, const Applicant& who, Now now) {
  if (generation <= session.generation) {
    STATEFS_MARK("registrar.stale_generation");
    return Status::fenced;
  }
  SlotChange change;
  change.kind = SlotChange::Kind::resume;
  change.at.session = session.number;
  change.generation = generation;
  const std::uint64_t number = session.number;
  const Status status = append(change, who.peer, Op::resume, now);
  if (status != Status::ok) return status;
  const auto [use, fresh] = used_from_.try_emplace(number, who.connection);
  if (!fresh && use->second != who.connection) STATEFS_MARK("registrar.fences");
  use->second = who.connection;
  return status;
}

// With no room, the least recently used session without a connection goes: more than one where the limit was lowered since.
bool Registrar::make_room(const Owner& owner, const Applicant& who, Now now, Status& status) {
  while (store_.slots().live(owner).size() >= sessions_per_key_) {
    if (!evict_one(owner, who, now, status)) return false;
  }
  return true;
}

// Without a connection; null: none is.
const SlotSession* Registrar::least_used(const Owner& owner) const {
  const SlotSession* least = nullptr;
  for (const SlotSession& session : store_.slots().live(owner)) {
    if (used_from_.contains(session.number)) continue;
    if (least == nullptr || session.used_index < least->used_index) least = &session;
  }
  return least;
}

Status Registrar::evict(const SlotSession& session, const PeerRef& peer, Now now) {
  SlotChange change;
  change.kind = SlotChange::Kind::evict;
  change.at.session = session.number;
  change.at.generation = session.generation;
  return append(change, peer, Op::open, now);
}

bool Registrar::evict_one(const Owner& owner, const Applicant& who, Now now, Status& status) {
  const SlotSession* const least = least_used(owner);
  if (least == nullptr) {
    STATEFS_MARK("registrar.session_limit");
    status = Status::session_limit;
    return false;
  }
  STATEFS_MARK("registrar.evicts");
  status = evict(*least, who.peer, now);
  if (status != Status::ok) return false;
  who.rate.charge_session_event(now.monotonic);
  return true;
}

// The store is full of sessions of more peers than it has room for: devices that got other keys, uids that have gone. Of one that no
// policy names any more sessions end until one is forgotten, which an ended one is behind limits::ended_sessions_per_key others.
Status Registrar::evict_former(Now now) {
  if (policy_ == nullptr) return Status::session_limit;
  for (const auto& [owner, shelf] : store_.slots().shelves()) {
    if (policy_of(owner, *policy_) != nullptr || shelf.live.empty()) continue;
    const std::uint64_t before = store_.slots().footprint();
    const PeerRef peer{owner.kind, owner.key, owner.uid, {}};
    while (store_.slots().footprint() == before) {
      const SlotSession* const least = least_used(owner);
      if (least == nullptr) break;
      STATEFS_MARK("registrar.evicts_former");
      const Status status = evict(*least, peer, now);
      if (status != Status::ok) return status;
    }
    if (store_.slots().footprint() < before) return Status::ok;
  }
  return Status::session_limit;
}

Registered Registrar::open(const OpenRequest& request, const Applicant& who, Now now) {
  const Owner owner = owner_of(who.peer);
  if (!who.rate.take_session_event(now.monotonic)) return rate_refused(who, now);
  if (const SlotSession* const session = store_.slots().find(owner, request.instance)) {
    STATEFS_MARK("registrar.open_again");
    const Status status = raise(*session, request.generation, who, now);
    return answer(status, store_.slots().find(owner, request.instance));
  }
  // An instance that has ended stays ended: its slots are history that OUTCOME tells.
  if (store_.slots().find_ended(owner, request.instance) != nullptr) {
    STATEFS_MARK("registrar.open_of_ended");
    return answer(Status::session_unknown, nullptr);
  }
  Status status = Status::ok;
  if (!make_room(owner, who, now, status)) return answer(status, nullptr);
  SlotChange change;
  change.kind = SlotChange::Kind::open;
  change.instance = request.instance;
  change.generation = request.generation;
  status = append(change, who.peer, Op::open, now);
  if (status == Status::session_limit) {
    status = evict_former(now);
    if (status == Status::ok) status = append(change, who.peer, Op::open, now);
  }
  if (status != Status::ok) return answer(status, nullptr);
  const SlotSession* const session = store_.slots().find(owner, request.instance);
  STATEFS_CHECK(session != nullptr);
  used_from_[session->number] = who.connection;
  return answer(Status::ok, session);
}

Registered Registrar::resume(const ResumeRequest& request, const Applicant& who, Now now) {
  const Owner owner = owner_of(who.peer);
  if (!who.rate.take_session_event(now.monotonic)) return rate_refused(who, now);
  const SlotSession* const session = store_.slots().find(owner, request.instance);
  if (session == nullptr) {
    if (store_.slots().find_ended(owner, request.instance) != nullptr) STATEFS_MARK("registrar.resume_of_ended");
    else STATEFS_MARK("registrar.resume_unknown");
    return answer(Status::session_unknown, nullptr);
  }
  const Status status = raise(*session, request.generation, who, now);
  return answer(status, store_.slots().find(owner, request.instance));
}

Registered Registrar::close(const CloseRequest& request, const Applicant& who, Now now) {
  const Owner owner = owner_of(who.peer);
  if (!who.rate.take_session_event(now.monotonic)) return rate_refused(who, now);
  const SlotSession* const session = store_.slots().find(owner, request.session);
  if (session == nullptr) {
    // Closed before, and the answer was lost: the same answer again, once it is durable.
    const SlotSession* const ended = store_.slots().find_ended(owner, request.session);
    if (ended == nullptr) STATEFS_MARK("registrar.close_unknown");
    else STATEFS_MARK("registrar.close_again");
    store_.request_flush(store_.status().last_index);
    return answer(ended == nullptr ? Status::session_unknown : Status::ok, ended);
  }
  if (request.generation != session->generation) {
    STATEFS_MARK("registrar.close_fenced");
    return answer(Status::fenced, session);
  }
  SlotChange change;
  change.kind = SlotChange::Kind::close;
  change.at.session = request.session;
  change.at.generation = request.generation;
  const Status status = append(change, who.peer, Op::close, now);
  if (status != Status::ok) return answer(status, nullptr);
  STATEFS_MARK("registrar.closed");
  used_from_.erase(request.session);
  return answer(Status::ok, store_.slots().find_ended(owner, request.session));
}

OutcomeResponse Registrar::outcome(const OutcomeRequest& request, const PeerRef& peer) const {
  const Owner owner = owner_of(peer);
  OutcomeResponse out;
  const SlotSession* const live = store_.slots().find(owner, request.instance);
  const SlotSession* const session = live != nullptr ? live : store_.slots().find_ended(owner, request.instance);
  const bool asked_well = request.slot < limits::slots_per_session && request.sequence > 0;
  if (session == nullptr || !asked_well || request.sequence < session->slots[request.slot].sequence) {
    STATEFS_MARK("registrar.outcome_beyond_horizon");
    out.outcome = Outcome::beyond_horizon;
    return out;
  }
  const Slot& slot = session->slots[request.slot];
  if (request.sequence > slot.sequence) {
    if (live != nullptr) STATEFS_MARK("registrar.outcome_pending");
    else STATEFS_MARK("registrar.outcome_never");
    out.outcome = live != nullptr ? Outcome::pending : Outcome::never_executed;
    return out;
  }
  if (slot.status == Status::ok) STATEFS_MARK("registrar.outcome_applied");
  else STATEFS_MARK("registrar.outcome_refused");
  out.outcome = slot.status == Status::ok ? Outcome::applied : Outcome::refused;
  out.recorded = slot.status;
  out.index = slot.index;
  out.revision = slot.revision;
  return out;
}

void Registrar::connection_ended(ConnectionId connection) {
  std::erase_if(used_from_, [connection](const auto& use) { return use.second == connection; });
}

}  // namespace statefs
