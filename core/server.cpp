#include "core/server.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "core/admission.h"
#include "core/check.h"
#include "core/peer_rates.h"
#include "core/service.h"
#include "core/tally.h"
#include "core/timers.h"
#include "core/waiting.h"

namespace statefs {

struct Server::State {
  struct Place {
    std::unique_ptr<Session> session;  // null: free
    Standing standing;
    bool active = false;               // in `active`
    bool queued = false;               // in `handshakes`
  };

  State(const Suite& suite_in, ServerKeys keys, Policy policy_in, Store& store_in, const ServerLimits& limits_in)
      : own_marks(limits_in.marks == nullptr ? std::make_unique<Marks>() : nullptr),
        marks(limits_in.marks == nullptr ? *own_marks : *limits_in.marks),
        suite(suite_in),
        identity(std::move(keys.identity)),
        policy(std::move(policy_in)),
        store(store_in),
        limits(limits_in),
        tally(store_in, policy.version(), marks),
        service(store_in, tally, marks, keys.value_mac, {limits_in.keepalive_interval, limits_in.sessions_per_key, limits_in.staging}),
        admission(limits, tally, marks),
        rates(limits.rates),
        bytes_waiting(limits.waiting_size_max, limits.waiting_size_per_peer_max),
        timers(marks) {
    service.policy_changed(policy);
  }

  SessionContext context(ConnectionId id) { return {service, tally, limits, spare_plaintext, answer_buffers, tight(id)}; }
  [[nodiscard]] bool tight(ConnectionId id) const { return bytes_waiting.tight(places[id].standing.owner); }
  [[nodiscard]] bool can_work(ConnectionId id, Now now) const { return places[id].session->can_work(limits, tight(id), now); }
  Session& session(ConnectionId id) {
    STATEFS_CHECK(id < places.size() && places[id].session != nullptr);
    return *places[id].session;
  }
  void queue_handshake(ConnectionId id) { if (!std::exchange(places[id].queued, true)) handshakes.push_back(id); }
  void activate(ConnectionId id) {
    if (std::exchange(places[id].active, true)) return;
    active.push_back(id);
  }
  [[nodiscard]] Caller caller_of(const Owner& owner, const PeerPolicy& peer, ConnectionId id, Now now) {
    return {PeerRef{owner.kind, owner.key, owner.uid, peer.alias}, id, &peer, &rates.of(owner, now.monotonic)};
  }
  ConnectionId take_place();
  void after_work(ConnectionId id, Now now);
  void admit(ConnectionId id, Now now);
  void account(ConnectionId id);
  void arm(ConnectionId id);
  void weigh(ConnectionId id);
  void run_soon(ConnectionId id, Now now);
  void run_handshakes(Now now);
  void run_stalled(Now now);
  void fire_timers(Now now);
  void settle(Now now);

  std::unique_ptr<Marks> own_marks;
  Marks& marks;
  const Suite& suite;
  std::shared_ptr<const DhKey> identity;
  Policy policy;
  Store& store;
  ServerLimits limits;
  Tally tally;
  Service service;
  Admission admission;
  PeerRates rates;
  Waiting bytes_waiting;
  Timers timers;
  Bytes spare_plaintext;
  BufferPool answer_buffers;

