#include <map>
#include <set>
#include <tuple>

#include "sim/checks.h"
#include "sim/grounds.h"

namespace statefs::sim {
namespace {

// Of ops that there are not all have one number.
Op counted_op(std::uint8_t op) {
  const bool is_known = (op >= 1 && op <= 5) || (op >= 16 && op <= 21);
  return static_cast<Op>(is_known ? op : 0);
}

// A refusal that makes no record of its own. What can be had by asking again (no room, a failed store) is none, but for the
// verbs of sessions, and beyond a rate for them neither.
bool is_counted(const SeenExchange& exchange) {
  const Status status = exchange.answer.status;
  if (status == Status::malformed || status == Status::unsupported) return true;
  if (std::holds_alternative<SessionResponse>(exchange.answer.body)) return status != Status::ok && status != Status::overloaded;
  const bool is_chunk = std::holds_alternative<StageResponse>(exchange.answer.body);
  if (is_chunk && status == Status::value_too_large) return true;
  if (is_chunk || std::holds_alternative<GetResponse>(exchange.answer.body) || std::holds_alternative<ListResponse>(exchange.answer.body)) {
    return status == Status::access_denied || status == Status::invalid_key || status == Status::key_too_long;
  }
  const auto* const mutation = std::get_if<MutationResponse>(&exchange.answer.body);
  const bool is_of_slot = status == Status::session_unknown || status == Status::fenced || status == Status::sequence_gap ||
                          status == Status::sequence_old || status == Status::false_retry || status == Status::in_progress;
  return mutation != nullptr && mutation->index == 0 && is_of_slot;
}

// Numbers are in memory until they are recorded, at the latest with the answer that tells of the last of them; a server that
// goes down while its log is full takes them along. So each life of a server is counted for itself.
class Counted {
 public:
  explicit Counted(const Case& of) : of_(of), grounds_(of) {}

  CheckResult judge() {
    if (of_.history().arrivals.empty()) return result_;
    take_records();
    judge_refusals();
    judge_damage();
    judge_handshakes();
    return result_;
  }

 private:
  using Name = std::tuple<Place, NodeId, Op, Status>;  // the life of the server, who, what
  using Numbers = std::vector<std::pair<Place, std::uint64_t>>;
  using Cause = std::pair<Place, HandshakeFailure>;
  // How often, and where the last time.
  struct Sum {
    std::uint64_t count = 0;
    Place last = no_place;
    void add(std::uint64_t more, Place at) {
      count += more;
      last = at;
    }
  };

  [[nodiscard]] Place life_of(Place place) const { return grounds_.up_since(place); }
  [[nodiscard]] bool had_room(Place from, Place to) const {
    return !grounds_.failed_by(to) && grounds_.log_free_least(from, to) >= Grounds::room_for_count;
  }
  [[nodiscard]] std::uint64_t recorded(const Name& name, Place until) const;
  void take_records();
  void judge_refusals();
  void judge_excess(const std::map<Name, std::uint64_t>& answered);
  void judge_damage();
  void judge_handshakes();
  [[nodiscard]] bool is_up_at_end() const;

