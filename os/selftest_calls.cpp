#include "os/selftest_calls.h"

#include <unistd.h>

#include <algorithm>

#include "core/limits.h"
#include "os/clock.h"
#include "os/problem.h"

namespace statefs::selftest {
namespace {

ClientConfig config_of(const Subject& subject) {
  ClientConfig config;
  config.server = subject.server;
  config.handshake_timeout = subject.timeout;
  return config;
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::network: return "network";
    case Kind::authentication: return "authentication";
    case Kind::policy: return "policy";
    case Kind::operation: return "operation";
    case Kind::exactly_once: return "exactly-once";
    case Kind::persistence: return "persistence";
  }
  return {};
}

Failure explain(StreamFailure failure) {
  switch (failure) {
    case StreamFailure::unreachable: return {Kind::network, "nobody listens there, or there is no way there"};
    case StreamFailure::timed_out: return {Kind::network, "no connection in time"};
    case StreamFailure::not_accepted: return {Kind::authentication, "the server ended the handshake: it holds another key"};
    case StreamFailure::not_enrolled: return {Kind::authentication, "the server ended the stream after the handshake: this key is not enrolled"};
    case StreamFailure::wrong_server: return {Kind::authentication, "what answered does not hold the key of the server"};
    case StreamFailure::bad_server: return {Kind::operation, "what the server said is not what the protocol allows"};
    case StreamFailure::version: return {Kind::operation, "no common version of the protocol"};
    case StreamFailure::store_refused: return {Kind::operation, "the store of the server is damaged: nothing of it is served"};
    case StreamFailure::too_large: return {Kind::operation, "the request does not fit the encoding"};
  }
  return {};
}

Failure differs(Kind kind, std::string_view what, Status got, Status wanted) {
  return {kind, std::string(what) + ": got " + std::string(statefs::name_of(got)) + ", not " + std::string(statefs::name_of(wanted))};
}

ClientConfig impatient_config(const Subject& subject) {
  ClientConfig config;
  config.server = subject.server;
  config.connect_timeout = config.handshake_timeout = milliseconds(1500);
  config.keepalive_interval = milliseconds(300);
  config.dead_peer_timeout = milliseconds(1200);
  config.backoff_max = milliseconds(500);
  return config;
}

Verdict reach(const Subject& subject, Duration patience) {
  const Time until = read_monotonic() + patience;
  for (Duration one_try = seconds(1);; one_try = std::min(one_try + milliseconds(500), subject.timeout)) {
    ClientStream stream(subject.suite, subject.identity, config_of(subject), subject.endpoint, one_try);
    const auto connected = stream.connect();
    if (connected) return std::nullopt;
    const Failure failure = explain(connected.error());
    if (failure.kind != Kind::network || read_monotonic() >= until) return failure;
    ::usleep(100'000);
  }
}

Calls::Calls(const Subject& subject) : stream_(subject.suite, subject.identity, config_of(subject), subject.endpoint, subject.timeout) {}

void Calls::fail(Kind kind, std::string reason) {
  if (!failure_) failure_ = Failure{kind, std::move(reason)};
}

void Calls::expect(const RequestBody& request, std::string_view what, Status wanted, Kind kind) {
  if (failure_) return;
  auto called = stream_.call(request);
  if (!called) {
    const Failure why = explain(called.error());
    return fail(why.kind, std::string(what) + ": " + why.reason);
  }
  completion_ = std::move(called).value();
  if (completion_->result == CallResult::timed_out) return fail(Kind::network, std::string(what) + ": no answer in time");
  if (completion_->result == CallResult::outcome_unknown) return fail(Kind::exactly_once, std::string(what) + ": outcome unknown");
  const Status got = completion_->response.status;
  if (got != wanted) failure_ = differs(kind, what, got, wanted);
}

void Calls::expect_value(std::string_view key, ByteView wanted, std::uint64_t revision) {
  const std::string what = "GET " + printable(key);
  const auto* answer = ask<GetResponse>(get_of(key), what);
  if (answer == nullptr) return;
  if (answer->total_size != wanted.size() || !std::ranges::equal(answer->data, wanted)) {
    return fail(Kind::operation, what + ": another value than was put (" + std::to_string(answer->total_size) + " bytes, not " +
                                     std::to_string(wanted.size()) + ")");
  }
  if (answer->revision != revision) fail(Kind::operation, what + ": another revision than PUT answered");
}

void Calls::expect_listed(std::string_view key, std::uint64_t revision, std::uint64_t size) {
  ListRequest list;
  list.prefix = as_bytes(key_prefix);
  const auto* page = ask<ListResponse>(list, "LIST");
  if (page == nullptr) return;
  const bool is_listed = std::ranges::any_of(page->entries, [&](const ListEntry& entry) {
    return as_text(entry.key) == key && entry.revision == revision && entry.size == size;
  });
  if (!is_listed) fail(Kind::operation, "LIST: the key is not there, or not as it was put");
}

void Calls::expect_absent(std::string_view key, Kind kind) { expect(get_of(key), "GET " + printable(key), Status::not_found, kind); }

PutRequest put_of(std::string_view key, ByteView value, std::optional<std::uint64_t> expected) {
  PutRequest request;
  request.key = as_bytes(key);
  request.value = value;
  request.value_size = static_cast<std::uint32_t>(value.size());
  request.expected_revision = expected;
  return request;
}

GetRequest get_of(std::string_view key) {
  GetRequest request;
  request.key = as_bytes(key);
  request.length = static_cast<std::uint32_t>(limits::value_size_max);
  return request;
}

DeleteRequest delete_of(std::string_view key, std::optional<std::uint64_t> expected) {
  DeleteRequest request;
  request.key = as_bytes(key);
  request.expected_revision = expected;
  return request;
}

std::string key_of(std::string_view name) { return std::string(key_prefix) + std::string(name); }

}  // namespace statefs::selftest
