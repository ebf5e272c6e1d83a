#include "sim/run.h"

#include "sim/episode.h"

namespace statefs::sim {

bool RunReport::ok() const { return failed_check().empty(); }

std::string_view RunReport::failed_check() const {
  for (const CheckResult& each : checks) {
    if (!each.failure.empty()) return each.name;
  }
  return {};
}

RunReport run(const Plan& plan, const Watch& watch) {
  Episode episode(plan, watch.tap, watch.events_max == 0 ? events_max_default : watch.events_max);
  World& world = episode.world();
  world.schedule().record(watch.recorded);
  RunReport report;
  report.nodes = plan.node_count();
  episode.work();
  episode.calm();
  episode.stop();
  report.simulated = episode.worked_until();
  report.operations = episode.completed_count();
  report.reconnects = episode.reconnect_count();
  report.digest = world.schedule().digest();
  if (watch.events_max != 0 && episode.out_of_events()) return report;
  History history = episode.history();
  if (watch.lie) watch.lie(history);
  if (watch.repeats_nonce) episode.ciphers().repeat_last_use();
  report.checks = episode.judge(history);
  report.applied = world.network().counts();
  report.marks = world.marks();
  report.recorded = world.schedule().recorded();
  if (watch.afterwards) watch.afterwards(world, report);
  return report;
}

std::string verdict_line(std::uint64_t seed, const RunReport& report) {
  constexpr std::int64_t billion = 1'000'000'000;
  std::string fraction = std::to_string(billion + report.simulated.ns % billion).substr(1, 3);
  return "seed=" + std::to_string(seed) + " digest=" + hex16(report.digest.value()) + " operations=" + std::to_string(report.operations) +
         " simulated=" + std::to_string(report.simulated.ns / billion) + "." + fraction +
         " verdict=" + (report.ok() ? "ok" : "failed:" + std::string(report.failed_check()));
}

}  // namespace statefs::sim
