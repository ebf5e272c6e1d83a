#include "sim/session_log.h"

#include <algorithm>

namespace statefs::sim {

const SessionVersion& SessionLife::at(Place place) const {
  static const SessionVersion none;
  const auto after = std::upper_bound(versions.begin(), versions.end(), place, [](Place p, const SessionVersion& v) { return p < v.from; });
  return after == versions.begin() ? none : *(after - 1);
}

SessionLog::SessionLog(const Case& of) {
  auto event = of.history().events.begin();
  const auto take_events = [&](Place until) {
    for (; event != of.history().events.end() && event->at < until; ++event) {
      if (event->kind == TraceKind::store_lost && event->node == of.server()) take_back(*event);
    }
  };
  for (const SeenAppend& append : of.history().appends) {
    take_events(append.at);
    const AuditKind kind = append.record.kind;
    if (kind != AuditKind::session && kind != AuditKind::eviction && kind != AuditKind::mutation) continue;
    const NodeId peer = of.node_of(append.record.peer);
    SessionLife& life = peers_[peer][append.record.at.session];
    life.number = append.record.at.session;
    SessionVersion version = life.at(append.at);
    kept_.push_back({append.index, peer, life.number, version});
    version.from = append.at;
    if (kind == AuditKind::mutation) {
      if (append.record.at.slot < version.slots.size()) version.slots[append.record.at.slot] = {append.record.at.sequence, &append};
    } else {
      version.last_event = &append;
      version.generation = append.record.at.generation;
      version.live = kind == AuditKind::session && append.record.op != static_cast<std::uint8_t>(Op::close);
      version.ended = !version.live;
    }
    life.versions.push_back(version);
    changes_[peer].push_back(append.at);
  }
  take_events(no_place);
  name_instances(of);
}

void SessionLog::take_back(const SeenEvent& loss) {
  for (; !kept_.empty() && kept_.back().index > loss.argument; kept_.pop_back()) {
    SessionVersion version = kept_.back().before;
    version.from = loss.at;
    std::vector<SessionVersion>& versions = peers_[kept_.back().peer][kept_.back().number].versions;
    if (versions.back().from == loss.at) versions.pop_back();
    versions.push_back(version);
    changes_[kept_.back().peer].push_back(loss.at);
  }
}

void SessionLog::name_instances(const Case& of) {
  for (const SeenExchange& each : of.history().exchanges) {
    const auto* const answer = std::get_if<SessionResponse>(&each.answer.body);
    if (!each.is_answered() || answer == nullptr || each.answer.status != Status::ok) continue;
    const auto peer = peers_.find(each.peer);
    if (peer == peers_.end() || !peer->second.contains(answer->session)) continue;
    if (const auto* open = std::get_if<OpenRequest>(&each.request.body)) peer->second[answer->session].instance = open->instance;
    if (const auto* resume = std::get_if<ResumeRequest>(&each.request.body)) peer->second[answer->session].instance = resume->instance;
  }
}

const SessionLog::Lives& SessionLog::of_peer(NodeId peer) const {
  static const Lives none;
  const auto found = peers_.find(peer);
  return found == peers_.end() ? none : found->second;
}

const SessionLife* SessionLog::find(NodeId peer, std::uint64_t number) const {
  const Lives& lives = of_peer(peer);
  const auto found = lives.find(number);
  return found == lives.end() ? nullptr : &found->second;
}

std::size_t SessionLog::live_count(NodeId peer, Place place) const {
  const Lives& lives = of_peer(peer);
  return static_cast<std::size_t>(std::count_if(lives.begin(), lives.end(), [place](const auto& each) { return each.second.at(place).live; }));
}

std::size_t SessionLog::joined_count(NodeId peer, Place place, Place up_since) const {
  const Lives& lives = of_peer(peer);
  return static_cast<std::size_t>(std::count_if(lives.begin(), lives.end(), [&](const auto& each) {
    const SessionVersion& version = each.second.at(place);
    return version.live && version.last_event != nullptr && version.last_event->at > up_since;
  }));
}

bool SessionLog::is_kept(NodeId peer, const SessionLife& life, Place place) const {
  const SessionVersion& own = life.at(place);
  if (!own.ended) return false;
  const Lives& lives = of_peer(peer);
  const auto later = std::count_if(lives.begin(), lives.end(), [&](const auto& each) {
    const SessionVersion& version = each.second.at(place);
    return version.ended && version.last_event->index > own.last_event->index;
  });
  return static_cast<std::size_t>(later) < limits::ended_sessions_per_key;
}

}  // namespace statefs::sim
