#include "core/service.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/limits.h"

namespace statefs {

struct Service::Mutation {
  Op op = Op::put;
  std::uint64_t id = 0;
  SlotRef at;
  std::optional<std::uint64_t> expected;
  ByteView key_bytes;
  std::uint32_t value_size = 0;
  ByteView value;

  Digest mac{};     // of the value, where it was read
  Digest digest{};  // of what is asked, without its id and generation
  std::optional<CanonicalKey> key;
  Effect effect;
  AuditRecord record;
  MutationResponse answer;
};

namespace {

// How long a client waits before it tries again what had no room. Exporters free the log in less.
constexpr std::uint32_t retry_after_ms = 200;

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

void respond(Op op, std::uint64_t id, Status status, ResponseBody body, Bytes& out) {
  encode_response(Response{id, static_cast<std::uint8_t>(op), status, std::move(body)}, out);
}

}  // namespace

Service::Service(Store& store, Tally& tally, Marks& marks, const SecretKey& mac_key, const ServiceLimits& limits)
    : store_(store),
      tally_(tally),
      marks_(marks),
      lookup_(store, tally, marks),
      registrar_(store, tally, marks, limits.sessions_per_key),
      mac_(mac_key),
      limits_(limits) {}

Executed Service::execute(const Request& request, const Caller& caller, Now now, Bytes& out) {
  STATEFS_CHECK(caller.policy != nullptr);
  const std::uint64_t before = answered_ok_;
  const Executed done = answer(request, caller, now, out);
  if (caller.peer.kind == PeerKind::local) answered_ok_local_ += answered_ok_ - before;
  return done;
}

Executed Service::answer(const Request& request, const Caller& caller, Now now, Bytes& out) {
  const RequestBody& body = request.body;
  const std::uint64_t id = request.id;
  const Op op = op_of(body);
  switch (op) {
    case Op::put: return put(std::get<PutRequest>(body), id, caller, now, out);
    case Op::get: return finished(lookup_.get(std::get<GetRequest>(body), {id, caller.peer, caller.policy->rules}, out));
    case Op::del: return erase(std::get<DeleteRequest>(body), id, caller, now, out);
    case Op::list: return finished(lookup_.list(std::get<ListRequest>(body), {id, caller.peer, caller.policy->rules}, out));
    case Op::sync: return sync(std::get<SyncRequest>(body), id, out);
    case Op::hello: return hello(std::get<HelloRequest>(body), id, out);
    case Op::open:
    case Op::resume:
    case Op::close: return session_verb(body, id, caller, now, out);
    case Op::outcome: return outcome(std::get<OutcomeRequest>(body), id, caller, out);
    case Op::stage: return unsupported(op, id, caller, out);
  }
  STATEFS_CHECK(false);
}

void Service::refuse_frame(const FrameHeader& header, Status status, const Caller& caller, Bytes& out) {
  const auto op = static_cast<std::uint8_t>(header.op & ~response_bit);
  encode_response(Response{header.id, op, status, EmptyResponse{}}, out);
  tally_.count_refusal(caller.peer, header.op, status);
}

Executed Service::unsupported(Op op, std::uint64_t id, const Caller& caller, Bytes& out) {
  respond(op, id, Status::unsupported, EmptyResponse{}, out);
  tally_.count_refusal(caller.peer, static_cast<std::uint8_t>(op), Status::unsupported);
  return finished(Status::unsupported);
}

Executed Service::put(const PutRequest& request, std::uint64_t id, const Caller& caller, Now now, Bytes& out) {
  if (request.stage) return unsupported(Op::put, id, caller, out);
  Mutation mutation;
  mutation.op = Op::put;
  mutation.id = id;
  mutation.at = request.at;
  mutation.expected = request.expected_revision;
  mutation.key_bytes = request.key;
  mutation.value_size = request.value_size;
  mutation.value = request.value;
  return mutate(mutation, caller, now, out);
}

Executed Service::erase(const DeleteRequest& request, std::uint64_t id, const Caller& caller, Now now, Bytes& out) {
  Mutation mutation;
  mutation.op = Op::del;
  mutation.id = id;
  mutation.at = request.at;
  mutation.expected = request.expected_revision;
  mutation.key_bytes = request.key;
  return mutate(mutation, caller, now, out);
}

Executed Service::mutate(Mutation& mutation, const Caller& caller, Now now, Bytes& out) {
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
    if (status == Status::ok) status = weigh(mutation, caller);
    if (status != Status::ok) mutation.effect = Effect{};
    mutation.record.status = status;
    record(mutation, caller, now);
    if (mutation.effect.kind == Effect::Kind::put) mutation.answer.revision = store_.status().last_index + 1;
    SlotChange use;
    use.kind = SlotChange::Kind::use;
    use.at = mutation.at;
    use.result = {mutation.at.sequence, mutation.digest, status, 0, mutation.answer.revision};
    const auto appended = store_.append(mutation.record, mutation.effect, use);
    if (appended.ok()) {
      mutation.answer.index = appended.value();
    } else {
      if (appended.error() == AppendError::no_space) STATEFS_MARK("mutation.no_space");
      status = status_of(appended.error());
      mutation.answer = {};
    }
  }
  if (has_retry_hint(status)) mutation.answer.retry_after_ms = retry_after_ms;
  mutation.answer.head = store_.status().durable_head;
  respond(mutation.op, mutation.id, status, mutation.answer, out);
  return finished(status);
}

