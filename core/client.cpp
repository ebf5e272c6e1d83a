#include "core/client.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "core/backoff.h"
#include "core/channel.h"
#include "core/check.h"
#include "core/connection.h"
#include "core/ledger.h"
#include "core/rejoin.h"

namespace statefs {
namespace {

constexpr std::uint16_t client_version = 1;

// Ids of the client's own requests; those of calls count from 1.
constexpr std::uint64_t hello_id = 0;
constexpr std::uint64_t rejoin_id = std::uint64_t{1} << 63;
constexpr std::uint64_t sync_id = rejoin_id + 1;

constexpr std::int64_t own_sync_wait_ms = 1'000;  // at least, after one that was refused

}  // namespace

struct Client::State {
  State(const Suite& suite_in, std::shared_ptr<const DhKey> identity_in, const ClientConfig& config_in)
      : own_marks(config_in.marks == nullptr ? std::make_unique<Marks>() : nullptr),
        marks(config_in.marks == nullptr ? *own_marks : *config_in.marks),
        suite(suite_in),
        identity(std::move(identity_in)),
        config(config_in),
        backoff(config.backoff_min, config.backoff_max,
                identity == nullptr ? config.backoff_seed : load_le<std::uint64_t>(identity->public_key().bytes.data())),
        connection({config.connect_timeout, config.handshake_timeout, config.keepalive_interval, config.dead_peer_timeout}, marks) {}

  void expire_calls(Time now);
  void take_responses(Now now);
  void take_hello(const FrameHeader& header, ByteView body);
  bool take_response(const FrameHeader& header, ByteView body, Now now);
  bool take_rejoined(const Response& response, Now now);
  bool take_mutation(std::uint16_t slot, Calls::Call* call, const Response& response);
  void send_hello();
  void send_calls(Now now);
  void send(CallId id);
  [[nodiscard]] bool wants_own_sync() const { return rejoin.joined() && ledger.wants_sync() && !syncing; }
  [[nodiscard]] bool needs_session() const { return calls.first_waiting(CallKind::mutation).has_value() || rejoin.in_doubt(); }

  std::unique_ptr<Marks> own_marks;
  Marks& marks;
  const Suite& suite;
  std::shared_ptr<const DhKey> identity;
  ClientConfig config;
  Backoff backoff;
  Calls calls{marks};
  Ledger ledger{marks};
  Rejoin rejoin{ledger, marks};
  Witness witness{config.seen};
  std::map<CallId, std::uint16_t> abandoned;  // slots of mutations that expired in flight; at most one for each slot
  bool syncing = false;                       // a SYNC of the client's own is under way
  Time sync_not_before{};                     // where the last one on this connection was not done