  std::vector<Place> places;
  std::vector<ConnectionId> free;
  std::vector<ConnectionId> active;    // to be settled in this wake-up
  std::vector<ConnectionId> waiting;   // hold answers that the store has not completed
  std::vector<ConnectionId> touched;
  std::vector<ConnectionId> runnable;  // were stalled, and have room again
  std::deque<ConnectionId> handshakes; // hold a handshake message that waits for its budget
  std::uint64_t stalled_turn = 0;
  bool store_failed = false;
  ServerCounters counters;
};

ConnectionId Server::State::take_place() {
  if (free.empty()) {
    places.emplace_back();
    return static_cast<ConnectionId>(places.size() - 1);
  }
  const ConnectionId id = free.back();
  free.pop_back();
  return id;
}

void Server::State::account(ConnectionId id) {
  Place& place = places[id];
  if (!place.session->in_handshake()) admission.handshake_over(place.standing);
  if (place.session->state() == SessionState::closed && admission.leave(place.standing)) service.connection_ended(id);
}

void Server::State::arm(ConnectionId id) { timers.arm(id, places[id].session->deadline(limits)); }

// A session stops when its peer has become known, and goes on once it is admitted.
void Server::State::after_work(ConnectionId id, Now now) {
  Place& place = places[id];
  if (place.session->established()) {
    admit(id, now);
    if (place.session->state() == SessionState::greeting) place.session->receive({}, context(id), now);
  }
  weigh(id);
  activate(id);
}

// What waits for a connection changes only while one is worked on, settled or drained: then it is weighed.
void Server::State::weigh(ConnectionId id) {
  if (!bytes_waiting.weigh(id, places[id].standing.owner, places[id].session->waiting_size())) return;
  STATEFS_MARK_IN(marks, "waiting.eased");
  for (const ConnectionId each : bytes_waiting.take_pressed()) {
    if (places[each].session != nullptr) runnable.push_back(each);
  }
}

void Server::State::run_soon(ConnectionId id, Now now) {
  if (can_work(id, now)) return runnable.push_back(id);
  if (!places[id].session->stalled()) return;
  places[id].session->rest_if_due(limits, tight(id), now);
  bytes_waiting.press(id);
}

void Server::State::admit(ConnectionId id, Now now) {
  Place& place = places[id];
  Session& session = *place.session;
  const PeerPolicy* const peer = policy.find(session.peer_key());
  if (!admission.enter(place.standing, session.peer_key(), peer)) return session.apply(SessionEvent::refused, now);
  session.admit(caller_of(place.standing.owner, *peer, id, now), now);
}

void Server::State::run_handshakes(Now now) {
  for (std::size_t budget = limits.handshakes_per_wakeup; budget > 0 && !handshakes.empty();) {
    const ConnectionId id = handshakes.front();
    handshakes.pop_front();
    places[id].queued = false;
    if (places[id].session == nullptr || !places[id].session->in_handshake()) {
      STATEFS_MARK_IN(marks, "server.place_was_queued");
      continue;
    }
    --budget;
    places[id].session->receive({}, context(id), now);
    after_work(id, now);
  }
  if (!handshakes.empty()) STATEFS_MARK_IN(marks, "server.handshake_waits");
}

void Server::State::run_stalled(Now now) {
  std::vector<ConnectionId> run;
  run.swap(runnable);
  // Each time another first: connections of one peer share what it may be refused, and none of them uses it up for ever.
  if (!run.empty()) std::rotate(run.begin(), run.begin() + static_cast<std::ptrdiff_t>(stalled_turn++ % run.size()), run.end());
  for (const ConnectionId id : run) {
    if (places[id].session == nullptr) continue;
    if (can_work(id, now) && places[id].session->in_handshake()) {
      queue_handshake(id);  // these have a budget
    } else if (can_work(id, now)) {
      places[id].session->receive({}, context(id), now);
      after_work(id, now);
    } else if (places[id].session->stalled()) {
      activate(id);
    }
  }
}

void Server::State::fire_timers(Now now) {
  while (const auto id = timers.fire(now.monotonic)) {
    if (places[*id].session == nullptr) continue;
    places[*id].session->advance(context(*id), now);
    activate(*id);
  }
}

void Server::State::settle(Now now) {
  for (const ConnectionId id : waiting) {
    if (places[id].session != nullptr) activate(id);
  }
  waiting.clear();
  const StoreStatus& status = store.status();
  for (const ConnectionId id : active) {
    Place& place = places[id];
    place.active = false;
    Session& session = *place.session;
    // What a failed store says of itself depends on nothing that it could still complete.
    session.settle(status.failed ? status.completed_index : status.last_index, context(id), status, now);
    weigh(id);
    account(id);
    if (session.waits_for_store()) waiting.push_back(id);
    run_soon(id, now);
    arm(id);
    touched.push_back(id);
  }
  active.clear();
}

Server::Server(const Suite& suite, ServerKeys keys, Policy policy, Store& store, const ServerLimits& limits)
    : state_(std::make_unique<State>(suite, std::move(keys), std::move(policy), store, limits)) {}
Server::~Server() = default;

Result<ConnectionId, AdmissionError> Server::accept(const SecretKey& ephemeral, Now now) {
  State& s = *state_;
  const auto standing = s.admission.at_remote_door();
  if (!standing) return standing.error();
  const ConnectionId id = s.take_place();
  s.places[id].standing = standing.value();
  s.places[id].session = std::make_unique<Session>(Channel::responder(s.suite, s.identity, ephemeral), s.marks, now);
  s.arm(id);
  return id;
}

Result<ConnectionId, AdmissionError> Server::accept_local(std::uint32_t uid, Now now) {
  State& s = *state_;
  const PeerPolicy* const peer = s.policy.find_local(uid);
  const auto standing = s.admission.at_local_door(uid, peer);
  if (!standing) return standing.error();
  STATEFS_MARK_IN(s.marks, "server.local");
  const ConnectionId id = s.take_place();
  s.places[id].standing = standing.value();
  s.places[id].session = std::make_unique<Session>(s.caller_of(standing.value().owner, *peer, id, now), s.marks, now);
  s.arm(id);
  return id;
}

void Server::receive(ConnectionId connection, ByteView bytes, Now now) {
  State& s = *state_;
  STATEFS_CHECK(bytes.size() <= limits::receive_size_max);
  s.counters.bytes_in += bytes.size();
  Session& session = s.session(connection);
  if (session.in_handshake()) {
    session.hold(bytes);
    s.weigh(connection);
    return s.queue_handshake(connection);
  }
  session.receive(bytes, s.context(connection), now);
  s.after_work(connection, now);
}

void Server::ended(ConnectionId connection, Now now) {
  Session& session = state_->session(connection);
  if (session.state() != SessionState::closed && session.mid_message()) {
    STATEFS_MARK_IN(state_->marks, "session.ended_mid_message");
    ++state_->counters.ended_mid_record;
  }
  session.apply(SessionEvent::ended, now);
  state_->activate(connection);
}

void Server::advance(Now now) {
  State& s = *state_;
  s.touched.clear();
  s.run_stalled(now);
  s.run_handshakes(now);
  s.fire_timers(now);
  s.service.advance(now);
  s.tally.record(now);
  s.store.submit(now);
  s.store.advance(now);
  if (s.store.status().failed && !std::exchange(s.store_failed, true)) {
    STATEFS_MARK_IN(s.marks, "server.store_failed");
    for (ConnectionId id = 0; id < s.places.size(); ++id) {
      if (s.places[id].session == nullptr) continue;
      s.places[id].session->apply(SessionEvent::store_failed, now);
      s.activate(id);
    }
  }
  s.settle(now);
}

std::span<const ConnectionId> Server::touched() const { return state_->touched; }
ByteView Server::output(ConnectionId connection) const { return state_->session(connection).output(); }

void Server::output_taken(ConnectionId connection, std::size_t count, Now now) {
  State& s = *state_;
  Session& session = s.session(connection);
  s.counters.bytes_out += count;
  session.output_taken(count, now);
  s.weigh(connection);
  s.account(connection);
  s.run_soon(connection, now);
  s.arm(connection);
}

std::size_t Server::read_size(ConnectionId connection) const {
  const bool is_short = state_->session(connection).in_handshake() || state_->tight(connection);
  return is_short ? limits::short_receive_size : limits::receive_size_max;
}

bool Server::wants_input(ConnectionId connection) const { return state_->session(connection).wants_input(); }
bool Server::finished(ConnectionId connection) const { return state_->session(connection).state() == SessionState::closed; }

void Server::released(ConnectionId connection) {
  State& s = *state_;
  Session& session = s.session(connection);
  STATEFS_CHECK(session.state() == SessionState::closed);
  State::Place& place = s.places[connection];
  s.account(connection);
  s.admission.release(place.standing);
  s.timers.disarm(connection);
  if (place.active) std::erase(s.active, connection);
  s.weigh(connection);
  const bool queued = place.queued;  // its entry is still there, and will serve whoever takes the place
  place = State::Place{};
  place.queued = queued;
  s.free.push_back(connection);
}

Time Server::deadline() const {
  const State& s = *state_;
  if (!s.handshakes.empty() || !s.runnable.empty() || !s.active.empty()) return Time{0};
  return earlier_of(earlier_of(s.service.deadline(), s.store.deadline()), earlier_of(s.tally.deadline(), s.timers.deadline()));
}

void Server::reload(Policy policy, Now now) {
  State& s = *state_;
  if (s.admission.count() > 0) STATEFS_MARK_IN(s.marks, "server.reloaded");
  s.policy = std::move(policy);
  s.tally.policy_changed(s.policy.version());
  s.service.policy_changed(s.policy);
  s.rates.retain([&s](const Owner& owner) { return policy_of(owner, s.policy) != nullptr; });
  for (ConnectionId id = 0; id < s.places.size(); ++id) {
    Session* const session = s.places[id].session.get();
    if (session == nullptr || session->in_handshake() || session->state() == SessionState::closed) continue;
    const Owner& owner = s.places[id].standing.owner;
    const PeerPolicy* const peer = policy_of(owner, s.policy);
    if (peer == nullptr) {
      STATEFS_MARK_IN(s.marks, "server.reload_expels");
      session->apply(SessionEvent::expelled, now);
      s.activate(id);
      continue;
    }
    session->recall(s.caller_of(owner, *peer, id, now));
  }
}

void Server::shutdown(Now now) {
  State& s = *state_;
  if (s.admission.count() > 0) STATEFS_MARK_IN(s.marks, "server.shut_down");
  s.admission.stop();
  for (ConnectionId id = 0; id < s.places.size(); ++id) {
    if (s.places[id].session == nullptr) continue;
    s.places[id].session->apply(SessionEvent::shut_down, now);
    s.activate(id);
  }
}

std::size_t Server::record_counts(Now now) {
  const std::size_t left = state_->tally.record_the_rest(now);
  state_->store.submit(now);
  state_->store.advance(now);
  return left;
}

std::size_t Server::connection_count() const { return state_->admission.count(); }
std::size_t Server::waiting_size() const { return state_->bytes_waiting.size(); }
bool Server::pressed(ConnectionId id) const { return state_->session(id).pressed() || (state_->session(id).stalled() && state_->tight(id)); }
std::uint64_t Server::staged_size() const { return state_->service.staged_size(); }
std::size_t Server::buffered_size(ConnectionId connection) const { return state_->session(connection).buffered_size(); }
std::size_t Server::buffered_size() const {
  std::size_t size = 0;
  for (const State::Place& place : state_->places) {
    if (place.session != nullptr) size += place.session->buffered_size();
  }
  return size;
}

const ServerCounters& Server::counters() const {
  ServerCounters& counters = state_->counters;
  const Admission& admission = state_->admission;
  counters.accepted = admission.accepted();
  counters.refused_connections = admission.refused();
  counters.handshakes_ok = admission.handshakes_ok();
  counters.not_enrolled = admission.not_enrolled();
  counters.requests_ok = state_->service.answered_ok();
  counters.refusals = state_->service.refusals();
  counters.overloaded = state_->service.overloaded();
  return counters;
}

bool Server::has_served() const { return state_->service.answered_ok() > state_->service.answered_ok_local(); }

}  // namespace statefs