  const Case& of_;
  Grounds grounds_;
  std::map<Name, Numbers> refusals_;
  std::map<std::pair<Place, NodeId>, std::uint64_t> damage_;
  std::map<Cause, Sum> handshakes_;
  CheckResult result_{"counted", 0, {}};
};

void Counted::take_records() {
  for (const SeenAppend& append : of_.history().appends) {
    const AuditRecord& record = append.record;
    const Place life = life_of(append.at);
    const NodeId peer = of_.node_of(record.peer);
    if (record.kind == AuditKind::refusals) refusals_[{life, peer, static_cast<Op>(record.op), record.status}].push_back({append.at, record.count});
    if (record.kind == AuditKind::damaged) damage_[{life, peer}] += record.count;
    if (record.kind == AuditKind::handshakes) handshakes_[{life, static_cast<HandshakeFailure>(record.op)}].add(record.count, append.at);
  }
}

std::uint64_t Counted::recorded(const Name& name, Place until) const {
  const auto found = refusals_.find(name);
  std::uint64_t sum = 0;
  if (found == refusals_.end()) return sum;
  for (const auto& [place, count] : found->second) sum += place <= until ? count : 0;
  return sum;
}

void Counted::judge_refusals() {
  std::vector<const SeenExchange*> refused;
  for (const SeenExchange& each : of_.history().exchanges) {
    if (each.is_answered() && each.is_readable && is_counted(each)) refused.push_back(&each);
  }
  std::sort(refused.begin(), refused.end(), [](const SeenExchange* a, const SeenExchange* b) { return a->answered < b->answered; });
  std::map<Name, std::uint64_t> answered;
  for (std::size_t i = 0; i < refused.size(); ++i) {
    const SeenExchange& each = *refused[i];
    const Name name{life_of(each.answered), each.peer, counted_op(each.op), each.answer.status};
    const std::uint64_t count = ++answered[name];
    ++result_.judged;
    // The last of those that were answered together stands for all of them.
    const bool is_last = i + 1 == refused.size() || refused[i + 1]->answered != each.answered;
    if (!is_last && refused[i + 1]->peer == each.peer && refused[i + 1]->op == each.op) continue;
    if (recorded(name, each.answered) >= count || !had_room(each.asked, each.answered)) continue;
    result_.fail("node " + std::to_string(each.peer) + " op " + std::to_string(each.op) + ": " + std::to_string(count) + " times answered " +
                 std::string(statefs::name_of(each.answer.status)) + " by entry " + std::to_string(each.answered) + ", recorded " +
                 std::to_string(recorded(name, each.answered)) + " times");
  }
  judge_excess(answered);
  const Place end = of_.history().end;
  if (!is_up_at_end() || !had_room(end, end)) return;
  for (const auto& [name, count] : answered) {
    if (std::get<0>(name) != life_of(end) || recorded(name, no_place) >= count) continue;
    result_.fail("node " + std::to_string(std::get<1>(name)) + behind(end - 1) + ": " + std::to_string(count) + " times " +
                 std::string(statefs::name_of(std::get<3>(name))) + " answered, recorded in the end " +
                 std::to_string(recorded(name, no_place)) + " times");
  }
}

// What was asked and never answered may have been refused all the same.
void Counted::judge_excess(const std::map<Name, std::uint64_t>& answered) {
  std::map<std::tuple<Place, NodeId, Op>, std::uint64_t> unanswered, excess;
  for (const SeenExchange& each : of_.history().exchanges) {
    if (!each.is_answered()) ++unanswered[{life_of(each.asked), each.peer, counted_op(each.op)}];
  }
  for (const auto& [name, numbers] : refusals_) {
    const auto& [life, peer, op, status] = name;
    const auto said = answered.find(name);
    const std::uint64_t count = said == answered.end() ? 0 : said->second;
    const std::uint64_t written = recorded(name, no_place);
    std::uint64_t& more = excess[{life, peer, op}];
    more += written - std::min(written, count);
    ++result_.judged;
    if (more > unanswered[{life, peer, op}]) {
      result_.fail("node " + std::to_string(peer) + " op " + std::to_string(static_cast<unsigned>(op)) + behind(numbers.back().first) +
                   ": " + std::to_string(written) + " times " + std::string(statefs::name_of(status)) + " recorded, " +
                   std::to_string(count) + " times answered");
    }
  }
}

void Counted::judge_damage() {
  std::map<std::pair<Place, NodeId>, std::uint64_t> done;
  std::map<std::pair<Place, NodeId>, Place> first;
  for (const SeenArrival& each : of_.history().arrivals) {
    if (each.refused == no_place) continue;
    const std::pair name{life_of(each.refused), each.peer};
    ++done[name];
    first.emplace(name, each.refused);
  }
  for (const auto& [name, count] : done) {
    ++result_.judged;
    Place until = of_.history().end;
    for (const SeenEvent& event : of_.history().events) {
      if (event.kind == TraceKind::node_down && event.node == of_.server() && event.at > name.first) until = std::min(until, event.at);
    }
    if (damage_[name] >= count || !had_room(first[name], until)) continue;
    result_.fail("node " + std::to_string(name.second) + behind(first[name]) + ": " + std::to_string(count) +
                 " records did not authenticate, damage recorded " + std::to_string(damage_[name]) + " times");
  }
}

bool Counted::is_up_at_end() const {
  bool is_calm = false, is_up = true;
  for (const SeenEvent& event : of_.history().events) {
    is_calm |= event.kind == TraceKind::calm;
    if (event.node != of_.server()) continue;
    if (event.kind == TraceKind::node_down) is_up = false;
    if (event.kind == TraceKind::node_up) is_up = true;
  }
  return is_calm && is_up && !grounds_.failed_by(of_.history().end);
}

// Those are recorded a while later, so only the last life of a server can be asked for them.
void Counted::judge_handshakes() {
  std::map<Place, Sum> strangers, unnamed, turned_away, bad, timed_out;
  for (const SeenArrival& each : of_.history().arrivals) {
    const bool is_nobody = each.peer == no_node || of_.context().strangers.contains(each.peer);
    const bool is_strange = is_nobody || !is_enrolled(of_.policy_at(each.at), each.peer);
    if (is_strange) (each.is_local ? unnamed : strangers)[life_of(each.at)].add(1, each.at);
    else if (!each.is_heard && each.last_said == no_place) turned_away[life_of(each.at)].add(1, each.at);
  }
  for (const SeenRefusal& each : of_.context().refusals) {
    if (each.node == of_.server() && each.is_handshake) bad[life_of(each.at)].add(1, each.at);
  }
  const auto more = [&](const Cause& cause, HandshakeFailure why, std::map<Place, Sum>& came, const char* who) {
    const Sum& told = handshakes_[cause];
    if (cause.second != why || told.count <= came[cause.first].count) return;
    result_.fail("more " + std::string(who) + " recorded than came" + behind(told.last));
  };
  for (const auto& [cause, sum] : handshakes_) {
    ++result_.judged;
    more(cause, HandshakeFailure::not_enrolled, strangers, "strangers");
    more(cause, HandshakeFailure::unnamed_uid, unnamed, "unnamed uids");
    more(cause, HandshakeFailure::peer_limit, turned_away, "peers over their limit");
  }
  if (!is_up_at_end()) return;
  const Place life = life_of(of_.history().end);
  ++result_.judged;
  const auto fewer = [&](HandshakeFailure why, std::map<Place, Sum>& came, const char* who) {
    if (handshakes_[{life, why}].count >= came[life].count) return;
    result_.fail("fewer " + std::string(who) + " recorded than came" + behind(came[life].last));
  };
  fewer(HandshakeFailure::not_enrolled, strangers, "strangers");
  fewer(HandshakeFailure::unnamed_uid, unnamed, "unnamed uids");
  fewer(HandshakeFailure::bad_message, bad, "bad handshakes");
  for (const SeenLoad& each : of_.history().loads) {
    if (each.node == of_.server()) timed_out[life].add(each.timed_out, of_.history().end);
  }
  fewer(HandshakeFailure::timed_out, timed_out, "handshakes that timed out");
}

}  // namespace

CheckResult check_counted(const Case& of) { return Counted(of).judge(); }

}  // namespace statefs::sim
