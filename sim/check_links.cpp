// Signs of life, ages and the limit of one peer, from when records were sealed and opened.
#include <algorithm>
#include <map>

#include "core/frame.h"
#include "sim/checks.h"
#include "sim/grounds.h"

namespace statefs::sim {
namespace {

constexpr Duration link_slack = milliseconds(100);

// By a clock within 1/10 of true, with a timer that was set before its rate changed.
Duration late_by(Duration duration) { return nanoseconds(duration.ns + duration.ns / 4) + link_slack; }
Duration early_by(Duration duration) { return nanoseconds(duration.ns - duration.ns / 5); }

// One end of a connection: what it sealed, and what it opened of the other.
struct LinkEnd {
  NodeId node = no_node;
  const SpokenLine& sealed;
  const SpokenLine& opened;
  Duration keepalive_interval, dead_peer_timeout;
  bool serves = false;
};

class Links {
 public:
  explicit Links(const Case& of) : of_(of), limits_(of.context().links) {}

  CheckResult judge() {
    if (limits_.keepalive_interval == Duration{}) return result_;
    for (const SeenArrival& each : of_.history().arrivals) {
      if (is_out(each) || each.answers == nullptr) continue;
      judge_server(each);
      if (!of_.context().clients.contains(each.peer) || is_hog(each)) continue;
      judge_end(each, {each.peer, *each.requests, *each.answers, limits_.client_keepalive_interval, limits_.client_dead_peer_timeout, false});
    }
    judge_peers();
    return result_;
  }

 private:
  void judge_server(const SeenArrival& arrival);
  void judge_end(const SeenArrival& arrival, const LinkEnd& end);
  void judge_silence(const SeenArrival& arrival, const LinkEnd& end, std::size_t part);
  void judge_speech(const SeenArrival& arrival, const LinkEnd& end, std::size_t part, Time sign);
  void judge_peers();
  // How long a peer was not read between the two, at most.
  [[nodiscard]] Duration rested(NodeId peer, Time from, Time to) const {
    Duration sum;
    for (const SeenRest& each : of_.history().rests) {
      if (each.peer == peer && each.from < to && from < each.until) sum = sum + (std::min(to, each.until) - std::max(from, each.from));
    }
    return sum;
  }
  // A local door has limits of its own and neither keepalives nor ages.
  [[nodiscard]] static bool is_out(const SeenArrival& arrival) { return arrival.is_local || arrival.requests == nullptr; }
  // Some other program with a client's key (session_hog.h): the library says HELLO alone and waits for its answer.
  [[nodiscard]] static bool is_hog(const SeenArrival& arrival) {
    const SpokenLine& line = *arrival.requests;
    if (line.parts.empty() || line.parts.front().end < limits::frame_header_size) return false;
    return limits::frame_header_size + load_frame_header(line.text).body_size < line.parts.front().end;
  }
  [[nodiscard]] Place last_place(const SeenArrival& arrival) const;
  void fail(const SeenArrival& arrival, NodeId node, const std::string& what, Time at) {
    result_.fail("node " + std::to_string(node) + ": connection " + std::to_string(arrival.connection) + " at entry " +
                 std::to_string(arrival.at) + ": " + what + ", at " + std::to_string(at.ns / 1'000'000) + " ms");
  }

