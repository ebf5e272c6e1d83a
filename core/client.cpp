#include "core/client.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "core/backoff.h"
#include "core/channel.h"
#include "core/check.h"

namespace statefs {

namespace {

constexpr std::uint16_t client_version = 1;
constexpr std::uint64_t hello_id = 0;       // of the HELLO that opens a connection; calls count from 1
constexpr std::size_t output_size_max = limits::output_size_max;

bool is_mutation(Op op) { return op == Op::put || op == Op::del; }

std::uint64_t seed_of(const PublicKey& key) { return load_le<std::uint64_t>(key.bytes.data()); }

}  // namespace

struct Client::State {
  struct Call {
    Bytes frame;  // as sent; its id is the call's
    Op op = Op::get;
    Time deadline = never;
    bool sent = false;  // on the present connection
  };
  enum class Phase : std::uint8_t { offline, handshake, greeting, ready, finished };

  State(const Suite& suite_in, std::shared_ptr<const DhKey> identity_in, const ClientConfig& config_in)
      : suite(suite_in),
        identity(std::move(identity_in)),
        config(config_in),
        backoff(config.backoff_min, config.backoff_max, seed_of(identity->public_key())) {}

  void finish(Disconnect why) {
    phase = Phase::finished;
    reason = why;
    plain_in.clear();
    output.clear();
    taken = 0;
  }
  void complete(CallId id, CallResult result);
  void take_responses();
  bool take_response(const FrameHeader& header, ByteView body);
  void take_hello(const FrameHeader& header, ByteView body);
  void expire(Now now);
  void send_waiting();
  void send_hello();

  const Suite& suite;
  std::shared_ptr<const DhKey> identity;
  ClientConfig config;
  Backoff backoff;

  std::map<CallId, Call> calls;                  // without a completion
  std::deque<CallId> waiting;                    // not sent on the present connection, in order; may name ended calls
  std::set<std::pair<Time, CallId>> deadlines;   // of calls that have one
  std::size_t in_flight = 0;
  CallId next_call = 1;
  std::deque<Completion> completions;

