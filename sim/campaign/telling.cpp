#include "sim/campaign/telling.h"

#include "sim/campaign/scenario.h"
#include "sim/perfetto.h"
#include "sim/report.h"

namespace statefs::sim {
std::string write_files(const Telling& telling, const Story& story) {
  std::string problem;
  if (!telling.report_path.empty()) problem = write_file(telling.report_path, render_report(story));
  if (!telling.trace_path.empty() && problem.empty()) problem = write_file(telling.trace_path, render_trace(story));
  return problem;
}

}  // namespace statefs::sim