  const Case& of_;
  const LinkTimes& limits_;
  CheckResult result_{"links", 0, {}};
};

void Links::judge_server(const SeenArrival& arrival) {
  judge_end(arrival, {of_.server(), *arrival.answers, *arrival.requests, limits_.keepalive_interval, limits_.dead_peer_timeout, true});
  if (arrival.requests->opened_count == 0 || arrival.answers->parts.empty()) return;
  // HELLO was answered by then; before, another time runs.
  const Time begin = std::max(arrival.time, arrival.answers->parts.front().sealed_time);
  const Time last = arrival.requests->parts[arrival.requests->opened_count - 1].opened_time;
  if (last <= begin + late_by(limits_.connection_age_max) + of_.context().standstill(of_.server(), begin, last)) return;
  fail(arrival, of_.server(), "read from a peer beyond the age of a connection", last);
}

void Links::judge_end(const SeenArrival& arrival, const LinkEnd& end) {
  Time sign = arrival.time;  // of life, or the last moment before which reading may have waited for room
  Time taken;  // what was answered last
  std::size_t heard = 0;
  for (std::size_t i = 0; i < end.sealed.parts.size(); ++i) {
    const SpokenPart& part = end.sealed.parts[i];
    for (; heard < end.opened.opened_count && end.opened.parts[heard].opened_time <= part.sealed_time; ++heard) {
      sign = std::max(sign, end.opened.parts[heard].opened_time);
    }
    // Where an answer of its own keeps a server from reading, a peer that takes it is alive.
    if (end.serves) sign = std::max(sign, std::min(taken, part.sealed_time));
    ++result_.judged;
    judge_silence(arrival, end, i);
    judge_speech(arrival, end, i, sign);
    if (!end.serves || end.sealed.is_keepalive(i)) continue;
    sign = part.sealed_time;
    if (part.opened != no_place) taken = std::max(taken, part.opened_time);
  }
}

// After a record the next one is sealed in time, if only as a keepalive: where something is opened later, it is late.
void Links::judge_silence(const SeenArrival& arrival, const LinkEnd& end, std::size_t part) {
  if (end.opened.opened_count == 0) return;
  const SpokenPart& said = end.sealed.parts[part];
  Time begin = said.sealed_time;
  if (end.serves) {
    if (said.opened == no_place) return;  // it may not have been taken
    begin = std::max(begin, Time{said.opened_time.ns - early_by(end.keepalive_interval).ns});
  } else {
    // Its first record with something in it is the answer to HELLO.
    std::size_t hello = 0;
    while (hello < end.opened.opened_count && end.opened.is_keepalive(hello)) ++hello;
    if (hello == end.opened.opened_count) return;
    begin = std::max(begin, end.opened.parts[hello].opened_time);
  }
  const Time due = begin + late_by(end.keepalive_interval);
  const auto first = end.opened.parts.begin(), last = first + static_cast<std::ptrdiff_t>(end.opened.opened_count);
  const auto next = std::upper_bound(first, last, due, [](Time time, const SpokenPart& each) { return time < each.opened_time; });
  if (next == last || next->opened_time <= due + of_.context().standstill(end.node, begin, next->opened_time)) return;
  // What a client has sealed waits where the server does not read it, and is a sign of life once it is read.
  if (!end.serves && next->opened_time <= due + rested(arrival.peer, begin, next->opened_time)) return;
  const bool spoke = part + 1 < end.sealed.parts.size() && end.sealed.parts[part + 1].sealed_time < next->opened_time;
  if (spoke) return;
  fail(arrival, end.node, "was silent and sent no keepalive", next->opened_time);
}

void Links::judge_speech(const SeenArrival& arrival, const LinkEnd& end, std::size_t part, Time sign) {
  const Time now = end.sealed.parts[part].sealed_time;
  const bool is_keepalive = end.sealed.is_keepalive(part);
  if (is_keepalive && part > 0 && now + link_slack < end.sealed.parts[part - 1].sealed_time + early_by(end.keepalive_interval)) {
    fail(arrival, end.node, "sealed a keepalive that was not due", now);
  }
  if ((end.serves && !is_keepalive) || now <= sign + late_by(end.dead_peer_timeout) + of_.context().standstill(end.node, sign, now)) return;
  if (end.serves && now <= sign + late_by(end.dead_peer_timeout) + rested(arrival.peer, sign, now)) return;
  fail(arrival, end.node, "still speaks to one that was silent too long", now);
}

// Of a peer that was let in: the last that the server opened or sealed.
Place Links::last_place(const SeenArrival& arrival) const {
  Place last = arrival.last_said == no_place ? arrival.at : arrival.last_said;
  if (arrival.requests->opened_count > 0) last = std::max(last, arrival.requests->parts[arrival.requests->opened_count - 1].opened);
  return last;
}

void Links::judge_peers() {
  const Grounds grounds(of_);
  std::map<std::pair<Place, NodeId>, std::vector<const SeenArrival*>> known, let_in;
  for (const SeenArrival& each : of_.history().arrivals) {
    const std::pair name{grounds.up_since(each.at), each.peer};
    if (each.is_local || each.requests != nullptr) known[name].push_back(&each);
    if (is_out(each) || (!each.is_heard && each.last_said == no_place)) continue;
    ++result_.judged;
    auto& before = let_in[name];
    std::erase_if(before, [&](const SeenArrival* other) { return last_place(*other) <= each.at + 1; });
    if (before.size() >= limits_.connections_per_peer_max) fail(each, of_.server(), "let in beyond the limit of its peer", each.time);
    before.push_back(&each);
  }
  // Both doors record a refusal by the limit of a peer alike.
  std::map<Place, std::uint64_t> refused, refusable;
  for (const auto& [name, arrivals] : known) {
    const std::uint64_t most = of_.context().locals.contains(name.second) ? limits_.local_connections_per_uid_max : limits_.connections_per_peer_max;
    refusable[name.first] += arrivals.size() - std::min<std::uint64_t>(arrivals.size(), most);
  }
  for (const SeenAppend& each : of_.history().appends) {
    const bool is_limit = each.record.kind == AuditKind::handshakes && each.record.op == static_cast<std::uint8_t>(HandshakeFailure::peer_limit);
    if (is_limit) refused[grounds.up_since(each.at)] += each.record.count;
  }
  for (const auto& [life, count] : refused) {
    if (count > refusable[life]) result_.fail("node " + std::to_string(of_.server()) + ": more refused by the limit of a peer than came beyond it");
  }
}

}  // namespace

CheckResult check_links(const Case& of) { return Links(of).judge(); }

}  // namespace statefs::sim
