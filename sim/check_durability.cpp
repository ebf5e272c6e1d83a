#include <algorithm>
#include <map>
#include <vector>

#include "sim/checks.h"
#include "sim/digest.h"
#include "sim/incident.h"
#include "sim/timeline.h"

namespace statefs::sim {
namespace {

class Durable {
 public:
  explicit Durable(const Case& of) : of_(of) {}

  CheckResult judge() {
    judge_losses();
    judge_recovery();
    judge_refusals();
    judge_events();
    collect_told();
    for (const SeenCall& call : of_.history().calls) {
      if (!call.answered()) continue;
      judge_heads(call);
      if (of_.durability() == Durability::commit) judge_commit(call);
      if (call.op == Op::sync && call.status == Status::ok) judge_sync(call);
    }
    return result_;
  }

 private:
  struct Told {
    std::vector<std::pair<Place, std::uint64_t>> highest;          // that no crash took back
    std::vector<std::pair<const SeenCall*, std::uint64_t>> lost;
  };
  void judge_losses();
  void judge_recovery();
  void judge_refusals();
  void collect_told();
  void judge_events();
  void judge_heads(const SeenCall& call);
  void judge_commit(const SeenCall& call);
  void judge_sync(const SeenCall& sync);
  [[nodiscard]] std::uint64_t durable_at(Place place) const;
  [[nodiscard]] Place lost_at(std::uint64_t index) const;
  // By a crash: where its disk lost it is for another check.
  [[nodiscard]] bool is_lost(std::uint64_t index) const { return lost_at(index) != no_place && !of_.is_rollback(lost_at(index)); }
  [[nodiscard]] bool was_reported(const SeenCall& call, Place before) const;
  // Each index that an answer names.
  template <typename Take>
  static void each_index(const SeenCall& call, Take take) {
    take(call.index);
    take(call.revision);
    for (const SeenEntry& entry : call.entries) take(entry.revision);
  }

