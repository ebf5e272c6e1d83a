#include "core/service.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/limits.h"

namespace statefs {

namespace {

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
      staging_(limits.staging, marks),
      mutations_(store, tally, staging_, marks, mac_key),
      limits_(limits) {}

Executed Service::execute(const Request& request, std::size_t size, const Caller& caller, Now now, Bytes& out) {
  STATEFS_CHECK(caller.policy != nullptr && caller.rate != nullptr);
  const bool within = caller.rate->take_request(now.monotonic);
  if (!within && may_put_off(request.body, caller)) return put_off(request, caller, now, out);
  const std::uint64_t ok_before = answered_ok_;
  const std::uint64_t refused_before = tally_.refusals_counted() + mutations_.refusals_recorded();
  const std::size_t out_before = out.size();
  const Executed done = answer(request, caller, now, out);
  if (caller.peer.kind == PeerKind::local) answered_ok_local_ += answered_ok_ - ok_before;
  const std::uint64_t refused = tally_.refusals_counted() + mutations_.refusals_recorded() - refused_before;
  // Nor is a peer read for ever that goes on beyond a rate, with what is put off or cannot be.
  const bool beyond = !within || done.status == Status::overloaded;
  caller.rate->charge_refusals(refused + (beyond ? 1 : 0), now.monotonic);
  caller.rate->charge_bytes(size + (out.size() - out_before), now.monotonic);
  return done;
}

// HELLO has no word for it, and what its slot can answer ran, or never will, and must not sound as if it were to come.
bool Service::may_put_off(const RequestBody& body, const Caller& caller) const {
  if (const auto* put = std::get_if<PutRequest>(&body)) return mutations_.would_execute(put->at, caller);
  if (const auto* del = std::get_if<DeleteRequest>(&body)) return mutations_.would_execute(del->at, caller);
  return !std::holds_alternative<HelloRequest>(body);
}

// No record: it was looked at no further. One that does not wait as it is told is refused, and in the end not read. It costs no bytes: what
// several calls in flight would owe so might never be paid, and refusals bound how much of it is carried.
Executed Service::put_off(const Request& request, const Caller& caller, Now now, Bytes& out) {
  STATEFS_MARK("rates.put_off");
  ++overloaded_;
  const std::uint32_t retry_ms = caller.rate->request_retry_ms(now.monotonic);
  Response response = refusal(request.id, static_cast<std::uint8_t>(op_of(request.body)), Status::overloaded);
  std::visit(
      [this, retry_ms](auto& body) {
        if constexpr (requires { body.retry_after_ms; }) body.retry_after_ms = retry_ms;
        if constexpr (requires { body.replayed; }) body.head = store_.status().durable_head;
      },
      response.body);
  encode_response(response, out);
  caller.rate->charge_refusals(1, now.monotonic);
  return finished(Status::overloaded);
}

Executed Service::answer(const Request& request, const Caller& caller, Now now, Bytes& out) {
  const RequestBody& body = request.body;
  const std::uint64_t id = request.id;
  const Op op = op_of(body);
  switch (op) {
    case Op::put: return finished(mutations_.put(std::get<PutRequest>(body), id, caller, now, out));
    case Op::get: return finished(lookup_.get(std::get<GetRequest>(body), {id, caller.peer, caller.policy->rules}, out));
    case Op::del: return finished(mutations_.erase(std::get<DeleteRequest>(body), id, caller, now, out));
    case Op::list: return finished(lookup_.list(std::get<ListRequest>(body), {id, caller.peer, caller.policy->rules}, out));
    case Op::sync: return sync(std::get<SyncRequest>(body), id, out);
    case Op::hello: return hello(std::get<HelloRequest>(body), id, caller, out);
    case Op::open:
    case Op::resume:
    case Op::close: return session_verb(body, id, caller, now, out);
    case Op::outcome: return outcome(std::get<OutcomeRequest>(body), id, caller, out);
    case Op::stage: return finished(stage(std::get<StageRequest>(body), id, caller, now, out));
  }
  STATEFS_CHECK(false);
}

void Service::refuse_frame(const FrameHeader& header, Status status, const Caller& caller, Now now, Bytes& out) {
  const auto op = static_cast<std::uint8_t>(header.op & ~response_bit);
  encode_response(Response{header.id, op, status, EmptyResponse{}}, out);
  tally_.count_refusal(caller.peer, header.op, status);
  caller.rate->charge_refusals(1, now.monotonic);
}

// A chunk is judged as its PUT will be. What has no room now, or does not fit what is there, is no refusal and not counted.
Status Service::stage(const StageRequest& request, std::uint64_t id, const Caller& caller, Now now, Bytes& out) {
  StageResponse answer;
  const auto key = CanonicalKey::from(request.key);
  Status status = Status::ok;
  if (!key.ok()) {
    status = status_of(key.error());
  } else if (!caller.policy->rules.check(key.value(), Access::put).allowed) {
    STATEFS_MARK("stage.denied");
    status = Status::access_denied;
  } else if (request.total_size > staging_.limits().value_size_max || request.chunk_size > limits::chunk_size_max) {
    STATEFS_MARK("stage.too_large");
    status = Status::value_too_large;
  }
  if (status != Status::ok) {
    tally_.count_refusal(caller.peer, static_cast<std::uint8_t>(Op::stage), status);
  } else if (store_.status().failed) {
    STATEFS_MARK("stage.store_failed");
    status = Status::io_error;
  } else {
    const Staging::Taken taken = staging_.take(request, key.value(), owner_of(caller.peer), now);
    status = taken.status;
    answer.staged_size = taken.staged_size;
  }
  if (status == Status::overloaded) answer.retry_after_ms = retry_after_ms;
  respond(Op::stage, id, status, answer, out);
  return status;
}

Executed Service::session_verb(const RequestBody& body, std::uint64_t id, const Caller& caller, Now now, Bytes& out) {
  const Applicant who{caller.peer, *caller.rate, caller.connection};
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
  const bool is_refusal = done.status != Status::ok && done.status != Status::overloaded;
  if (is_refusal) tally_.count_refusal(caller.peer, static_cast<std::uint8_t>(op), done.status);
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

Executed Service::hello(const HelloRequest& request, std::uint64_t id, const Caller& caller, Bytes& out) {
  if (request.version != protocol_version) {
    tally_.count_refusal(caller.peer, static_cast<std::uint8_t>(Op::hello), Status::unsupported);
    respond(Op::hello, id, Status::unsupported, EmptyResponse{}, out);
    return finished(Status::unsupported);
  }
  const StoreStatus& store = store_.status();
  HelloResponse answer;
  answer.version = protocol_version;
  answer.key_size_max = limits::key_size_max;
  answer.value_size_max = limits::value_size_max;
  answer.total_value_size_max = staging_.limits().value_size_max;
  answer.features = feature_sessions | feature_staging;
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
  const Status status = store.failed && store.epoch == 0 ? Status::io_error : Status::ok;  // damaged when it was opened: no history to tell
  if (status != Status::ok) STATEFS_MARK("hello.store_refused");
  respond(Op::hello, id, status, answer, out);
  return {status, false};
}

void Service::policy_changed(const Policy& policy) {
  registrar_.policy_is(policy);
  staging_.drop_unless([this, &policy](const Owner& owner) {
    const bool admitted = policy_of(owner, policy) != nullptr;
    if (!admitted) STATEFS_MARK("staging.expelled");
    return admitted;
  });
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
