#include "sim/campaign/seed_run.h"

#include "sim/campaign/determinism.h"

namespace statefs::sim {
namespace {

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
  if (options.twice) {
    report.checks.push_back(check_determinism(report, [&plan](const EventRange& recorded) { return run(plan, {recorded, {}, nullptr, {}}); }));
  }
  SeedResult result = result_of(plan, report);
  if (options.without_faults) result.faults.clear();  // that none is applied is no news then
  if (!options.verbose) return result;
  result.notes = print(plan) + "\n";
  for (const CheckCount& each : result.checks) result.notes += each.name + " judged " + std::to_string(each.judged) + "\n";
  result.notes += "events " + std::to_string(report.digest.event_count()) + ", reconnects " + std::to_string(report.reconnects) + "\n";
  return result;
}

}  // namespace statefs::sim
