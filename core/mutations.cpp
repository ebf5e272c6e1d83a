#include "core/mutations.h"

#include <algorithm>
#include <limits>

#include "core/check.h"
#include "core/entries.h"
#include "core/limits.h"
#include "core/lookup.h"

namespace statefs {

struct Mutations::Mutation {
  Op op = Op::put;
  std::uint64_t id = 0;
  SlotRef at;
  std::optional<std::uint64_t> expected;
  ByteView key_bytes;
  std::uint32_t sent_size = 0;       // as declared
  ByteView sent;                     // what came as value: of a staged PUT the 48 bytes that name the stage
  std::optional<StageCommit> stage;

  ByteView value;          // what the key is to have
  Digest sent_mac{};       // of `sent`, where it was read
  Digest mac{};            // of `value`, where it is known
  Digest digest{};         // of what is asked, without its id and generation
  std::optional<CanonicalKey> key;
  Effect effect;
  AuditRecord record;
  MutationResponse answer;

  [[nodiscard]] std::uint64_t value_size() const { return stage ? stage->total_size : sent_size; }
};

namespace {

Status status_of(AppendError error) {
  switch (error) {
    case AppendError::log_full: return Status::audit_unavailable;
    case AppendError::no_space: return Status::no_space;
    case AppendError::failed: return Status::io_error;
  }
  STATEFS_CHECK(false);
}

Status status_of(SlotVerdict verdict) {
  switch (verdict) {
    case SlotVerdict::execute:
    case SlotVerdict::replay: return Status::ok;
    case SlotVerdict::in_progress: return Status::in_progress;
    case SlotVerdict::false_retry: return Status::false_retry;
    case SlotVerdict::too_old: return Status::sequence_old;
    case SlotVerdict::gap: return Status::sequence_gap;
    case SlotVerdict::unknown: return Status::session_unknown;
    case SlotVerdict::fenced: return Status::fenced;
  }
  STATEFS_CHECK(false);
}

bool has_retry_hint(Status status) {
  return status == Status::audit_unavailable || status == Status::no_space || status == Status::in_progress;
}

// Whether the answer says nothing of the request: the sequence is not used, and there is no record.
bool is_taken_back(Status status) { return status == Status::stage_missing; }

}  // namespace

Status Mutations::put(const PutRequest& request, std::uint64_t id, const Caller& caller, Now now, Bytes& out) {
  Mutation mutation;
  mutation.op = Op::put;
  mutation.id = id;
  mutation.at = request.at;
  mutation.expected = request.expected_revision;
  mutation.key_bytes = request.key;
  mutation.sent_size = request.value_size;
  mutation.sent = request.value;
  mutation.stage = request.stage;
  if (!request.stage) mutation.value = request.value;
  return execute(mutation, caller, now, out);
}

Status Mutations::erase(const DeleteRequest& request, std::uint64_t id, const Caller& caller, Now now, Bytes& out) {
  Mutation mutation;
  mutation.op = Op::del;
  mutation.id = id;
  mutation.at = request.at;
  mutation.expected = request.expected_revision;
  mutation.key_bytes = request.key;
  return execute(mutation, caller, now, out);
}

Status Mutations::execute(Mutation& mutation, const Caller& caller, Now now, Bytes& out) {
  Status status = Status::ok;
  if (store_.status().failed) {
    STATEFS_MARK("mutation.store_failed");
    status = Status::io_error;
  } else if (answered_by_slot(mutation, caller, status)) {
    if (!mutation.answer.replayed) tally_.count_refusal(caller.peer, static_cast<std::uint8_t>(mutation.op), status);
  } else if (!store_.log_has_room()) {
    STATEFS_MARK("mutation.audit_unavailable");
    status = Status::audit_unavailable;
  } else {
    status = judge(mutation, caller.policy->rules);
    if (status == Status::ok && mutation.stage) status = fetch_stage(mutation, caller, now);
    if (status == Status::ok) status = weigh(mutation, caller);
    if (!is_taken_back(status)) {
      record(mutation, caller, now);
      status = append(mutation, status, *caller.policy);
    }
    // What was committed is in the store, and what is not the value that was meant never will be.
    const bool used_up = status == Status::ok || status == Status::digest_mismatch;
    if (mutation.stage && used_up) staging_.drop(owner_of(caller.peer), mutation.stage->stage);
  }
  if (has_retry_hint(status)) mutation.answer.retry_after_ms = retry_after_ms;
  mutation.answer.head = store_.status().durable_head;
  encode_response(Response{mutation.id, static_cast<std::uint8_t>(mutation.op), status, mutation.answer}, out);
  return status;
}

// The record with what `status` has left of the effect.
Status Mutations::append(Mutation& mutation, Status status, const PeerPolicy& policy) {
  if (status != Status::ok) {
    // Nothing changes. What was there is recorded where the peer may read it: no hash may tell what the policy does not.
    const bool told = mutation.effect.key && policy.rules.check(*mutation.key, Access::get).allowed;
    mutation.effect = {Effect::Kind::none, told ? mutation.key : std::nullopt, {}};
  }
  mutation.record.status = status;
  if (mutation.effect.kind == Effect::Kind::put) mutation.answer.revision = store_.status().last_index + 1;
  SlotChange use;
  use.kind = SlotChange::Kind::use;
  use.at = mutation.at;
  use.result = {mutation.at.sequence, mutation.digest, status, 0, mutation.answer.revision};
  const auto appended = store_.append(mutation.record, mutation.effect, use);
  if (appended.ok()) {
    mutation.answer.index = appended.value();
    if (status != Status::ok) ++refusals_recorded_;
    return status;
  }
  if (appended.error() == AppendError::no_space) STATEFS_MARK("mutation.no_space");
  mutation.answer = {};
  return status_of(appended.error());
}

bool Mutations::would_execute(const SlotRef& at, const Caller& caller) const {
  const SlotSession* const session = store_.slots().find(owner_of(caller.peer), at.session);
  return statefs::judge(session, at, Digest{}, store_.status().completed_index) == SlotVerdict::execute;  // which no digest decides
}

bool Mutations::answered_by_slot(Mutation& mutation, const Caller& caller, Status& status) {
  // What was sent is read once: its MAC stands for it in the digest and, unless it only names a stage, in the record.
  const bool read = mutation.sent.size() == mutation.sent_size;
  if (mutation.op == Op::put && read) mutation.sent_mac = mac_.of(mutation.sent);
  if (!mutation.stage) mutation.mac = mutation.sent_mac;
  asked_.clear();
  Writer writer(asked_);
  writer.u8(static_cast<std::uint8_t>(mutation.op));
  writer.u8(static_cast<std::uint8_t>((mutation.expected ? 1 : 0) | (mutation.stage ? 2 : 0)));
  writer.u64(mutation.expected.value_or(0));
  writer.u32(mutation.sent_size);
  writer.bytes(mutation.sent_mac);
  mutation.digest = sha_.of(asked_, mutation.key_bytes);

  const SlotSession* const session = store_.slots().find(owner_of(caller.peer), mutation.at.session);
  const SlotVerdict verdict = statefs::judge(session, mutation.at, mutation.digest, store_.status().completed_index);
  if (verdict == SlotVerdict::execute) return false;
  mark(verdict);
  status = status_of(verdict);
  if (verdict == SlotVerdict::replay) {
    const Slot& slot = session->slots[mutation.at.slot];
    if (slot.status != Status::ok) STATEFS_MARK("slots.replay_of_refusal");
    status = slot.status;
    mutation.answer.replayed = true;
    mutation.answer.index = slot.index;
    mutation.answer.revision = slot.revision;
  }
  return true;
}

// The verdict: what depends on the request and the policy alone.
Status Mutations::judge(Mutation& mutation, const RuleSet& rules) {
  const auto key = CanonicalKey::from(mutation.key_bytes);
  if (!key.ok()) {
    STATEFS_MARK("mutation.invalid_key");
    return status_of(key.error());
  }
  mutation.key = key.value();
  const Verdict verdict = rules.check(*mutation.key, mutation.op == Op::put ? Access::put : Access::del);
  mutation.record.rule = verdict.rule;
  if (!verdict.allowed) {
    STATEFS_MARK("mutation.denied");
    return Status::access_denied;
  }
  // An expected revision asks what exists, which is a read.
  if (mutation.expected) {
    const Verdict reading = rules.check(*mutation.key, Access::get);
    if (!reading.allowed) {
      STATEFS_MARK("mutation.condition_denied");
      mutation.record.rule = reading.rule;
      return Status::access_denied;
    }
  }
  mutation.record.allowed = true;
  if (mutation.value_size() > (mutation.stage ? staging_.limits().value_size_max : limits::value_size_max)) {
    STATEFS_MARK("mutation.value_too_large");
    return Status::value_too_large;
  }
  return Status::ok;
}

Status Mutations::fetch_stage(Mutation& mutation, const Caller& caller, Now now) {
  const Staging::Whole whole = staging_.find(*mutation.stage, *mutation.key, owner_of(caller.peer), now);
  if (whole.status != Status::ok) return whole.status;
  STATEFS_MARK("mutation.staged");
  mutation.value = whole.value;
  // A large value is hashed once, while it is staged: the MAC is of its hash.
  mutation.mac = mac_.of(whole.value.size() > limits::value_size_max ? ByteView(whole.digest) : whole.value);
  return Status::ok;
}

// What depends on the state: the condition, and the peer's quota. Sets the effect.
Status Mutations::weigh(Mutation& mutation, const Caller& caller) {
  const auto present = store_.find(*mutation.key);
  const std::uint64_t revision = present ? present->revision : 0;
  mutation.effect.key = mutation.key;
  if (mutation.op == Op::del && !present) {
    const bool may_know = caller.policy->rules.check(*mutation.key, Access::get).allowed;
    if (may_know) STATEFS_MARK("mutation.not_found");
    else STATEFS_MARK("mutation.absence_untold");
    return may_know ? Status::not_found : Status::ok;
  }
  if (mutation.expected && *mutation.expected != revision) {
    STATEFS_MARK("mutation.conflict");
    mutation.answer.revision = revision;
    return Status::revision_conflict;
  }
  if (mutation.op == Op::del) {
    mutation.effect.kind = Effect::Kind::erase;
    return Status::ok;
  }
  Usage usage = store_.usage_of(caller.peer);
  if (present && present->owner == owner_of(caller.peer)) {
    usage.keys -= 1;
    usage.value_bytes -= present->value.size();
    usage.key_bytes -= mutation.key->text().size();
  } else if (present) {
    STATEFS_MARK("mutation.changes_owner");
  }
  const Quota& quota = caller.policy->quota;
  const Usage after{usage.keys + 1, usage.value_bytes + mutation.value.size(), usage.key_bytes + mutation.key->text().size()};
  if (!is_within(after, quota, store_.key_size_mean())) {
    STATEFS_MARK("mutation.quota_exceeded");
    return Status::quota_exceeded;
  }
  mutation.effect.kind = Effect::Kind::put;
  mutation.effect.value = mutation.value;
  return Status::ok;
}

void Mutations::record(Mutation& mutation, const Caller& caller, Now now) {
  AuditRecord& record = mutation.record;
  const ByteView key = mutation.key_bytes;
  record.kind = AuditKind::mutation;
  record.wall_ns = now.wall_ns;
  record.monotonic_ns = now.monotonic.ns;
  record.policy = tally_.policy();
  record.peer = caller.peer;
  record.at = mutation.at;
  record.op = static_cast<std::uint8_t>(mutation.op);
  record.key = as_text(key.first(std::min(key.size(), limits::key_size_max)));
  record.key_size = static_cast<std::uint32_t>(key.size());
  if (key.size() > limits::key_size_max) record.key_digest = sha_.of(key);
  record.value_size = static_cast<std::uint32_t>(std::min<std::uint64_t>(mutation.value_size(), std::numeric_limits<std::uint32_t>::max()));
  record.value_mac = mutation.mac;
}

void Mutations::mark(SlotVerdict verdict) const {
  switch (verdict) {
    case SlotVerdict::execute: return;
    case SlotVerdict::replay: STATEFS_MARK("slots.replay"); return;
    case SlotVerdict::in_progress: STATEFS_MARK("slots.in_progress"); return;
    case SlotVerdict::false_retry: STATEFS_MARK("slots.false_retry"); return;
    case SlotVerdict::too_old: STATEFS_MARK("slots.too_old"); return;
    case SlotVerdict::gap: STATEFS_MARK("slots.gap"); return;
    case SlotVerdict::unknown: STATEFS_MARK("slots.unknown"); return;
    case SlotVerdict::fenced: STATEFS_MARK("slots.fenced"); return;
  }
}

}  // namespace statefs