bool Service::answered_by_slot(Mutation& mutation, const Caller& caller, Status& status) {
  // The value is read once: its MAC stands for it in the digest and in the record.
  const bool read = mutation.value.size() == mutation.value_size;
  if (mutation.op == Op::put && read) mutation.mac = mac_.of(mutation.value);
  asked_.clear();
  Writer writer(asked_);
  writer.u8(static_cast<std::uint8_t>(mutation.op));
  writer.u8(mutation.expected ? 1 : 0);
  writer.u64(mutation.expected.value_or(0));
  writer.u32(mutation.value_size);
  writer.bytes(mutation.mac);
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
Status Service::judge(Mutation& mutation, const RuleSet& rules) {
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
  if (mutation.value_size > limits::value_size_max) {
    STATEFS_MARK("mutation.value_too_large");
    return Status::value_too_large;
  }
  return Status::ok;
}

// What depends on the state: the condition, and the peer's quota. Sets the effect.
Status Service::weigh(Mutation& mutation, const Caller& caller) {
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
  } else if (present) {
    STATEFS_MARK("mutation.changes_owner");
  }
  const Quota& quota = caller.policy->quota;
  if (usage.keys + 1 > quota.keys || usage.value_bytes + mutation.value.size() > quota.value_bytes) {
    STATEFS_MARK("mutation.quota_exceeded");
    return Status::quota_exceeded;
  }
  mutation.effect.kind = Effect::Kind::put;
  mutation.effect.value = mutation.value;
  return Status::ok;
}

void Service::record(Mutation& mutation, const Caller& caller, Now now) {
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
  record.value_size = mutation.value_size;
  record.value_mac = mutation.mac;
}

Executed Service::session_verb(const RequestBody& body, std::uint64_t id, const Caller& caller, Now now, Bytes& out) {
  const Applicant who{caller.peer, caller.connection};
  const Op op = op_of(body);
  Registered done;
  if (store_.status().failed) {
    done.status = Status::io_error;
  } else if (const auto* open = std::get_if<OpenRequest>(&body)) {
    done = registrar_.open(*open, who, now);
  } else if (const auto* resume = std::get_if<ResumeRequest>(&body)) {
    done = registrar_.resume(*resume, who, now);
  } else {
    done = registrar_.close(std::get<CloseRequest>(body), who, now);
  }
  if (done.status != Status::ok) tally_.count_refusal(caller.peer, static_cast<std::uint8_t>(op), done.status);
  respond(op, id, done.status, std::move(done.answer), out);
  return {done.status, done.status == Status::ok};
}

// What is said finally must be durable first. It reads what may be part of a commit under way, so it waits for the flush.
Executed Service::outcome(const OutcomeRequest& request, std::uint64_t id, const Caller& caller, Bytes& out) {
  const bool failed = store_.status().failed;
  store_.request_flush(store_.status().last_index);
  respond(Op::outcome, id, failed ? Status::io_error : Status::ok,
          failed ? OutcomeResponse{} : registrar_.outcome(request, caller.peer), out);
  return {failed ? Status::io_error : Status::ok, !failed};
}

Executed Service::sync(const SyncRequest& request, std::uint64_t id, Bytes& out) {
  const StoreStatus& store = store_.status();
  SyncResponse answer;
  answer.epoch = store.epoch;
  answer.durable_index = store.durable_index;
  answer.head = store.durable_head;
  Status status = Status::ok;
  if (store.failed) {
    STATEFS_MARK("sync.store_failed");
    status = Status::io_error;
  } else if (request.epoch != store.epoch) {
    STATEFS_MARK("sync.epoch_changed");
    status = Status::epoch_changed;
  } else {
    store_.request_flush(store.last_index);
  }
  respond(Op::sync, id, status, answer, out);
  Executed done = finished(status);
  done.waits_for_flush = status == Status::ok;
  return done;
}

void Service::finish(std::span<std::uint8_t> at) const {
  const FrameHeader header = load_frame_header(at);
  if (header.op != (static_cast<std::uint8_t>(Op::sync) | response_bit)) return;
  const StoreStatus& store = store_.status();
  Bytes again;
  respond(Op::sync, header.id, Status::ok, SyncResponse{store.epoch, store.durable_index, 0, store.durable_head}, again);
  STATEFS_CHECK(again.size() == at.size());
  std::copy(again.begin(), again.end(), at.begin());
}

Executed Service::hello(const HelloRequest& request, std::uint64_t id, Bytes& out) {
  if (request.version != protocol_version) {
    respond(Op::hello, id, Status::unsupported, EmptyResponse{}, out);
    return finished(Status::unsupported);
  }
  const StoreStatus& store = store_.status();
  HelloResponse answer;
  answer.version = protocol_version;
  answer.key_size_max = limits::key_size_max;
  answer.value_size_max = limits::value_size_max;
  answer.total_value_size_max = limits::value_size_max;  // larger ones need stages, which `features` does not offer
  answer.features = feature_sessions;
  answer.list_entries_max = limits::list_entries_max;
  answer.slots_per_session = limits::slots_per_session;
  answer.sessions_per_key = static_cast<std::uint32_t>(limits_.sessions_per_key);
  answer.keepalive_ms = static_cast<std::uint32_t>(limits_.keepalive_interval.ns / milliseconds(1).ns);
  answer.store = store.id;
  answer.epoch = store.epoch;
  answer.last_index = store.last_index;
  answer.durable_index = store.durable_index;
  answer.head = store.durable_head;
  if (request.store == store.id) answer.comparison = store_.compare(request.epoch, request.head);
  if (answer.comparison == HeadComparison::differs) STATEFS_MARK("hello.differs");
  if (answer.comparison == HeadComparison::trimmed) STATEFS_MARK("hello.trimmed");
  respond(Op::hello, id, Status::ok, answer, out);
  return {};
}

void Service::mark(SlotVerdict verdict) const {
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

Executed Service::finished(Status status) {
  if (status == Status::ok) {
    ++answered_ok_;
  } else {
    ++refusals_;
  }
  return {status, false};
}

}  // namespace statefs
