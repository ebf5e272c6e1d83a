// Makes the pages and trace files that the browser test opens: `browser_samples FOLDER`.
#include <algorithm>
#include <cstdio>
#include <string>

#include "sim/perfetto.h"
#include "sim/report.h"
#include "sim/run.h"
#include "tests/sim/told_run.h"

namespace statefs::sim {
namespace {

bool save(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && written;
}

// Names the run as `statefs-sim` does, and makes out that a GET that outlived the crash read what was never there.
void judge(ToldRun& run) {
  const History history = history_of(run.trace());
  const auto& entries = run.trace().entries();
  const auto up = std::find_if(entries.begin(), entries.end(), [](const TraceEntry& entry) { return entry.kind == TraceKind::node_up; });
  const auto restarted = static_cast<Place>(up - entries.begin());
  CheckResult order{"linearizable", history.calls.size(), {}};
  for (const SeenCall& call : history.calls) {
    if (call.op != Op::get || !call.answered() || call.status != Status::ok || call.completed < restarted) continue;
    order.failure = "entry " + std::to_string(call.completed) + ' ' + printable(call.key) + ": read what was there at no moment of the call";
    break;
  }
  run.checks = {{"completed", history.calls.size(), {}}, {"audit", history.appends.size(), {}}, order};
  RunReport report;
  report.operations = history.calls.size();
  report.simulated = run.world.now();
  report.digest = run.world.schedule().digest();
  report.checks = run.checks;
  run.verdict_line = verdict_line(run.world.seed(), report);
}

Faults faults() {
  Faults faults;
  faults.link.latency = milliseconds(2);
  faults.link.jitter = milliseconds(3);
  faults.stream.cuts = {3, 1, 1, 1};
  faults.cut_per_write = {1, 30};
  return faults;
}

// Five clients, a hostile key, streams that are cut, and a server that crashes with what was not durable.
Story failing() {
  ToldRun run(42, faults(), 5, milliseconds(50));
  (void)run.put("/state/shared/</script><img src=x onerror=\"document.title='owned'\">", "<b>bold</b>");
  WorkloadOptions options;
  options.operation_count = 40;
  options.pause_max = milliseconds(20);
  run.start_workloads(4, options);
  run.world.run_until(run.world.now() + milliseconds(380));
  run.server->crash(1);
  run.world.run_until(run.world.now() + milliseconds(60));
  run.server->restart();
  STATEFS_CHECK(run.finish_workloads());
  judge(run);
  return run.tell();
}

}  // namespace
}  // namespace statefs::sim

int main(int argc, char** argv) {
  using namespace statefs::sim;
  if (argc != 2) {
    std::fprintf(stderr, "usage: browser_samples FOLDER\n");
    return 2;
  }
  const std::string folder = std::string(argv[1]) + "/";
  const Story story = failing();
  const bool saved = save(folder + "failing.html", render_report(story)) && save(folder + "failing.json", render_trace(story));
  return saved ? 0 : 1;
}
