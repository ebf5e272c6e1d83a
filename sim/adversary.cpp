#include "sim/adversary.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace statefs::sim {
namespace {

enum : std::uint32_t { incident_begins = 300, incident_ends, failed_restarts };

// Everything about a tampering from one number, so that an incident needs no more. Below 0: with the handshake of a new stream.
Tampering tampering_of(std::int64_t amount) {
  constexpr std::uint64_t handshake_size = 130;
  RandomStream random(static_cast<std::uint64_t>(std::abs(amount)), "tampering");
  Tampering tampering;
  tampering.kind = static_cast<TamperKind>(random.below(tamper_kind_count));
  tampering.after = random.skewed(4'000);
  tampering.size = 1 + random.skewed(300);
  tampering.source = random.below(1 << 16);
  tampering.salt = random.next();
  tampering.in_new_stream = amount < 0;
  if (tampering.in_new_stream) tampering.after %= handshake_size;
  return tampering;
}

// How often what such an incident waits for has been.
std::uint64_t count_at(JournalStore& journal, IncidentKind kind) {
  if (kind == IncidentKind::edge_crash) return journal.edge_count();
  return kind == IncidentKind::naming_crash ? journal.disk().naming_count() : journal.disk().request_count();
}

}  // namespace

Adversary::Adversary(World& world, const Plan& plan, Cast cast) : world_(world), plan_(plan), cast_(std::move(cast)) {
  for (std::size_t i = 0; i < plan.incidents.size(); ++i) {
    const Incident& incident = plan.incidents[i];
    if (incident.event != 0) continue;  // those named by an event or a request
    pending_[{incident_begins, i}] = world.schedule().at(std::max(incident.at, world.now()), {this, incident.node, incident_begins, i});
  }
}

Adversary::~Adversary() {
  for (const auto& [what, event] : pending_) world_.schedule().cancel(event);
}

ServerProgram* Adversary::server(NodeId node) const { return node < cast_.servers.size() ? cast_.servers[node] : nullptr; }

ClientProgram* Adversary::client(NodeId node) const {
  const std::size_t first = cast_.servers.size();
  return node >= first && node - first < cast_.clients.size() ? cast_.clients[node - first] : nullptr;
}

void Adversary::before_event(std::uint64_t number) {
  if (plan_.store.journals != 0) watch_disks();
  if (calm_) return;
  for (std::size_t i = 0; i < plan_.incidents.size(); ++i) {
    if (plan_.incidents[i].event == number && !is_at_request(plan_.incidents[i].kind)) begin(i);
  }
}

// What failed in a machine that stood still is found when that goes on, in the calm too.
void Adversary::watch_disks() {
  for (std::size_t i = 0; i < plan_.incidents.size() && !calm_; ++i) {
    const Incident& incident = plan_.incidents[i];
    if (!is_at_request(incident.kind) || server(incident.node) == nullptr || begun_.contains(i)) continue;
    JournalStore* const journal = server(incident.node)->journal();
    if (journal == nullptr) continue;
    if (count_at(*journal, incident.kind) < incident.event) continue;
    begun_.insert(i);
    if (server(incident.node)->up()) begin(i);
  }
  for (NodeId node = 0; node < cast_.servers.size(); ++node) {
    ServerProgram& program = *cast_.servers[node];
    if (program.journal() == nullptr || !program.up() || !program.store().status().failed || program.store().refused()) continue;
    if (pending_.contains({failed_restarts, node})) continue;
    pending_[{failed_restarts, node}] = world_.schedule().at(world_.now() + plan_.store.restart_after, {this, node, failed_restarts, node});
  }
}

// A daemon whose store has failed ends, and is started again; what the machine holds in its caches stays.
void Adversary::restart_failed(NodeId node) {
  constexpr std::int64_t process_alone = 6;
  ServerProgram& program = *cast_.servers[node];
  if (!program.up() || !program.store().status().failed) return;
  program.crash(process_alone);
  program.restart();
  count(FaultKind::restart);
}

void Adversary::fire(std::uint32_t kind, std::uint64_t which) {
  pending_.erase({kind, which});
  if (kind == incident_begins) begin(which);
  else if (kind == failed_restarts) restart_failed(static_cast<NodeId>(which));
  else if (plan_.incidents[which].kind == IncidentKind::disk_swap) swap_disk(which);
  else end(plan_.incidents[which]);
}

void Adversary::plan_end(std::size_t which, Duration after) {
  if (after == for_good) return;
  pending_[{incident_ends, which}] =
      world_.schedule().at(world_.now() + after, {this, plan_.incidents[which].node, incident_ends, which});
}

// A socket inside of one machine has no path that could be severed or where somebody could sit.
bool Adversary::spares(const Incident& incident) const {
  if (!plan_.is_local(incident.node) && !(has_two_nodes(incident.kind) && plan_.is_local(incident.other))) return false;
  return incident.kind == IncidentKind::partition || incident.kind == IncidentKind::one_way || incident.kind == IncidentKind::tamper ||
         incident.kind == IncidentKind::evict;
}

void Adversary::begin(std::size_t which) {
  const Incident& incident = plan_.incidents[which];
  if (spares(incident)) return;
  const std::string text(name_of(incident.kind));
  world_.trace().add(incident.node, TraceKind::fault, which, as_bytes(text));
  Network& network = world_.network();
  switch (incident.kind) {
    case IncidentKind::crash:
    case IncidentKind::power_loss:
    case IncidentKind::disk_crash:
    case IncidentKind::naming_crash:
    case IncidentKind::edge_crash:
    case IncidentKind::disk_rot: stop(incident); break;
    case IncidentKind::disk_error:
    case IncidentKind::disk_misdirect:
    case IncidentKind::disk_swap: hurt_disk(which); break;
    case IncidentKind::pause: pause(incident); break;
    case IncidentKind::cut: cut(incident.node, incident.other); break;
    case IncidentKind::partition:
      sever(incident.node, incident.other);
      sever(incident.other, incident.node);
      break;
    case IncidentKind::one_way: sever(incident.node, incident.other); break;
    case IncidentKind::clog: network.link(incident.node, incident.other).block_until(world_.now() + incident.lasts); break;
    case IncidentKind::tamper:
      network.link(incident.node, incident.other).tamper().add(tampering_of(incident.amount));
      break;
    case IncidentKind::clock_step:
    case IncidentKind::clock_drift: change_clock(incident); break;
    case IncidentKind::policy: load_policy(incident); break;
    case IncidentKind::store_fail:
    case IncidentKind::store_full:
    case IncidentKind::store_slow: hurt_store(incident); break;
    case IncidentKind::evict: evict(incident); break;
  }
  plan_end(which, incident.lasts);
}

void Adversary::pause(const Incident& incident) {
  const bool serves = server(incident.node) != nullptr && server(incident.node)->up();
  const bool calls = client(incident.node) != nullptr && client(incident.node)->up();
  if (!serves && !calls) return;
  const Time until = world_.now() + incident.lasts;
  if (ServerProgram* const program = server(incident.node)) program->pause_until(until);
  if (ClientProgram* const program = client(incident.node)) program->pause_until(until);
  count(FaultKind::pause);
}

void Adversary::change_clock(const Incident& incident) {
  NodeClock& clock = world_.node(incident.node).clock();
  if (incident.kind == IncidentKind::clock_step) {
    clock.step_wall(nanoseconds(incident.amount));
    return count(FaultKind::clock_step);
  }
  clock.set_drift(static_cast<std::int32_t>(incident.amount), world_.now());
  count(FaultKind::clock_drift);
}

void Adversary::load_policy(const Incident& incident) {
  const auto number = static_cast<std::uint64_t>(incident.amount);
  ServerProgram* const program = server(incident.node);
  if (program == nullptr || number >= cast_.policies.size()) return;
  program->reload(cast_.policies[number], number);
  count(FaultKind::policy_change);
}

void Adversary::hurt_store(const Incident& incident) {
  ServerProgram* const program = server(incident.node);
  if (program == nullptr) return;
  if (incident.kind == IncidentKind::store_full) {
    program->stall_export(true);
    return count(FaultKind::store_full);
  }
  if (incident.kind == IncidentKind::store_slow) {
    program->store().set_flush_delay(nanoseconds(incident.amount));
    return count(FaultKind::store_slow);
  }
  if (!program->up()) return;
  program->store().fail();
  program->request_wake();
  count(FaultKind::store_failure);
}

void Adversary::hurt_disk(std::size_t which) {
  const Incident& incident = plan_.incidents[which];
  JournalStore* const journal = server(incident.node) == nullptr ? nullptr : server(incident.node)->journal();
  if (journal == nullptr) return;
  if (incident.kind == IncidentKind::disk_error) return journal->disk().fail_next(static_cast<DiskRequest::Kind>(incident.amount));
  if (incident.kind == IncidentKind::disk_misdirect) return (void)journal->misdirect();
  if (auto copy = journal->copy()) copies_[which] = std::move(*copy);
}

// Somebody restores an older copy of it.
void Adversary::swap_disk(std::size_t which) {
  const auto copy = copies_.find(which);
  if (copy == copies_.end()) return;
  ServerProgram& program = *cast_.servers[plan_.incidents[which].node];
  if (program.up() && program.journal()->fits(copy->second)) {
    program.crash(0);
    program.journal()->put_in(copy->second);
    program.restart();
    count(FaultKind::disk_swap);
  }
  copies_.erase(copy);
}

void Adversary::end(const Incident& incident) {
  switch (incident.kind) {
    case IncidentKind::crash:
    case IncidentKind::power_loss:
    case IncidentKind::disk_crash:
    case IncidentKind::naming_crash:
    case IncidentKind::edge_crash:
    case IncidentKind::disk_rot: return start(incident.node);
    case IncidentKind::one_way: return heal(incident.node, incident.other);
    case IncidentKind::partition:
      heal(incident.node, incident.other);
      return heal(incident.other, incident.node);
    case IncidentKind::store_fail: {
      ServerProgram* const program = server(incident.node);
      if (program == nullptr || !program->up() || !program->store().status().failed) return;
      program->crash(incident.amount);
      return program->restart();
    }
    case IncidentKind::store_full:
      if (ServerProgram* const program = server(incident.node)) program->stall_export(false);
      return;
    case IncidentKind::store_slow:
      if (ServerProgram* const program = server(incident.node)) program->store().set_flush_delay(plan_.store.flush_delay);
      return;
    case IncidentKind::policy:
      if (ServerProgram* const program = server(incident.node); program != nullptr && incident.lasts != Duration{}) {
        program->reload(cast_.policies.front(), 0);
      }
      return;
    case IncidentKind::evict:
      for (const auto& hog : hogs_) hog->leave();
      return;
    case IncidentKind::pause:
    case IncidentKind::cut:
    case IncidentKind::clog:
    case IncidentKind::tamper:
    case IncidentKind::clock_step:
    case IncidentKind::clock_drift:
    case IncidentKind::disk_error:
    case IncidentKind::disk_misdirect:
    case IncidentKind::disk_swap: return;
  }
}

void Adversary::stop(const Incident& incident) {
  // The kernel of the one machine tells a program that the other end has gone.
  const bool silent = incident.kind != IncidentKind::crash && !plan_.is_local(incident.node);
  for (ClientProgram* const each : cast_.clients) {
    const NodeId id = each->node().id();
    if (plan_.is_local(id) && plan_.server_of(id) == incident.node && each->up()) each->break_stream();
  }
  if (incident.lasts == for_good) dead_.insert(incident.node);
  else ++down_[incident.node];
  if (ServerProgram* const program = server(incident.node); program != nullptr && program->up()) {
    const bool loses = program->journal() == nullptr && incident.amount < static_cast<std::int64_t>(program->store().volatile_count());
    if (loses) count(FaultKind::store_loss);
    const bool rots = incident.kind == IncidentKind::disk_rot;
    program->crash(rots ? nothing_lost : incident.amount, silent);
    if (rots && program->journal() != nullptr) {
      program->journal()->rot(static_cast<std::uint64_t>(incident.amount));
      count(FaultKind::disk_rot);
    }
    if (is_at_request(incident.kind)) count(FaultKind::disk_crash);
    count(silent ? FaultKind::power_loss : FaultKind::crash);
  }
  if (ClientProgram* const program = client(incident.node); program != nullptr && program->up()) {
    program->crash(silent);
    cast_.workloads[incident.node - cast_.servers.size()]->client_stopped();
    count(silent ? FaultKind::power_loss : FaultKind::crash);
  }
  if (dead(incident.node) && client(incident.node) != nullptr) cast_.workloads[incident.node - cast_.servers.size()]->give_up();
}

void Adversary::start(NodeId node) {
  if (down_[node] > 0 && --down_[node] > 0) return;
  if (dead(node)) return;
  world_.network().revive(node);
  if (ServerProgram* const program = server(node); program != nullptr && !program->up()) {
    program->restart();
    count(FaultKind::restart);
  }
  if (ClientProgram* const program = client(node); program != nullptr && !program->up()) {
    program->restart();
    cast_.workloads[node - cast_.servers.size()]->client_started();
    count(FaultKind::restart);
  }
}

void Adversary::sever(NodeId from, NodeId to) {
  if (severed_[{from, to}]++ == 0) world_.network().link(from, to).sever();
}

void Adversary::heal(NodeId from, NodeId to) {
  std::uint32_t& severed = severed_[{from, to}];
  if (severed > 0 && --severed == 0) world_.network().link(from, to).heal();
}

void Adversary::cut(NodeId a, NodeId b) {
  ClientProgram* const program = client(a) != nullptr ? client(a) : client(b);
  if (program != nullptr && program->up()) program->break_stream();
  for (const Repeater* const each : cast_.repeaters) {
    if (each->node().id() != a && each->node().id() != b) continue;
    for (const StreamEnd end : std::set<StreamEnd>(each->ends())) world_.network().stream(end).cut();
  }
}

void Adversary::evict(const Incident& incident) {
  ClientProgram* const program = client(incident.node);
  if (program == nullptr || !program->up()) return;
  if (incident.amount >= 0) program->break_stream();
  const NodeId of = plan_.server_of(incident.node);
  hogs_.push_back(std::make_unique<SessionHog>(world_.node(incident.node), of, world_.public_key_of(of),
                                               static_cast<std::uint32_t>(std::abs(incident.amount))));
  count(FaultKind::eviction);
}

void Adversary::calm() {
  calm_ = true;
  for (const auto& [what, event] : pending_) world_.schedule().cancel(event);
  pending_.clear();
  severed_.clear();
  world_.network().heal_all();
  hogs_.clear();
  for (NodeId node = 0; node < plan_.node_count(); ++node) {
    down_[node] = 0;
    if (!dead(node)) start(node);
  }
  for (NodeId node = 0; node < cast_.servers.size(); ++node) {
    ServerProgram& program = *cast_.servers[node];
    program.stall_export(false);
    if (program.journal() != nullptr) program.journal()->disk().mend();
    program.store().set_flush_delay(plan_.store.flush_delay);
    if (program.up() && program.store().status().failed && !program.store().refused()) {
      program.crash(0, false);
      program.restart();
    }
    if (program.up()) program.reload(cast_.policies.front(), 0);
  }
}

}  // namespace statefs::sim
