#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <vector>

#include "core/limits.h"
#include "sim/checks.h"

namespace statefs::sim {
namespace {

struct Session {
  std::uint32_t generation = 0;
  std::uint64_t used = 0;   // the last record that concerns it
  std::uint64_t joined = 0; // its last opening or resumption
  bool ended = false;
  std::array<std::uint64_t, limits::slots_per_session> sequences{};
};

// The sessions as the records tell them, with what a crash takes back.
class Sessions {
 public:
  explicit Sessions(const Case& of) : of_(of) { note_use(); }

  CheckResult judge() {
    const History& history = of_.history();
    auto event = history.events.begin();
    for (const SeenAppend& append : history.appends) {
      for (; event != history.events.end() && event->at < append.at; ++event) {
        if (event->kind == TraceKind::store_lost && event->node == of_.server()) take_back(event->argument);
      }
      std::string what = append.record.kind == AuditKind::eviction ? eviction_objection(append) : "";
      if (what.empty()) what = take(append);
      if (!what.empty()) result_.fail(place_of(append) + ": " + what);
    }
    return result_;
  }

 private:
  using Name = std::pair<Owner, std::uint64_t>;  // whose, number
  struct Change {
    std::uint64_t index = 0;
    Name name;
    std::optional<Session> before;
  };

  void note_use();
  [[nodiscard]] std::string take(const SeenAppend& append);
  [[nodiscard]] std::string eviction_objection(const SeenAppend& append) const;
  [[nodiscard]] std::string take_use(const SlotRef& at, Session& session) const;
  [[nodiscard]] std::string take_event(const SeenAppend& append, Session& session) const;
  void take_back(std::uint64_t kept_index);

  const Case& of_;
  std::map<std::tuple<NodeId, std::uint64_t, std::uint32_t>, std::uint32_t> joined_from_;  // by session and generation: the connection
  std::map<std::uint32_t, Place> last_asked_;                                             // by connection
  std::map<Name, Session> sessions_;
  std::vector<Change> changes_;
  CheckResult result_{"sessions", 0, {}};
};

// Where a session was opened or resumed from, and until when that connection was there at least.
void Sessions::note_use() {
  for (const SeenExchange& each : of_.history().exchanges) {
    if (each.form == SeenExchange::Form::none) continue;
    last_asked_[each.connection] = each.asked;
    const auto* const answer = each.is_answered() ? std::get_if<SessionResponse>(&each.answer.body) : nullptr;
    const bool joins = each.form == SeenExchange::Form::request && !std::holds_alternative<CloseRequest>(each.request.body);
    if (answer == nullptr || !joins || each.answer.status != Status::ok) continue;
    joined_from_[{each.peer, answer->session, answer->generation}] = each.connection;
  }
}

void Sessions::take_back(std::uint64_t kept_index) {
  for (; !changes_.empty() && changes_.back().index > kept_index; changes_.pop_back()) {
    const Change& last = changes_.back();
    if (last.before) sessions_[last.name] = *last.before;
    else sessions_.erase(last.name);
  }
}

std::string Sessions::take(const SeenAppend& append) {
  const AuditRecord& record = append.record;
  const bool is_event = record.kind == AuditKind::session || record.kind == AuditKind::eviction;
  if (!is_event && !append.is_mutation()) return {};
  ++result_.judged;
  const Name name{owner_of(record.peer), record.at.session};
  const auto found = sessions_.find(name);
  changes_.push_back({append.index, name, found == sessions_.end() ? std::nullopt : std::optional(found->second)});
  if (is_event && record.kind == AuditKind::session && record.op == static_cast<std::uint8_t>(Op::open)) {
    if (record.at.session != append.index) return "opens a session under another number";
    if (found != sessions_.end()) return "opens a session again";
    sessions_[name].generation = record.at.generation;
    sessions_[name].used = sessions_[name].joined = append.index;
    const auto is_live = [&](const auto& each) { return each.first.first == name.first && !each.second.ended; };
    const auto live = static_cast<std::uint64_t>(std::count_if(sessions_.begin(), sessions_.end(), is_live));
    return live <= of_.store().sessions_per_key ? "" : "more sessions than a key may have";
  }
  if (found == sessions_.end()) return "of a session that was not opened";
  if (found->second.ended) return "of a session that has ended";
  found->second.used = append.index;
  if (is_event && record.op == static_cast<std::uint8_t>(Op::resume)) found->second.joined = append.index;
  return is_event ? take_event(append, found->second) : take_use(record.at, found->second);
}

// Only where there is no room, and the least recently used of those without a connection. One that nobody joined since the
// server came up has none.
std::string Sessions::eviction_objection(const SeenAppend& append) const {
  const Owner owner = owner_of(append.record.peer);
  const auto victim = sessions_.find({owner, append.record.at.session});
  if (victim == sessions_.end() || victim->second.ended) return {};
  std::uint64_t live = 0;
  bool has_older = false;
  for (const auto& [name, session] : sessions_) {
    if (name.first != owner || session.ended) continue;
    ++live;
    const bool is_apart = session.joined >> 40 != append.index >> 40;
    has_older |= is_apart && session.used < victim->second.used;
  }
  if (live < of_.store().sessions_per_key) return "evicts though there is room";
  const auto from = joined_from_.find({of_.node_of(append.record.peer), append.record.at.session, victim->second.generation});
  if (from != joined_from_.end() && last_asked_.at(from->second) > append.at) return "evicts a session that has a connection";
  return has_older ? "evicts another than the least recently used" : "";
}

std::string Sessions::take_event(const SeenAppend& append, Session& session) const {
  const AuditRecord& record = append.record;
  if (record.kind == AuditKind::session && record.op == static_cast<std::uint8_t>(Op::resume)) {
    if (record.at.generation <= session.generation) return "a generation that goes back";
    session.generation = record.at.generation;
    return {};
  }
  if (record.kind == AuditKind::session && record.op != static_cast<std::uint8_t>(Op::close)) return "a session event that is none";
  session.ended = true;
  return record.at.generation == session.generation ? "" : "ends another generation";
}

std::string Sessions::take_use(const SlotRef& at, Session& session) const {
  if (at.generation != session.generation) return "of another generation";
  if (at.slot >= session.sequences.size()) return "of a slot that there is not";
  const std::uint64_t last = session.sequences[at.slot];
  session.sequences[at.slot] = at.sequence;
  return at.sequence == last + 1 ? "" : "sequence " + std::to_string(at.sequence) + " after " + std::to_string(last);
}

}  // namespace

CheckResult check_sessions(const Case& of) { return Sessions(of).judge(); }

}  // namespace statefs::sim