  const Case& of_;
  std::vector<std::pair<Place, std::uint64_t>> durable_;  // what was durable from there on
  std::map<std::pair<NodeId, std::uint64_t>, Told> told_;  // by client and its incarnation
  CheckResult result_{"durability", 0, {}};
};

void Durable::judge_losses() {
  std::uint64_t durable = 0;
  for (const SeenEvent& event : of_.history().events) {
    if (event.node != of_.server()) continue;
    if (event.kind == TraceKind::durable) {
      if (event.argument < durable) result_.fail("entry " + std::to_string(event.at) + ": what is durable goes back");
      durable = event.argument;
      durable_.push_back({event.at, durable});
    } else if (event.kind == TraceKind::store_lost) {
      ++result_.judged;
      if (event.argument < durable && !of_.is_rollback(event.at)) {
        result_.fail("entry " + std::to_string(event.at) + ": a crash left " + std::to_string(event.argument) + " of durable " +
                     std::to_string(durable));
      }
      durable = std::min(durable, event.argument);
    }
  }
}

// A store that comes back has of each key what the log says as of then, and nothing else.
void Durable::judge_recovery() {
  const Timeline timeline(of_);
  for (const SeenEvent& event : of_.history().events) {
    if (event.node != of_.server() || event.kind != TraceKind::recovered) continue;
    ++result_.judged;
    std::map<std::string_view, std::pair<std::uint64_t, std::uint64_t>> there;  // revision, hash of the value
    for (Reader reader(event.payload); !reader.rest().empty();) {
      const std::string_view key = as_text(reader.take(reader.u16()));
      const std::uint64_t revision = reader.u64();
      there[key] = {revision, reader.u64()};
      if (!reader.ok()) return result_.fail("entry " + std::to_string(event.at) + ": unreadable");
    }
    std::size_t count = 0;
    for (const auto& [key, versions] : timeline.keys()) {
      const Version version = Timeline::at(versions, event.at);
      if (version.revision == 0) continue;
      ++count;
      const auto found = there.find(key);
      const bool same = found != there.end() && found->second == std::pair(version.revision, hash_bytes(version.value));
      if (!same) result_.fail("entry " + std::to_string(event.at) + ": recovered without revision " + std::to_string(version.revision));
    }
    if (count != there.size()) result_.fail("entry " + std::to_string(event.at) + ": recovered what the log does not say");
  }
}

bool damages(std::string_view incident) {
  return incident == name_of(IncidentKind::disk_rot) || incident == name_of(IncidentKind::disk_misdirect);
}

// A store is refused only where its disk was damaged, and serves nothing then, unless another copy of the disk is put in.
void Durable::judge_refusals() {
  bool is_damaged = false, is_swapped = false;
  std::vector<std::pair<Place, Place>> refused;  // from, until
  for (const SeenEvent& event : of_.history().events) {
    if (event.node != of_.server()) continue;
    const std::string_view incident = event.kind == TraceKind::fault ? as_text(event.payload) : std::string_view{};
    is_damaged |= damages(incident);
    is_swapped |= incident == name_of(IncidentKind::disk_swap);
    const bool is_refused = !refused.empty() && refused.back().second == no_place;
    if (event.kind == TraceKind::recovered && is_refused && is_swapped) refused.back().second = event.at;
    if (event.kind != TraceKind::store_refused) continue;
    ++result_.judged;
    is_swapped = false;
    if (!is_refused) refused.push_back({event.at, no_place});
    if (!is_damaged) result_.fail("entry " + std::to_string(event.at) + ": refused, and nothing damaged it");
  }
  for (const SeenExchange& each : of_.history().exchanges) {
    for (const auto& [from, until] : refused) {
      const bool is_bad = each.is_answered() && each.answered >= from && each.answered < until;
      if (is_bad) result_.fail("entry " + std::to_string(each.answered) + ": answered out of a damaged store");
    }
  }
}

// Session events are durable before they are answered, in both modes. A client uses a session, or a generation of it, only
// once it has that answer; one that is not watched may guess.
void Durable::judge_events() {
  std::map<std::tuple<Owner, std::uint64_t, std::uint32_t>, std::uint64_t> events;  // session, generation: index
  for (const SeenAppend& append : of_.history().appends) {
    const AuditRecord& record = append.record;
    if (record.kind == AuditKind::session) events[{owner_of(record.peer), record.at.session, record.at.generation}] = append.index;
    if (!append.is_mutation() || !of_.watched(of_.node_of(record.peer))) continue;
    const auto event = events.find({owner_of(record.peer), record.at.session, record.at.generation});
    if (event == events.end()) continue;
    ++result_.judged;
    if (event->second > durable_at(append.at)) result_.fail(place_of(append) + ": its session's last event is not durable");
  }
}

std::uint64_t Durable::durable_at(Place place) const {
  const auto after = std::upper_bound(durable_.begin(), durable_.end(), place, [](Place p, const auto& each) { return p < each.first; });
  return after == durable_.begin() ? 0 : (after - 1)->second;
}

Place Durable::lost_at(std::uint64_t index) const {
  const SeenAppend* const append = index == 0 ? nullptr : of_.append_of_index(index);
  return append == nullptr ? no_place : append->lost;
}

void Durable::judge_heads(const SeenCall& call) {
  const std::uint64_t told = std::max(call.head.index, call.durable_index);
  if (told == 0) return;
  ++result_.judged;
  if (told > durable_at(call.completed)) result_.fail(place_of(call) + ": told that " + std::to_string(told) + " is durable, which it is not");
  for (const std::uint64_t index : {call.head.index, call.durable_index}) {
    if (is_lost(index)) result_.fail(place_of(call) + ": told that " + std::to_string(index) + " is durable, and it was lost");
  }
}

void Durable::judge_commit(const SeenCall& call) {
  each_index(call, [&](std::uint64_t index) {
    if (index == 0) return;
    ++result_.judged;
    if (index > durable_at(call.completed)) result_.fail(place_of(call) + ": answered before " + std::to_string(index) + " was durable");
    if (is_lost(index)) result_.fail(place_of(call) + ": answered with " + std::to_string(index) + ", and it was lost");
  });
}

bool Durable::was_reported(const SeenCall& call, Place before) const {
  const auto& reports = of_.history().lost_writes;
  return std::any_of(reports.begin(), reports.end(),
                     [&](const SeenLostWrite& each) { return each.node == call.node && each.call == call.id && each.at < before; });
}

// What each client was told, in the order in which it was: the highest index so far, and what of it a crash took back.
void Durable::collect_told() {
  std::vector<const SeenCall*> answered;
  for (const SeenCall& call : of_.history().calls) {
    if (call.answered()) answered.push_back(&call);
  }
  std::sort(answered.begin(), answered.end(), [](const SeenCall* a, const SeenCall* b) { return a->completed < b->completed; });
  for (const SeenCall* const call : answered) {
    Told& told = told_[{call->node, incarnation_of(call->id)}];
    std::uint64_t highest = told.highest.empty() ? 0 : told.highest.back().second;
    each_index(*call, [&](std::uint64_t index) {
      if (lost_at(index) != no_place) told.lost.push_back({call, index});
      else highest = std::max(highest, index);
    });
    told.highest.push_back({call->completed, highest});
  }
}

// What its client was told before a SYNC that succeeds is durable; a write that was lost was reported before the SYNC was called.
void Durable::judge_sync(const SeenCall& sync) {
  ++result_.judged;
  const Told& told = told_[{sync.node, incarnation_of(sync.id)}];
  const auto after = std::upper_bound(told.highest.begin(), told.highest.end(), sync.called,
                                      [](Place p, const auto& each) { return p < each.first; });
  if (after != told.highest.begin() && (after - 1)->second > durable_at(sync.completed)) {
    result_.fail(place_of(sync) + ": OK before " + std::to_string((after - 1)->second) + " is durable");
  }
  for (const auto& [call, index] : told.lost) {
    if (call->completed > sync.called) break;
    const Place lost = lost_at(index);
    if (of_.is_rollback(lost)) continue;  // for another check
    const bool is_own = index == call->index && call->status == Status::ok;
    if (lost > sync.completed) {
      result_.fail(place_of(sync) + ": OK, and what it covers was lost: " + place_of(*call));
    } else if (is_own && !was_reported(*call, sync.called)) {
      result_.fail(place_of(sync) + ": OK, though a write that it covers was lost: " + place_of(*call));
    }
  }
}

}  // namespace

CheckResult check_durability(const Case& of) { return Durable(of).judge(); }

}  // namespace statefs::sim
