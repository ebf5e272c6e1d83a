#include "sim/exhaust.h"

#include <utility>

#include "sim/episode.h"

namespace statefs::sim {
namespace {

// What is the same in two end states that differ in times alone: no clock and no hash over one goes in.
class State {
 public:
  void add(std::uint64_t word) { value_ = mix(value_ ^ word); }
  void add(ByteView bytes) { add(hash_bytes(bytes)); }
  void add(std::string_view text) { add(as_bytes(text)); }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

void add_answers(State& state, const History& history) {
  for (const SeenCall& call : history.calls) {
    state.add(call.node);
    state.add(call.completed == no_place ? ~0ull : static_cast<std::uint64_t>(call.result));
    state.add(static_cast<std::uint64_t>(call.status));
    state.add(call.index);
    state.add(call.revision);
    state.add(call.data);
    state.add(call.durable_index);
    for (const SeenEntry& entry : call.entries) state.add(entry.key);
  }
  for (const SeenLostWrite& lost : history.lost_writes) {
    state.add(lost.call);
    state.add(lost.certain ? 1 : 2);
  }
}

void add_audit(State& state, const History& history) {
  for (const SeenExport& each : history.exports) {
    state.add(each.index);
    state.add(static_cast<std::uint64_t>(each.record.kind));
    state.add(static_cast<std::uint64_t>(each.record.op));
    state.add(static_cast<std::uint64_t>(each.record.status));
    state.add(each.record.key);
    state.add(each.record.new_revision);
  }
}

void add_stores(State& state, const Cast& cast) {
  for (ServerProgram* const server : cast.servers) {
    if (!server->serves()) continue;
    const MachineStore& store = server->store();
    std::string after;
    for (auto entry = store.next(after, true); entry; entry = store.next(after, false)) {
      after = entry->key;
      state.add(after);
      state.add(entry->revision);
      state.add(entry->size);
    }
  }
}

class Enumeration {
 public:
  Enumeration(const SmallWorld& world, const ExhaustOptions& options, ExhaustReport& report)
      : world_(world), options_(options), report_(report) {}

  // `order` goes on over the worlds of a script. False: a schedule failed.
  bool run(std::uint64_t& order) {
    Plan plan = world_.plan;
    const bool mine = options_.part == 0;
    const std::vector<std::uint64_t> points = play(plan, mine, order);
    if (!report_.failures.empty()) return false;
    if (options_.faults_max == 0) return true;
    for (const std::uint64_t point : points) {
      for (std::size_t fault = 0; fault < world_.faults.size(); ++fault) {
        if (++order % options_.part_count != options_.part) continue;
        if (!with_first(fault, point, order)) return false;
      }
    }
    return true;
  }

 private:
  bool with_first(std::size_t first, std::uint64_t at, std::uint64_t order) {
    Plan plan = world_.plan;
    place(plan, first, at);
    const std::vector<std::uint64_t> points = play(plan, true, order);
    if (!report_.failures.empty() || options_.faults_max < 2) return report_.failures.empty();
    for (const std::uint64_t point : points) {
      if (point < at) continue;
      for (std::size_t second = 0; second < world_.faults.size(); ++second) {
        if (point == at && second == first) continue;
        place(plan, second, point);
        (void)play(plan, true, order);
        if (!report_.failures.empty()) return false;
        plan.incidents.pop_back();
      }
    }
    return true;
  }

  void place(Plan& plan, std::size_t fault, std::uint64_t event) const {
    Incident incident = world_.faults[fault];
    incident.at = {};
    incident.event = event;
    plan.incidents.push_back(incident);
  }

  // Runs it and says where a fault may be placed in it. What another part counts is run for that alone.
  std::vector<std::uint64_t> play(const Plan& plan, bool counted, std::uint64_t order) {
    if (options_.before_each) options_.before_each(plan, order);
    std::vector<std::uint64_t> points;
    Episode episode(plan, nullptr);
    episode.record_points(&points);
    episode.work();
    episode.calm();
    episode.stop();
    if (counted) judge(plan, episode, order);
    return points;
  }

  void judge(const Plan& plan, Episode& episode, std::uint64_t order) {
    ++report_.schedules;
    History history = episode.history();
    if (options_.lie) options_.lie(history);
    for (const CheckResult& each : episode.judge(history)) {
      if (each.failure.empty()) continue;
      report_.failures.push_back({order, print(plan), std::string(each.name), each.failure});
      return;
    }
    State state;
    add_answers(state, history);
    add_audit(state, history);
    add_stores(state, episode.cast());
    report_.states.insert(state.value());
  }

  const SmallWorld& world_;
  const ExhaustOptions& options_;
  ExhaustReport& report_;
};

}  // namespace

ExhaustReport exhaust(const ExhaustScript& script, const ExhaustOptions& options) {
  ExhaustReport report;
  std::uint64_t order = 0;
  for (const SmallWorld& world : script.worlds) {
    if (!Enumeration(world, options, report).run(order)) break;
  }
  return report;
}

}  // namespace statefs::sim
