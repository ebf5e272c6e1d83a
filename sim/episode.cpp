#include "sim/episode.h"

#include <algorithm>
#include <string>

#include "sim/conversation.h"
#include "sim/stand_in_suite.h"

namespace statefs::sim {
namespace {

constexpr std::uint32_t stranger_operations = 4;
constexpr Duration calm_time_max = seconds(300);  // for each call of the calm part, the way to the server included
constexpr Duration repeating_time_max = seconds(30);

// Longer than any time that could hold a connection: its age at most, and what a flood may owe to a low rate.
Duration aftermath(const ServerLimits& limits) {
  constexpr std::uint64_t owed_max = 20'000;
  const RateLimit& refusals = limits.rates.refusals;
  return limits.connection_age_max + seconds(200) + seconds(static_cast<std::int64_t>(refusals.limits() ? owed_max / refusals.per_second : 0));
}

// Most bytes that one connection may hold: what a message, a frame and a read can be, and the output bound.
std::size_t buffered_size_max(const ServerLimits& limits) {
  return limits.output_size_max + 3 * limits::frame_size_max + 2 * limits::noise_message_size_max + limits::receive_size_max;
}

// A connection below its output bound may take one answer more; each record has a length and a tag.
std::size_t output_size_max(const ServerLimits& limits) {
  const std::size_t size = limits.output_size_max + limits::frame_size_max;
  return size + (size / limits::record_plaintext_size_max + 1) * (limits::record_length_size + limits::aead_tag_size);
}

// What the connection that reaches the bound may add, and each other then: one answer and one short read.
std::size_t waiting_size_max(const ServerLimits& limits, std::size_t connections_max) {
  constexpr std::size_t each = limits::short_receive_size + limits::frame_size_max + 2 * (limits::record_length_size + limits::aead_tag_size);
  return limits.waiting_size_max + output_size_max(limits) + limits::receive_size_max + connections_max * each;
}

std::unique_ptr<Suite> suite_for(const Plan& plan, CryptoWatch& watch, Tap* tap) {
  auto suite = watch.wrap(plan.stand_in_cipher ? make_stand_in_suite() : make_crypto_suite());
  return tap == nullptr ? std::move(suite) : tap->wrap(std::move(suite));
}

}  // namespace

Episode::Episode(const Plan& plan, Tap* tap, std::uint64_t events_max)
    : plan_(plan), world_(plan.seed, plan.faults, suite_for(plan, watch_, tap)), events_max_(events_max), events_left_(events_max) {
  watch_.watch(world_.schedule(), world_.trace());
  plain_watch_.watch(world_.schedule(), world_.trace());
  if (tap != nullptr) {
    tap->watch(world_.schedule(), world_.trace());
    world_.trace().keep_stream_bytes(true);
  }
  for (NodeId id = 0; id < plan.node_count(); ++id) world_.add_node(id < plan.nodes.size() ? plan.nodes[id] : NodeOptions{});
  add_servers();
  add_clients();
  add_hostile();
  cast_.repeaters = repeaters_;
  adversary_ = std::make_unique<Adversary>(world_, plan_, cast_);
}

// All but those whose part it is not to be enrolled.
std::vector<ShadowPeer> Episode::peers() const {
  std::vector<ShadowPeer> peers;
  for (NodeId id = plan_.server_count; id < plan_.node_count(); ++id) {
    const bool is_stranger = !plan_.is_client(id) && plan_.hostile[id - plan_.server_count - plan_.client_count] == HostileKind::stranger;
    if (!is_stranger) peers.push_back({id, plan_.is_local(id)});
  }
  return peers;
}

void Episode::add_servers() {
  std::vector<PublicKey> keys;
  for (NodeId id = 0; id < plan_.node_count(); ++id) keys.push_back(world_.public_key_of(id));
  for (const PolicyPlan& policy : plan_.policies) cast_.policies.push_back(to_source(policy, peers(), keys));
  ServerProgramOptions options;
  options.policy = cast_.policies.front();
  options.limits = plan_.limits;
  options.durability = plan_.store.commits ? Durability::commit : Durability::sync;
  options.flush_interval = plan_.store.flush_interval;
  options.flush_delay = plan_.store.flush_delay;
  options.audit_ring_size = plan_.store.audit_ring_size;
  for (NodeId id = 0; id < plan_.node_count(); ++id) {
    if (plan_.is_local(id)) options.locals.insert(id);
  }
  options.plain_watch = &plain_watch_;
  for (NodeId id = 0; id < plan_.server_count; ++id) {
    options.value_bytes_max = plan_.store.value_bytes_of(id);
    options.keys_max = plan_.store.keys_of(id);
    options.journal.reset();
    if (plan_.store.is_journal(id)) {
      options.journal = JournalOptions{plan_.store.direct, plan_.store.request_time, plan_.store.snapshot_after, plan_.store.snapshot_chunk_size};
    }
    cast_.servers.push_back(&world_.add_server(world_.node(id), options));
  }
}

// A socket of one machine loses nothing and is cut only by who holds it; that writes are torn stays.
void Episode::quieten_local_links() {
  Faults faults;
  faults.link.latency = microseconds(20);
  faults.stream = plan_.faults.stream;
  faults.stream.refused = faults.stream.broken_unread = faults.stream.late_error = {};
  for (NodeId id = 0; id < plan_.node_count(); ++id) {
    if (!plan_.is_local(id)) continue;
    world_.network().link(id, plan_.server_of(id)).set_faults(faults);
    world_.network().link(plan_.server_of(id), id).set_faults(faults);
  }
}

void Episode::add_clients() {
  quieten_local_links();
  ClientProgramOptions options;
  options.config.keepalive_interval = plan_.client_keepalive_interval;
  options.config.dead_peer_timeout = plan_.client_dead_peer_timeout;
  for (NodeId id = plan_.server_count; id < plan_.server_count + plan_.client_count; ++id) {
    workloads_.push_back(std::make_unique<Workload>(world_.node(id), plan_.workload, plan_.operations_of(id), plan_.calls_of(id)));
    cast_.workloads.push_back(workloads_.back().get());
    options.local = plan_.is_local(id);
    cast_.clients.push_back(&world_.add_client(world_.node(id), plan_.server_of(id), *workloads_.back(), options));
    workloads_.back()->watch_log([server = cast_.servers[plan_.server_of(id)], alias = alias_of({id, plan_.is_local(id)})](std::string_view key) {
      const JournalStore* const journal = server->up() ? server->journal() : nullptr;
      return journal == nullptr ? 0 : journal->value_size_to_edge(alias, key);
    });
    workloads_.back()->start(*cast_.clients.back());
  }
}

void Episode::add_hostile() {
  NodeId id = plan_.server_count + plan_.client_count;
  for (const HostileKind kind : plan_.hostile) {
    const NodeId server = plan_.server_of(id);
    if (kind == HostileKind::stranger || kind == HostileKind::misled) {
      WorkloadOptions options = plan_.workload;
      options.operation_count = stranger_operations;
      workloads_.push_back(std::make_unique<Workload>(world_.node(id), options, std::vector<std::uint32_t>{0, 1, 2, 3}));
      ClientProgramOptions client;
      if (kind == HostileKind::misled) client.config.server = world_.public_key_of(id);
      strangers_.push_back(&world_.add_client(world_.node(id), server, *workloads_.back(), client));
      workloads_.back()->start(*strangers_.back());
    } else if (kind == HostileKind::repeater) {
      RepeaterOptions options = plan_.repeater;
      options.server = server;
      repeaters_.push_back(&world_.add_repeater(world_.node(id), options));
    } else {
      hostile_.push_back(std::make_unique<Hostile>(world_.node(id), server, world_.public_key_of(server), kind));
    }
    ++id;
  }
}

bool Episode::step() {
  if (events_left_ == 0) return false;
  --events_left_;
  const std::uint64_t number = world_.schedule().digest().event_count() + 1;
  if (points_ != nullptr) points_->push_back(number);
  adversary_->before_event(number);
  measure();
  return world_.step();
}

bool Episode::idle() const {
  // A repeater only means harm, and may never get through to a server with tight limits: it is not waited for for ever.
  const bool repeated = world_.now() >= Time{} + repeating_time_max ||
                        std::all_of(repeaters_.begin(), repeaters_.end(), [](const Repeater* each) { return each->done() || !each->up(); });
  return adversary_->idle() && repeated && std::all_of(workloads_.begin(), workloads_.end(), [](const auto& each) { return each->done(); });
}

void Episode::work() {
  while (!idle()) {
    if (!step()) return stuck("stuck, or not done after " + std::to_string(events_max_) + " events");
  }
  worked_until_ = world_.now();
  points_ = nullptr;
}

void Episode::calm() {
  Faults none;
  none.link.latency = plan_.faults.link.latency;
  world_.network().set_faults(none);
  adversary_->calm();
  for (const auto& each : hostile_) each->is_noisy() ? each->go_on() : each->leave();
  for (ClientProgram* const each : strangers_) each->crash(false);
  for (Repeater* const each : repeaters_) each->crash(false);
  const auto recovers = [](ServerProgram* each) { return each->up() && !each->serves() && !each->store().refused(); };
  while (std::any_of(cast_.servers.begin(), cast_.servers.end(), recovers)) {
    if (!step()) return stuck("stuck in recovery");
  }
  world_.trace().add(0, TraceKind::calm, 0);
  for (std::size_t i = 0; i < cast_.clients.size(); ++i) {
    const NodeId server = plan_.server_of(cast_.clients[i]->node().id());
    if (cast_.servers[server]->up() && !cast_.servers[server]->serves()) continue;  // its store is damaged: nobody can mend that
    if (cast_.clients[i]->up()) cast_.workloads[i]->continue_calmly(plan_.calm_operations, calm_time_max);
  }
  while (!idle()) {
    if (!step()) return stuck("stuck after the faults had stopped");
  }
  for (const auto& each : hostile_) each->leave();
}

void Episode::stop() {
  for (ClientProgram* const client : cast_.clients) client->crash(false);
  const Time end = world_.now() + aftermath(plan_.limits);
  while (world_.schedule().next_time() <= end && step()) {
  }
}

void Episode::measure() {
  if (world_.schedule().digest().event_count() % 32 != 0) return;
  for (ServerProgram* const program : cast_.servers) {
    if (!program->serves()) continue;
    SeenLoad& load = loads_[program->node().id()];
    const Server& server = program->server();
    ++load.samples;
    const Place here = world_.trace().here();
    raise(load.connections, load.at.connections, server.connection_count(), here);
    raise(load.staged_size, load.at.staged_size, server.staged_size(), here);
    raise(load.buffered_size, load.at.buffered_size, program->most_buffered(), here);
  }
}

void Episode::stuck(const std::string& what) {
  if (!stuck_.empty()) return;
  stuck_ = what + behind(world_.trace().here());
  if (worked_until_ == Time{}) worked_until_ = world_.now();
}

std::vector<CheckResult> Episode::judge(const History& history) {
  std::vector<CheckResult> results = check(history, context());
  for (CheckResult& each : results) {
    if (each.name == "liveness" && !stuck_.empty()) each.failure = stuck_;  // what it asks of the calm was never to come
  }
  results.push_back(watch_.result());
  return results;
}

History Episode::history() {
  History history = history_of(world_.trace());
  const CheckContext known = context();
  add_conversations(watch_, plain_watch_, known.keys, history);
  for (ServerProgram* const program : cast_.servers) {
    SeenLoad load = program->load();
    const SeenLoad& sampled = loads_[program->node().id()];
    load.node = program->node().id();
    load.samples = sampled.samples;
    load.connections = sampled.connections;
    load.staged_size = sampled.staged_size;
    load.buffered_size = sampled.buffered_size;
    load.at.connections = sampled.at.connections;
    load.at.staged_size = sampled.at.staged_size;
    load.at.buffered_size = sampled.at.buffered_size;
    load.idle_timers = program->idle_timers();
    load.at.idle_timers = program->idle_timers_at();
    history.rests.insert(history.rests.end(), program->rest_watch().rests().begin(), program->rest_watch().rests().end());
    if (program->serves() && stuck_.empty()) {
      load.connections_left = program->server().connection_count();
      load.staged_left = program->server().staged_size();
      load.commits_left = program->store().volatile_count();
    }
    history.loads.push_back(load);
  }
  for (const ClientProgram* const program : cast_.clients) {
    SeenLoad load;
    load.node = program->node().id();
    load.idle_timers = program->idle_timers();
    load.at.idle_timers = program->idle_timers_at();
    history.loads.push_back(load);
    history.waits.insert(history.waits.end(), program->waits().begin(), program->waits().end());
  }
  if (stuck_.empty()) {  // a world that did not come to its end has something left over
    history.streams_left = world_.network().stream_count();
    history.events_left = world_.schedule().pending();
  }
  return history;
}

std::uint64_t Episode::completed_count() const {
  std::uint64_t count = 0;
  for (const auto& each : workloads_) count += each->completed_count();
  for (const Repeater* const each : repeaters_) count += each->completed_count();
  return count;
}

std::uint64_t Episode::reconnect_count() const {
  const std::uint64_t first = cast_.clients.size() + strangers_.size() + repeaters_.size() + hostile_.size();
  const std::uint64_t all = world_.network().connect_count();
  return all - std::min(all, first);
}

CheckContext Episode::context() {
  CheckContext context;
  context.calm_operations = plan_.calm_operations;
  context.call_timeout = plan_.workload.timeout;
  const std::uint64_t local_connections = std::min<std::uint64_t>(
      plan_.limits.local_connections_max, plan_.local_count * plan_.limits.local_connections_per_uid_max);
  context.limits = {plan_.limits.connections_max + local_connections, buffered_size_max(plan_.limits), output_size_max(plan_.limits),
                    plan_.limits.staging.bytes_per_peer_max * (plan_.node_count() - plan_.server_count),
                    waiting_size_max(plan_.limits, plan_.limits.connections_max + local_connections)};
  const ClientConfig client;
  context.links = {plan_.limits.keepalive_interval, plan_.limits.dead_peer_timeout, plan_.limits.connection_age_max,
                   plan_.client_keepalive_interval, plan_.client_dead_peer_timeout, client.backoff_min, client.backoff_max,
                   plan_.limits.connections_per_peer_max, plan_.limits.local_connections_per_uid_max};
  for (const TraceEntry& entry : world_.trace().entries()) {
    if (entry.kind != TraceKind::fault || entry.argument >= plan_.incidents.size()) continue;
    const Incident& incident = plan_.incidents[entry.argument];
    if (incident.kind == IncidentKind::pause) context.pauses.push_back({incident.node, entry.time, entry.time + incident.lasts});
  }
  context.policies = plan_.policies;
  context.refusals = watch_.refusals();
  for (NodeId id = 0; id < plan_.node_count(); ++id) {
    context.keys.push_back(world_.public_key_of(id));
    if (plan_.is_server(id)) {
      context.servers[id] = {ServerProgram::mac_key_of(world_.random(), id),
                             plan_.store.commits ? Durability::commit : Durability::sync,
                             plan_.store.audit_ring_size,
                             plan_.store.value_bytes_of(id),
                             plan_.store.keys_of(id),
                             plan_.limits.sessions_per_key,
                             plan_.store.is_journal(id),
                             plan_.limits.staging,
                             plan_.limits.rates};
    } else if (plan_.is_client(id)) {
      context.server_of[id] = plan_.server_of(id);
      if (plan_.is_local(id)) context.locals.insert(id);
      context.clients.insert(id);
    } else {
      const HostileKind kind = plan_.hostile[id - plan_.server_count - plan_.client_count];
      if (kind == HostileKind::stranger || kind == HostileKind::misled || kind == HostileKind::repeater) context.server_of[id] = plan_.server_of(id);
      else context.unwatched.insert(id), context.visits[id] = plan_.server_of(id);
      if (kind == HostileKind::stranger) context.strangers.insert(id);
      context.handshakes_fail |= kind == HostileKind::misled || kind == HostileKind::garbage || kind == HostileKind::handshake_flood;
    }
  }
  return context;
}

}  // namespace statefs::sim
