#include <array>
#include <map>
#include <vector>

#include "core/limits.h"
#include "sim/checks.h"

namespace statefs::sim {
namespace {

struct Session {
  std::uint32_t generation = 0;
  bool ended = false;
  std::array<std::uint64_t, limits::slots_per_session> sequences{};
};

// The sessions as the records tell them, with what a crash takes back.
class Sessions {
 public:
  explicit Sessions(const Case& of) : of_(of) {}

  CheckResult judge() {
    const History& history = of_.history();
    auto event = history.events.begin();
    for (const SeenAppend& append : history.appends) {
      for (; event != history.events.end() && event->at < append.at; ++event) {
        if (event->kind == TraceKind::store_lost && event->node == of_.server()) take_back(event->argument);
      }
      const std::string what = take(append);
      if (!what.empty()) result_.fail(place_of(append) + ": " + what);
    }
    return result_;
  }

 private:
  using Name = std::pair<PublicKey, std::uint64_t>;  // peer, number
  struct Change {
    std::uint64_t index = 0;
    Name name;
    std::optional<Session> before;
  };

  [[nodiscard]] std::string take(const SeenAppend& append);
  [[nodiscard]] std::string take_use(const SlotRef& at, Session& session) const;
  [[nodiscard]] std::string take_event(const SeenAppend& append, Session& session) const;
  void take_back(std::uint64_t kept_index);

  const Case& of_;
  std::map<Name, Session> sessions_;
  std::vector<Change> changes_;
  CheckResult result_{"sessions", 0, {}};
};

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
  const Name name{record.peer.key, record.at.session};
  const auto found = sessions_.find(name);
  changes_.push_back({append.index, name, found == sessions_.end() ? std::nullopt : std::optional(found->second)});
  if (is_event && record.kind == AuditKind::session && record.op == static_cast<std::uint8_t>(Op::open)) {
    if (record.at.session != append.index) return "opens a session under another number";
    if (found != sessions_.end()) return "opens a session again";
    sessions_[name].generation = record.at.generation;
    return {};
  }
  if (found == sessions_.end()) return "of a session that was not opened";
  if (found->second.ended) return "of a session that has ended";
  return is_event ? take_event(append, found->second) : take_use(record.at, found->second);
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
