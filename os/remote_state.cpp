#include "os/remote_state.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "os/identity.h"
#include "os/text/text_values.h"

namespace statefs {
namespace {

using Kind = RemoteError::Kind;

class TextSource final : public ValueSource {
 public:
  explicit TextSource(std::string_view text) : bytes_(as_bytes(text)) {}
  bool read(std::uint64_t offset, std::span<std::uint8_t> into) override {
    const ByteView part = bytes_.subspan(static_cast<std::size_t>(offset), into.size());
    std::copy(part.begin(), part.end(), into.begin());
    return true;
  }

 private:
  ByteView bytes_;
};

class TextSink final : public ValueSink {
 public:
  bool begin(std::uint64_t, std::uint64_t total_size) override {
    text.clear();
    text.reserve(static_cast<std::size_t>(total_size));
    return true;
  }
  bool write(ByteView bytes) override {
    text += as_text(bytes);
    return true;
  }
  std::string text;
};

void no_progress(std::uint64_t, std::uint64_t) {}

RemoteError not_connected(StreamFailure failure) {
  if (failure == StreamFailure::too_large) return {Kind::refused, Status::key_too_long};  // a value above one request is never sent in one
  return {Kind::no_connection, Status::ok, failure};
}

std::optional<RemoteError> unanswered(CallResult result, const std::optional<OutcomeRequest>& question) {
  switch (result) {
    case CallResult::answered: return std::nullopt;
    case CallResult::timed_out: return RemoteError{Kind::timed_out};
    case CallResult::outcome_unknown: return RemoteError{Kind::outcome_unknown, Status::ok, StreamFailure::timed_out, question};
  }
  return RemoteError{Kind::timed_out};
}

RemoteError refused(Status status) { return {Kind::refused, status}; }

std::string_view text_of(StreamFailure failure) {
  switch (failure) {
    case StreamFailure::unreachable: return "nobody listens there";
    case StreamFailure::not_accepted: return "the server holds another key, or has no room for another connection";
    case StreamFailure::not_enrolled: return "the server does not let this program in";
    case StreamFailure::wrong_server: return "what answered does not hold the key of the server";
    case StreamFailure::bad_server: return "what the server said was damaged";
    case StreamFailure::version: return "there is no common version of the protocol";
    case StreamFailure::store_refused: return "the state of the server is damaged and not served";
    case StreamFailure::too_large: return "it fits no request";
    case StreamFailure::timed_out: return "no connection in time";
  }
  return "no connection";
}

}  // namespace

std::string RemoteError::text() const {
  switch (kind) {
    case Kind::no_connection: return std::string(text_of(stream));
    case Kind::refused: return std::string(name_of(status));
    case Kind::timed_out: return "no answer in time; nothing was changed";
    case Kind::outcome_unknown: return "the outcome is unknown: it was sent, and the answer was lost";
    case Kind::writes_lost: return "the server has lost what it had answered";
  }
  return "failed";
}

Result<RemoteState, Problem> RemoteState::make(std::unique_ptr<Suite> suite, std::shared_ptr<const DhKey> identity, const PublicKey& server,
                                               const Endpoint& endpoint) {
  constexpr Duration timeout = seconds(5);
  ClientConfig config;
  config.server = server;
  auto stream = std::make_unique<ClientStream>(*suite, std::move(identity), config, endpoint, timeout);
  return RemoteState(std::move(suite), std::move(stream));
}

Result<RemoteState, Problem> RemoteState::over_network(std::string_view endpoint, std::string_view server_key, const std::string& identity_file) {
  auto suite = make_crypto_suite();
  const auto to = parse_endpoint(endpoint);
  if (!to) return Problem{"endpoint " + to.error().line};
  const auto key = key_of_hex(server_key);
  if (!key) return Problem{"the key of the server is not 64 hexadecimal digits"};
  const auto identity = load_identity(*suite, identity_file);
  if (!identity) return identity.error();
  return make(std::move(suite), identity.value().key, *key, to.value());
}

Result<RemoteState, Problem> RemoteState::at_local_door(std::string_view path) {
  const auto to = path_endpoint(path);
  if (!to) return Problem{"path " + to.error().line};
  return make(make_crypto_suite(), nullptr, {}, to.value());
}

Result<HelloResponse, RemoteError> RemoteState::connect() {
  if (const auto connected = stream_->connect(); !connected) return not_connected(connected.error());
  return *stream_->server_hello();
}

template <typename Answer>
Result<Answer, RemoteError> RemoteState::ask(const RequestBody& request, Completion& completion) {
  auto called = stream_->call(request);
  collect_lost();
  if (!called) return not_connected(called.error());
  completion = std::move(called).value();
  if (auto error = unanswered(completion.result, completion.question)) return *error;
  const auto* const answer = std::get_if<Answer>(&completion.response.body);
  if (completion.response.status != Status::ok || answer == nullptr) return refused(completion.response.status);
  return *answer;
}

RemoteWrite RemoteState::remember(const MutationResponse& answer, std::string_view key) {
  keys_.erase(keys_.begin(), keys_.upper_bound(answer.head.index));  // those are durable
  if (answer.index > answer.head.index) keys_[answer.index] = key;
  if (keys_.size() > limits::client_unsynced_max) keys_.erase(keys_.begin());
  return {answer.revision, answer.index};
}

Result<RemoteWrite, RemoteError> RemoteState::write(const RequestBody& request, std::string_view key) {
  Completion completion;
  const auto answer = ask<MutationResponse>(request, completion);
  if (!answer) return answer.error();
  return remember(answer.value(), key);
}

Result<RemoteWrite, RemoteError> RemoteState::put(std::string_view key, std::string_view value, std::optional<std::uint64_t> expected_revision) {
  if (value.size() > limits::value_size_max) return put_large(key, value, expected_revision);
  PutRequest request;
  request.key = as_bytes(key);
  request.value = as_bytes(value);
  request.value_size = static_cast<std::uint32_t>(value.size());
  request.expected_revision = expected_revision;
  return write(request, key);
}

Result<RemoteWrite, RemoteError> RemoteState::put_large(std::string_view key, std::string_view value,
                                                        std::optional<std::uint64_t> expected_revision) {
  const auto hello = connect();
  if (!hello) return hello.error();
  if (value.size() > hello.value().total_value_size_max) return refused(Status::value_too_large);
  TextSource source(value);
  const auto upload = stream_->put({std::string(key), value.size(), Sha256().of(as_bytes(value)), expected_revision}, source, no_progress);
  collect_lost();
  if (!upload) return not_connected(upload.error());
  if (auto error = unanswered(upload.value().result(), std::nullopt)) return *error;
  if (upload.value().status() != Status::ok) return refused(upload.value().status());
  return remember(upload.value().answer(), key);
}

Result<RemoteWrite, RemoteError> RemoteState::erase(std::string_view key, std::optional<std::uint64_t> expected_revision) {
  DeleteRequest request;
  request.key = as_bytes(key);
  request.expected_revision = expected_revision;
  return write(request, key);
}

Result<RemoteValue, RemoteError> RemoteState::get(std::string_view key) {
  TextSink sink;
  const auto download = stream_->get(std::string(key), sink, no_progress);
  collect_lost();
  if (!download) return not_connected(download.error());
  if (auto error = unanswered(download.value().result(), std::nullopt)) return *error;
  if (download.value().status() != Status::ok) return refused(download.value().status());
  return RemoteValue{std::move(sink.text), download.value().revision()};
}

Result<RemotePage, RemoteError> RemoteState::list(std::string_view prefix, std::string_view after, std::uint16_t limit) {
  Completion completion;
  const auto answer = ask<ListResponse>(ListRequest{limit, as_bytes(prefix), as_bytes(after)}, completion);
  if (!answer) return answer.error();
  RemotePage page;
  page.has_more = answer.value().has_more;
  for (const ListEntry& entry : answer.value().entries) page.entries.push_back({std::string(as_text(entry.key)), entry.size, entry.revision});
  return page;
}

// A server that was restarted in between says EPOCH_CHANGED: the client has then learnt what became of every write, and asks anew.
Result<Unit, RemoteError> RemoteState::sync() {
  constexpr int epochs_max = 8;  // in one call: a server that restarts more often is not there
  for (int attempt = 0; attempt < epochs_max; ++attempt) {
    const auto hello = connect();
    if (!hello) return hello.error();
    Completion completion;
    const auto answer = ask<SyncResponse>(SyncRequest{hello.value().epoch}, completion);
    if (!lost_.empty()) return RemoteError{Kind::writes_lost};
    if (answer) {
      keys_.erase(keys_.begin(), keys_.upper_bound(answer.value().durable_index));
      return Unit{};
    }
    const bool is_new_epoch = answer.error().kind == Kind::refused && answer.error().status == Status::epoch_changed;
    if (!is_new_epoch) return answer.error();
  }
  return refused(Status::epoch_changed);
}

Result<OutcomeResponse, RemoteError> RemoteState::outcome(const OutcomeRequest& question) {
  Completion completion;
  return ask<OutcomeResponse>(question, completion);
}

void RemoteState::collect_lost() {
  while (lost_.size() < limits::client_unsynced_max) {
    const auto lost = stream_->client().take_lost();
    if (!lost) return;
    const auto key = keys_.find(lost->index);
    lost_.push_back({key == keys_.end() ? std::string() : key->second, lost->index, lost->certain});
    if (key != keys_.end()) keys_.erase(key);
  }
}

std::optional<RemoteLoss> RemoteState::take_lost() {
  collect_lost();
  if (lost_.empty()) return std::nullopt;
  RemoteLoss loss = std::move(lost_.front());
  lost_.erase(lost_.begin());
  return loss;
}

}  // namespace statefs
