#include "sim/campaign/seed_run.h"

namespace statefs::sim {
namespace {

std::string text_of(const std::vector<EventMark>& marks, std::size_t at) {
  if (at >= marks.size()) return "none";
  const EventMark& mark = marks[at];
  return "time=" + std::to_string(mark.time.ns) + " node=" + std::to_string(mark.node) + " kind=" + std::to_string(mark.kind) +
         " payload=" + hex16(mark.payload) + " draws=" + std::to_string(mark.draws);
}

// Runs once more and compares; on a difference both runs come again with the events around it kept.
CheckResult run_again(const Plan& plan, const RunReport& first) {
  CheckResult result{"determinism", 1, {}};
  const auto range = first_difference(first.digest, run(plan).digest);
  if (!range) return result;
  const RunReport a = run(plan, {*range, {}, nullptr, {}});
  const RunReport b = run(plan, {*range, {}, nullptr, {}});
  std::size_t at = 0;
  while (at < a.recorded.size() && at < b.recorded.size() && a.recorded[at] == b.recorded[at]) ++at;
  result.failure = "two runs differ among events " + std::to_string(range->first) + " to " + std::to_string(range->last) + ", in event " +
                   std::to_string(range->first + at) + ": " + text_of(a.recorded, at) + " and " + text_of(b.recorded, at);
  return result;
}

RunReport run_told(const Plan& plan, const std::function<void(const Story&)>& tell) {
  Tap tap;
  const auto afterwards = [&](World& world, const RunReport& report) {
    tell(story_of({world.trace(), tap, report.checks, verdict_line(plan.seed, report), print(plan)}));
  };
  return run(plan, {{}, {}, &tap, afterwards});
}

Watch watch_of(const SeedRunOptions& options) {
  Watch watch;
  watch.events_max = options.events_max;
  return watch;
}

}  // namespace

SeedResult run_seed(std::uint64_t seed, const SeedRunOptions& options) { return run_plan(draw_plan(seed), options); }

SeedResult run_plan(const Plan& whole, const SeedRunOptions& options) {
  const Plan plan = options.without_faults ? without_faults(whole) : whole;
  RunReport report = options.tell ? run_told(plan, options.tell) : run(plan, watch_of(options));
  if (options.twice) report.checks.push_back(run_again(plan, report));
  SeedResult result = result_of(plan, report);
  if (options.without_faults) result.faults.clear();  // that none is applied is no news then
  if (!options.verbose) return result;
  result.notes = print(plan) + "\n";
  for (const CheckCount& each : result.checks) result.notes += each.name + " judged " + std::to_string(each.judged) + "\n";
  result.notes += "events " + std::to_string(report.digest.event_count()) + ", reconnects " + std::to_string(report.reconnects) + "\n";
  return result;
}

}  // namespace statefs::sim
