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

  std::optional<CanonicalKey> key;
  Effect effect;
  AuditRecord record;
  MutationResponse answer;
};

namespace {

// How long a client waits before it tries again what had no room. Exporters free the log in less.
constexpr std::uint32_t retry_after_ms = 200;

Status status_of(KeyError error) {
  switch (error) {
    case KeyError::invalid: return Status::invalid_key;
    case KeyError::too_long: return Status::key_too_long;
  }
  STATEFS_CHECK(false);
}

Status status_of(AppendError error) {
  switch (error) {
    case AppendError::log_full: return Status::audit_unavailable;
    case AppendError::no_space: return Status::no_space;
    case AppendError::failed: return Status::io_error;
  }
  STATEFS_CHECK(false);
}

bool has_retry_hint(Status status) { return status == Status::audit_unavailable || status == Status::no_space; }

void respond(Op op, std::uint64_t id, Status status, ResponseBody body, Bytes& out) {
  encode_response(Response{id, static_cast<std::uint8_t>(op), status, std::move(body)}, out);
}

}  // namespace

Service::Service(Store& store, Tally& tally, Duration keepalive_interval)
    : store_(store), tally_(tally), keepalive_interval_(keepalive_interval) {}

Executed Service::execute(const Request& request, const Caller& caller, Now now, Bytes& out) {
  STATEFS_CHECK(caller.policy != nullptr);
  const RequestBody& body = request.body;
  const std::uint64_t id = request.id;
  const Op op = op_of(body);
  switch (op) {
    case Op::put: return put(std::get<PutRequest>(body), id, caller, now, out);
    case Op::get: return get(std::get<GetRequest>(body), id, caller, out);
    case Op::del: return erase(std::get<DeleteRequest>(body), id, caller, now, out);
    case Op::list: return list(std::get<ListRequest>(body), id, caller, out);
    case Op::sync: return sync(std::get<SyncRequest>(body), id, out);
    case Op::hello: return hello(std::get<HelloRequest>(body), id, out);
    case Op::open:
    case Op::resume:
    case Op::close:
    case Op::outcome:
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
  const auto op = static_cast<std::uint8_t>(mutation.op);
  Status status = Status::ok;
  if (store_.status().failed) {
    status = Status::io_error;
  } else if (!store_.log_has_room()) {
    status = Status::audit_unavailable;
  } else if (mutation.at.session != 0) {
    status = Status::session_unknown;
    tally_.count_refusal(caller.peer, op, status);
  } else {
    status = judge(mutation, caller.policy->rules);
    if (status == Status::ok) status = weigh(mutation, caller);
    if (status != Status::ok) mutation.effect = Effect{};
    mutation.record.status = status;
    record(mutation, caller, now);
    const auto appended = store_.append(mutation.record, mutation.effect);
    if (appended.ok()) {
      mutation.answer.index = appended.value();
      if (mutation.effect.kind == Effect::Kind::put) mutation.answer.revision = appended.value();
    } else {
      status = status_of(appended.error());
      mutation.answer = {};
    }
  }
  if (has_retry_hint(status)) mutation.answer.retry_after_ms = retry_after_ms;
  mutation.answer.head = store_.status().durable_head;
  respond(mutation.op, mutation.id, status, mutation.answer, out);
  return finished(status);
}

// The verdict: what depends on the request and the policy alone.
Status Service::judge(Mutation& mutation, const RuleSet& rules) {
  const auto key = CanonicalKey::from(mutation.key_bytes);
  if (!key.ok()) return status_of(key.error());
  mutation.key = key.value();
  const Verdict verdict = rules.check(*mutation.key, mutation.op == Op::put ? Access::put : Access::del);
  mutation.record.rule = verdict.rule;
  if (!verdict.allowed) return Status::access_denied;
  // An expected revision asks what exists, which is a read.
  if (mutation.expected) {
    const Verdict reading = rules.check(*mutation.key, Access::get);
    if (!reading.allowed) {
      mutation.record.rule = reading.rule;
      return Status::access_denied;
    }
  }
  mutation.record.allowed = true;
  if (mutation.value_size > limits::value_size_max) return Status::value_too_large;
  return Status::ok;
}

// What depends on the state: the condition, and the peer's quota. Sets the effect.
Status Service::weigh(Mutation& mutation, const Caller& caller) {
  const auto present = store_.find(*mutation.key);
  const std::uint64_t revision = present ? present->revision : 0;
  mutation.effect.key = mutation.key;
  if (mutation.op == Op::del && !present) {
    const bool may_know = caller.policy->rules.check(*mutation.key, Access::get).allowed;
    return may_know ? Status::not_found : Status::ok;
  }
  if (mutation.expected && *mutation.expected != revision) {
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
  }
  const Quota& quota = caller.policy->quota;
  if (usage.keys + 1 > quota.keys || usage.value_bytes + mutation.value.size() > quota.value_bytes) return Status::quota_exceeded;
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
}

Executed Service::get(const GetRequest& request, std::uint64_t id, const Caller& caller, Bytes& out) {
  GetResponse answer;
  const auto key = CanonicalKey::from(request.key);
  Status status = Status::ok;
  if (!key.ok()) {
    status = status_of(key.error());
  } else if (!caller.policy->rules.check(key.value(), Access::get).allowed) {
    status = Status::access_denied;
  }
  if (status != Status::ok) {
    tally_.count_refusal(caller.peer, static_cast<std::uint8_t>(Op::get), status);
  } else if (store_.status().failed) {
    status = Status::io_error;
  } else if (const auto stored = store_.find(key.value()); !stored) {
    status = Status::not_found;
  } else if (request.revision && *request.revision != stored->revision) {
    status = Status::revision_changed;
    answer.revision = stored->revision;
    answer.total_size = stored->value.size();
  } else {
    answer.revision = stored->revision;
    answer.total_size = stored->value.size();
    const std::uint64_t offset = std::min<std::uint64_t>(request.offset, stored->value.size());
    const std::uint64_t size = std::min<std::uint64_t>(stored->value.size() - offset,
                                                       std::min<std::uint64_t>(request.length, limits::value_size_max));
    answer.data = stored->value.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
  }
  respond(Op::get, id, status, answer, out);
  return finished(status);
}

Executed Service::list(const ListRequest& request, std::uint64_t id, const Caller& caller, Bytes& out) {
  ListResponse page;
  const RuleSet& rules = caller.policy->rules;
  const auto prefix = CanonicalPrefix::from(request.prefix);
  Status status = Status::ok;
  if (!prefix.ok()) {
    status = status_of(prefix.error());
  } else if (!rules.check(prefix.value(), Access::list).allowed) {
    status = Status::access_denied;
  } else if (!request.cursor.empty()) {
    const auto cursor = CanonicalKey::from(request.cursor);
    if (!cursor.ok()) {
      status = status_of(cursor.error());
    } else if (!cursor.value().text().starts_with(prefix.value().text())) {
      status = Status::invalid_key;
    }
  }
  if (status != Status::ok) {
    tally_.count_refusal(caller.peer, static_cast<std::uint8_t>(Op::list), status);
  } else if (store_.status().failed) {
    status = Status::io_error;
  } else {
    collect(prefix.value(), as_text(request.cursor), request, rules, page);
  }
  respond(Op::list, id, status, std::move(page), out);
  return finished(status);
}

// Walks the entries that this peer may see. A denied subtree is sought past: its keys are never walked, so each step
// yields an entry or leaves one deny rule behind.
void Service::collect(const CanonicalPrefix& prefix, std::string_view after, const ListRequest& request, const RuleSet& rules,
                      ListResponse& page) const {
  constexpr std::size_t entry_overhead = 18;
  const std::size_t wanted = request.limit == 0 ? limits::list_entries_max
                                                : std::min<std::size_t>(request.limit, limits::list_entries_max);
  std::size_t size = 0;
  std::string seek(after.empty() ? prefix.text() : after);
  bool inclusive = false;
  while (const auto entry = store_.next(seek, inclusive)) {
    if (!entry->key.starts_with(prefix.text())) return;
    inclusive = false;
    const auto key = CanonicalKey::from(as_bytes(entry->key));
    STATEFS_CHECK(key.ok());
    const std::string_view denied = rules.denied_subtree_of(key.value(), Access::list);
    if (!denied.empty()) {
      seek.assign(denied);
      seek.back() = '/' + 1;  // the first byte string above every key of the subtree
      inclusive = true;
      continue;
    }
    if (page.entries.size() == wanted || size + entry_overhead + entry->key.size() > limits::list_page_size_max) {
      page.has_more = true;
      return;
    }
    size += entry_overhead + entry->key.size();
    page.entries.push_back({entry->revision, entry->size, as_bytes(entry->key)});
    seek.assign(entry->key);
  }
}

Executed Service::sync(const SyncRequest& request, std::uint64_t id, Bytes& out) {
  const StoreStatus& store = store_.status();
  SyncResponse answer;
  answer.epoch = store.epoch;
  answer.durable_index = store.durable_index;
  answer.head = store.durable_head;
  Status status = Status::ok;
  if (store.failed) {
    status = Status::io_error;
  } else if (request.epoch != store.epoch) {
    status = Status::epoch_changed;
  } else {
    store_.request_flush(store.last_index);
  }
  respond(Op::sync, id, status, answer, out);
  Executed done = finished(status);
  done.waits_for_flush = status == Status::ok;
  return done;
}

void Service::finish_sync(std::span<std::uint8_t> at) const {
  const FrameHeader header = load_frame_header(at);
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
  answer.list_entries_max = limits::list_entries_max;
  answer.keepalive_ms = static_cast<std::uint32_t>(keepalive_interval_.ns / milliseconds(1).ns);
  answer.store = store.id;
  answer.epoch = store.epoch;
  answer.last_index = store.last_index;
  answer.durable_index = store.durable_index;
  answer.head = store.durable_head;
  respond(Op::hello, id, Status::ok, answer, out);
  return {};
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
