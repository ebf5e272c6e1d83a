#include "sim/checks.h"

namespace statefs::sim {
namespace {

std::string objection(const SeenLoad& load, const LoadLimits& limits) {
  if (load.connections > limits.connections_max) return "more connections than there may be";
  if (load.buffered_size > limits.buffered_size_max) return "holds more than its limits allow";
  if (load.staged_size > limits.staged_size_max) return "stages take more than their peers may have";
  if (load.staged_left != 0) return "staged bytes are left over";
  if (load.output_size > limits.output_size_max) return std::to_string(load.output_size) + " bytes wait to be sent on one connection";
  if (load.reads_when_full != 0) return "reads from one whose output is full";
  if (load.one_too_many != 0) return "lets in more connections or handshakes than there may be";
  if (load.one_too_few != 0) return "turns a connection away though there is room";
  if (load.overdue != 0) return "lets a handshake or a silent peer be beyond its time";
  if (load.connections_left != 0) return "a connection is left over";
  if (load.commits_left != 0) return "a commit is left over that was never flushed";
  return {};
}

}  // namespace

CheckResult check_bounds(const Case& of) {
  CheckResult result{"bounds", 0, {}};
  const History& history = of.history();
  for (const SeenLoad& load : history.loads) {
    result.judged += load.samples;
    const std::string what = objection(load, of.context().limits);
    if (!what.empty()) result.fail("node " + std::to_string(load.node) + ": " + what);
  }
  if (history.streams_left != 0) result.fail("a stream is left over");
  if (history.events_left != 0) result.fail("an event is left over");
  return result;
}

}  // namespace statefs::sim