  Connection connection;
  std::optional<HelloResponse> hello;
  Time next_attempt{};
};

// A mutation that expires in flight leaves its slot occupied: what comes for it later must find its place.
void Client::State::expire_calls(Time now) {
  for (CallId id = 0; (id = calls.next_expired(now)) != 0;) {
    const Calls::Call& call = *calls.find(id);
    if (call.sent && call.kind == CallKind::mutation && rejoin.joined()) abandoned[id] = call.slot;
    ledger.expired(id);
    calls.expire(id);
  }
}

void Client::State::send_hello() {
  HelloRequest request;
  request.version = client_version;
  request.features = feature_sessions | feature_staging;
  witness.introduce(request);
  encode_request(Request{hello_id, request}, connection.said());
}

void Client::State::send(CallId id) {
  Calls::Call& call = *calls.find(id);
  if (call.kind == CallKind::mutation) {
    SlotRef at = ledger.take(id);
    at.session = rejoin.session();
    at.generation = rejoin.generation();
    call.slot = at.slot;
    call.question = OutcomeRequest{rejoin.instance(), at.sequence, at.slot};
    if (auto* put = std::get_if<PutRequest>(&call.request)) put->at = at;
    if (auto* del = std::get_if<DeleteRequest>(&call.request)) del->at = at;
  }
  encode_request(Request{id, call.request}, connection.said());
  calls.sent(id);
}

void Client::State::send_calls(Now now) {
  const auto room = [this] { return connection.outgoing_size() < limits::output_size_max; };
  if (needs_session()) {
    if (const auto request = rejoin.next(now.monotonic)) encode_request(Request{rejoin_id, *request}, connection.said());
  }
  for (const CallKind kind : {CallKind::read, CallKind::sync}) {
    if (kind == CallKind::sync && rejoin.in_doubt()) continue;
    while (room() && calls.reads_in_flight() < config.in_flight_max) {
      const auto id = calls.first_waiting(kind);
      if (!id) break;
      send(*id);
    }
  }
  while (rejoin.joined() && room() && ledger.has_room()) {
    const auto id = calls.first_waiting(CallKind::mutation);
    if (!id) break;
    send(*id);
  }
  if (wants_own_sync() && now.monotonic >= sync_not_before) {
    syncing = true;
    STATEFS_MARK_IN(marks, "client.own_sync");
    encode_request(Request{sync_id, SyncRequest{hello->epoch}}, connection.said());
  }
}

void Client::State::take_responses(Now now) {
  std::size_t at = 0;
  while (connection.greeting() || connection.ready()) {
    const ByteView bytes = ByteView(connection.heard()).subspan(at);
    if (bytes.size() < limits::frame_header_size) break;
    const auto header = decode_frame_header(bytes);
    if (!header.ok() || (header.value().op & response_bit) == 0) return connection.finish(Disconnect::protocol_error);
    const std::size_t size = limits::frame_header_size + header.value().body_size;
    if (bytes.size() < size) break;
    const ByteView body = bytes.subspan(limits::frame_header_size, header.value().body_size);
    if (connection.greeting()) {
      take_hello(header.value(), body);
    } else if (!take_response(header.value(), body, now)) {
      return connection.finish(Disconnect::protocol_error);
    }
    at += size;
  }
  if (connection.finished()) return;
  Bytes& heard = connection.heard();
  heard.erase(heard.begin(), heard.begin() + static_cast<std::ptrdiff_t>(at));
}

void Client::State::take_hello(const FrameHeader& header, ByteView body) {
  const auto response = decode_response(header, body);
  if (!response.ok() || header.id != hello_id) return connection.finish(Disconnect::protocol_error);
  if (response.value().status == Status::unsupported) return connection.finish(Disconnect::refused_version);
  if (response.value().status == Status::io_error) return connection.finish(Disconnect::store_refused);
  const auto* const answer = std::get_if<HelloResponse>(&response.value().body);
  if (answer == nullptr || response.value().status != Status::ok) return connection.finish(Disconnect::protocol_error);
  if ((answer->features & feature_sessions) == 0) return connection.finish(Disconnect::refused_version);
  hello = *answer;
  if (witness.greeted(*answer)) std::ranges::for_each(rejoin.abandon(), [this](const Fate& fate) { calls.settle(fate); });
  rejoin.greeted(answer->store, answer->epoch);
  connection.greeted();
  backoff.succeeded();
}

bool Client::State::take_response(const FrameHeader& header, ByteView body, Now now) {
  Completion completion;
  completion.call = header.id;
  completion.bytes.assign(body.begin(), body.end());
  auto response = decode_response(header, completion.bytes);
  if (!response.ok()) return false;
  completion.response = std::move(response).value();
  witness.heard(hello->epoch, completion.response);
  if (header.id == rejoin_id) return take_rejoined(completion.response, now);
  if (header.id == sync_id) {
    const auto* const answer = std::get_if<SyncResponse>(&completion.response.body);
    if (answer == nullptr) return false;
    syncing = false;
    if (completion.response.status != Status::ok) {
      sync_not_before = now.monotonic + milliseconds(std::max<std::int64_t>(own_sync_wait_ms, retry_after_ms_of(completion.response)));
      return true;
    }
    if (!rejoin.joined()) return true;
    ledger.durable(answer->head.index);
    return !ledger.wants_head();
  }
  if (!calls.issued(header.id)) return false;
  Calls::Call* const call = calls.find(header.id);
  if (call == nullptr) {
    const auto slot = abandoned.find(header.id);
    if (slot == abandoned.end()) {
      STATEFS_MARK_IN(marks, "client.late_read");
      return true;
    }
    STATEFS_MARK_IN(marks, "client.late_mutation");
    const bool possible = take_mutation(slot->second, nullptr, completion.response);
    abandoned.erase(slot);
    return possible;
  }
  if (!call->sent || header.op != (static_cast<std::uint8_t>(op_of(call->request)) | response_bit)) return false;
  if (call->kind == CallKind::mutation) {
    if (!rejoin.joined()) return true;  // its fate comes with the rejoining, and only then is it known to be kept
    if (!take_mutation(call->slot, call, completion.response)) return false;
    if (slot_says(completion.response.status) == SlotSays::rejoin) return true;
  }
  const auto* const synced = std::get_if<SyncResponse>(&completion.response.body);
  if (synced != nullptr && completion.response.status == Status::ok && rejoin.joined()) ledger.durable(synced->head.index);
  // A SYNC covers every write that was answered before it: with one of them lost it has failed.
  const bool covers_lost = call->kind == CallKind::sync && call->lost_before != ledger.lost_count();
  if (covers_lost && completion.response.status == Status::ok) {
    STATEFS_MARK_IN(marks, "client.sync_covers_lost");
    completion.response.status = Status::epoch_changed;
  }
  calls.complete(std::move(completion));
  return true;
}

// False where no correct server answers so.
bool Client::State::take_mutation(std::uint16_t slot, Calls::Call* call, const Response& response) {
  if (!rejoin.joined()) return true;
  switch (slot_says(response.status)) {
    case SlotSays::consumed: break;
    case SlotSays::not_consumed: ledger.not_consumed(slot); return true;
    case SlotSays::rejoin: rejoin.lost_session(); return true;
    case SlotSays::impossible: return false;
  }
  const auto* const answer = std::get_if<MutationResponse>(&response.body);
  if (answer == nullptr) return false;
  ledger.consumed(slot, answer->index, call != nullptr && response.status == Status::ok);
  ledger.durable(answer->head.index);
  return true;
}

bool Client::State::take_rejoined(const Response& response, Now now) {
  std::vector<Fate> fates;
  if (rejoin.answered(response, now.monotonic, fates) == Rejoin::Progress::impossible) return false;
  for (const Fate& fate : fates) {
    abandoned.erase(fate.call);
    calls.settle(fate);
  }
  return true;
}

Client::Client(const Suite& suite, std::shared_ptr<const DhKey> identity, const ClientConfig& config)
    : state_(std::make_unique<State>(suite, std::move(identity), config)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<CallId, SubmitError> Client::submit(const RequestBody& request, Time deadline, Time now) {
  State& s = *state_;
  if (s.connection.offline() && s.calls.empty() && s.next_attempt < now) s.next_attempt = now;
  return s.calls.submit(request, deadline, s.ledger.lost_count());
}

std::optional<Completion> Client::take_completion() { return state_->calls.take_completion(); }
std::optional<LostWrite> Client::take_lost() { return state_->ledger.take_lost(); }
std::optional<Rollback> Client::take_rollback() { return state_->witness.take(); }
const SeenHead& Client::seen() const { return state_->witness.seen(); }

bool Client::wants_connection(Time now) const {
  return state_->connection.offline() && !state_->calls.empty() && now >= state_->next_attempt;
}

void Client::connecting(Now now) { state_->connection.opening(now); }

void Client::connected(std::span<const std::uint8_t, client_random_size> random, Now now) {
  State& s = *state_;
  s.backoff.stir(load_le<std::uint64_t>(random.data() + 32));
  SessionInstance instance{};
  std::copy_n(random.begin() + 40, instance.size(), instance.begin());
  s.rejoin.connected(instance);
  if (s.identity == nullptr) {
    s.connection.opened(Transport::plain(), now);
    return s.send_hello();
  }
  s.connection.opened(Transport(Channel::initiator(s.suite, s.identity, s.config.server, SecretKey(random.first<32>()))), now);
}

void Client::disconnected(Now now) {
  State& s = *state_;
  s.connection.ended();
  s.syncing = false;
  s.sync_not_before = Time{};
  s.rejoin.disconnected();
  s.calls.cut();
  s.expire_calls(now.monotonic);
  s.abandoned.clear();
  s.next_attempt = now.monotonic + s.backoff.next();
}

bool Client::ready() const { return state_->connection.ready(); }
bool Client::finished() const { return state_->connection.finished(); }
Disconnect Client::last_disconnect() const { return state_->connection.reason(); }
const std::optional<HelloResponse>& Client::server_hello() const { return state_->hello; }
std::size_t Client::outstanding() const { return state_->calls.size(); }

void Client::receive(ByteView bytes, Now now) {
  State& s = *state_;
  while (s.connection.open() && !bytes.empty()) {
    const bool greets = !s.connection.greeting() && !s.connection.ready();  // and does once the channel stands
    if (!s.connection.receive(bytes, now)) continue;
    if (greets) {
      s.send_hello();
    } else {
      s.take_responses(now);
    }
  }
}

void Client::advance(Now now) {
  State& s = *state_;
  s.expire_calls(now.monotonic);
  if (s.connection.offline() || s.connection.finished() || s.connection.overdue(now) || !s.connection.open()) return;
  if (s.connection.ready()) s.send_calls(now);
  s.connection.seal(now);
}

ByteView Client::output() const { return state_->connection.output(); }
void Client::output_taken(std::size_t count) { state_->connection.output_taken(count); }

Time Client::deadline() const {
  const State& s = *state_;
  const Time due = earlier_of(s.calls.deadline(), s.connection.deadline());
  if (s.connection.offline()) return s.calls.empty() ? due : earlier_of(due, s.next_attempt);
  if (!s.connection.ready()) return due;
  const Time synced = s.wants_own_sync() ? s.sync_not_before : never;
  return earlier_of(earlier_of(due, synced), s.needs_session() ? s.rejoin.deadline() : never);
}

}  // namespace statefs