  Phase phase = Phase::offline;
  std::optional<Channel> channel;
  std::optional<HelloResponse> hello;
  Disconnect reason = Disconnect::none;
  Bytes plain_in;
  Bytes plain_out;
  Bytes output;
  std::size_t taken = 0;
  Time next_attempt{};
  Time connected_at{};
  Time received_at{};
  Time sent_at{};
};

void Client::State::complete(CallId id, CallResult result) {
  const auto at = calls.find(id);
  STATEFS_CHECK(at != calls.end());
  if (at->second.sent) --in_flight;
  if (at->second.deadline != never) deadlines.erase({at->second.deadline, id});
  calls.erase(at);
  if (result != CallResult::answered) completions.push_back({id, result, {}, {}});
}

// What was not sent has had no effect, and a read never has one.
void Client::State::expire(Now now) {
  while (!deadlines.empty() && deadlines.begin()->first <= now.monotonic) {
    const CallId id = deadlines.begin()->second;
    const Call& call = calls.at(id);
    complete(id, call.sent && is_mutation(call.op) ? CallResult::outcome_unknown : CallResult::timed_out);
  }
}

void Client::State::send_hello() {
  HelloRequest request;
  request.version = client_version;
  if (hello) {
    request.store = hello->store;
    request.epoch = hello->epoch;
    request.head = hello->head;
  }
  encode_request(Request{hello_id, request}, plain_out);
}

void Client::State::send_waiting() {
  while (!waiting.empty() && in_flight < config.in_flight_max && plain_out.size() + output.size() - taken < output_size_max) {
    const auto at = calls.find(waiting.front());
    waiting.pop_front();
    if (at == calls.end()) continue;
    at->second.sent = true;
    ++in_flight;
    plain_out.insert(plain_out.end(), at->second.frame.begin(), at->second.frame.end());
  }
}

void Client::State::take_responses() {
  std::size_t at = 0;
  while (phase == Phase::greeting || phase == Phase::ready) {
    const ByteView bytes = ByteView(plain_in).subspan(at);
    if (bytes.size() < limits::frame_header_size) break;
    const auto header = decode_frame_header(bytes);
    if (!header.ok() || (header.value().op & response_bit) == 0) return finish(Disconnect::protocol_error);
    const std::size_t size = limits::frame_header_size + header.value().body_size;
    if (bytes.size() < size) break;
    const ByteView body = bytes.subspan(limits::frame_header_size, header.value().body_size);
    if (phase == Phase::greeting) {
      take_hello(header.value(), body);
    } else if (!take_response(header.value(), body)) {
      return finish(Disconnect::protocol_error);
    }
    at += size;
  }
  if (phase == Phase::finished) return;
  plain_in.erase(plain_in.begin(), plain_in.begin() + static_cast<std::ptrdiff_t>(at));
}

void Client::State::take_hello(const FrameHeader& header, ByteView body) {
  const auto response = decode_response(header, body);
  if (!response.ok() || header.id != hello_id) return finish(Disconnect::protocol_error);
  if (response.value().status == Status::unsupported) return finish(Disconnect::refused_version);
  const auto* const answer = std::get_if<HelloResponse>(&response.value().body);
  if (answer == nullptr || response.value().status != Status::ok) return finish(Disconnect::protocol_error);
  hello = *answer;
  phase = Phase::ready;
  backoff.succeeded();
}

bool Client::State::take_response(const FrameHeader& header, ByteView body) {
  const auto at = calls.find(header.id);
  if (at == calls.end()) return header.id != hello_id && header.id < next_call;  // too late: its call has ended
  if (!at->second.sent || header.op != (static_cast<std::uint8_t>(at->second.op) | response_bit)) return false;
  Completion completion;
  completion.call = header.id;
  completion.bytes.assign(body.begin(), body.end());
  auto response = decode_response(header, completion.bytes);
  if (!response.ok()) return false;
  completion.response = std::move(response).value();
  complete(header.id, CallResult::answered);
  completions.push_back(std::move(completion));
  return true;
}

Client::Client(const Suite& suite, std::shared_ptr<const DhKey> identity, const ClientConfig& config)
    : state_(std::make_unique<State>(suite, std::move(identity), config)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<CallId, SubmitError> Client::submit(const RequestBody& request, Time deadline, Time now) {
  State& s = *state_;
  if (s.calls.size() + s.completions.size() >= limits::client_calls_max) return SubmitError::queue_full;
  if (!fits_frame(request)) return SubmitError::too_large;
  State::Call call;
  call.op = op_of(request);
  call.deadline = deadline;
  encode_request(Request{s.next_call, request}, call.frame);
  const CallId id = s.next_call++;
  s.calls.emplace(id, std::move(call));
  s.waiting.push_back(id);
  if (deadline != never) s.deadlines.insert({deadline, id});
  if (s.phase == State::Phase::offline && s.calls.size() == 1 && s.next_attempt < now) s.next_attempt = now;
  return id;
}

std::optional<Completion> Client::take_completion() {
  State& s = *state_;
  if (s.completions.empty()) return std::nullopt;
  Completion completion = std::move(s.completions.front());
  s.completions.pop_front();
  return completion;
}

bool Client::wants_connection(Time now) const {
  return state_->phase == State::Phase::offline && !state_->calls.empty() && now >= state_->next_attempt;
}

void Client::connected(std::span<const std::uint8_t, 40> random, Now now) {
  State& s = *state_;
  STATEFS_CHECK(s.phase == State::Phase::offline);
  s.phase = State::Phase::handshake;
  s.reason = Disconnect::none;
  s.connected_at = s.received_at = s.sent_at = now.monotonic;
  s.backoff.stir(load_le<std::uint64_t>(random.data() + 32));
  s.channel.emplace(Channel::initiator(s.suite, s.identity, s.config.server, SecretKey(random.first<32>())));
  s.output = s.channel->take_handshake_output();
}

void Client::disconnected(Now now) {
  State& s = *state_;
  switch (s.phase) {
    case State::Phase::offline: s.reason = Disconnect::no_stream; break;
    case State::Phase::handshake: s.reason = Disconnect::handshake_failed; break;
    case State::Phase::greeting: s.reason = Disconnect::not_admitted; break;
    case State::Phase::ready: s.reason = Disconnect::stream_ended; break;
    case State::Phase::finished: break;
  }
  s.phase = State::Phase::offline;
  s.channel.reset();
  s.plain_in.clear();
  s.plain_out.clear();
  s.output.clear();
  s.taken = 0;
  s.next_attempt = now.monotonic + s.backoff.next();
  // Ids ascend in the order of submission, so that reads are sent again in their old order.
  std::deque<CallId> again;
  std::vector<CallId> unknown;
  for (auto& [id, call] : s.calls) {
    if (call.sent && is_mutation(call.op)) {
      unknown.push_back(id);
      continue;
    }
    if (call.sent) --s.in_flight;
    call.sent = false;
    again.push_back(id);
  }
  for (const CallId id : unknown) s.complete(id, CallResult::outcome_unknown);
  s.waiting = std::move(again);
  s.expire(now);
}

bool Client::ready() const { return state_->phase == State::Phase::ready; }
bool Client::finished() const { return state_->phase == State::Phase::finished; }
Disconnect Client::last_disconnect() const { return state_->reason; }
const std::optional<HelloResponse>& Client::server_hello() const { return state_->hello; }
std::size_t Client::outstanding() const { return state_->calls.size(); }

void Client::receive(ByteView bytes, Now now) {
  State& s = *state_;
  if (!bytes.empty()) s.received_at = now.monotonic;
  while (s.channel && s.phase != State::Phase::finished && !bytes.empty()) {
    switch (s.channel->receive(bytes, s.plain_in)) {
      case ChannelEvent::need_more:
      case ChannelEvent::keepalive: break;
      case ChannelEvent::handshake_step:
      case ChannelEvent::established: {
        const Bytes message = s.channel->take_handshake_output();
        s.output.insert(s.output.end(), message.begin(), message.end());
        if (!s.channel->established()) break;
        s.phase = State::Phase::greeting;
        s.send_hello();
        break;
      }
      case ChannelEvent::plaintext: s.take_responses(); break;
      case ChannelEvent::handshake_failed: s.finish(Disconnect::handshake_failed); break;
      case ChannelEvent::damaged:
      case ChannelEvent::exhausted: s.finish(Disconnect::damaged); break;
    }
  }
}

void Client::advance(Now now) {
  State& s = *state_;
  s.expire(now);
  if (s.phase == State::Phase::offline || s.phase == State::Phase::finished) return;
  const bool greeted = s.phase == State::Phase::ready;
  const Time dead = greeted ? s.received_at + s.config.dead_peer_timeout : s.connected_at + s.config.handshake_timeout;
  if (now.monotonic >= dead) return s.finish(Disconnect::timed_out);
  if (greeted) s.send_waiting();
  bool sealed = true;
  if (!s.plain_out.empty()) {
    sealed = s.channel->seal(s.plain_out, s.output);
    s.plain_out.clear();
    s.sent_at = now.monotonic;
  } else if (greeted && now.monotonic >= s.sent_at + s.config.keepalive_interval) {
    sealed = s.channel->seal_keepalive(s.output);
    s.sent_at = now.monotonic;
  }
  if (!sealed) s.finish(Disconnect::stream_ended);
}

ByteView Client::output() const { return ByteView(state_->output).subspan(state_->taken); }

void Client::output_taken(std::size_t count) {
  State& s = *state_;
  STATEFS_CHECK(count <= s.output.size() - s.taken);
  s.taken += count;
  if (s.taken < s.output.size()) return;
  s.output.clear();
  s.taken = 0;
}

Time Client::deadline() const {
  const State& s = *state_;
  Time due = s.deadlines.empty() ? never : s.deadlines.begin()->first;
  switch (s.phase) {
    case State::Phase::offline: return s.calls.empty() ? due : earlier_of(due, s.next_attempt);
    case State::Phase::handshake:
    case State::Phase::greeting: return earlier_of(due, s.connected_at + s.config.handshake_timeout);
    case State::Phase::ready:
      due = earlier_of(due, s.received_at + s.config.dead_peer_timeout);
      return earlier_of(due, s.sent_at + s.config.keepalive_interval);
    case State::Phase::finished: return due;
  }
  STATEFS_CHECK(false);
}

}  // namespace statefs
