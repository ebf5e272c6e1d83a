#include "sim/checks.h"

namespace statefs::sim {
namespace {

struct Objection {
  std::string what;
  Place at = no_place;
};

// What is left over in the end is so at the last entry.
Objection objection(const SeenLoad& load, const LoadLimits& limits, Place last) {
  if (load.connections > limits.connections_max) return {"more connections than there may be", load.at.connections};
  if (load.buffered_size > limits.buffered_size_max) return {"holds more than its limits allow", load.at.buffered_size};
  if (load.staged_size > limits.staged_size_max) return {"stages take more than their peers may have", load.at.staged_size};
  if (load.staged_left != 0) return {"staged bytes are left over", last};
  if (load.output_size > limits.output_size_max) {
    return {std::to_string(load.output_size) + " bytes wait to be sent on one connection", load.at.output_size};
  }
  if (load.waiting_size > limits.waiting_size_max) {
    return {std::to_string(load.waiting_size) + " bytes wait for all connections", load.at.waiting_size};
  }
  if (load.reads_when_full != 0) return {"reads from one whose output is full", load.at.reads_when_full};
  if (load.one_too_many != 0) return {"lets in more connections or handshakes than there may be", load.at.one_too_many};
  if (load.one_too_few != 0) return {"turns a connection away though there is room", load.at.one_too_few};
  if (load.overdue != 0) return {"lets a handshake, a silent peer or an old connection be beyond its time", load.at.overdue};
  if (load.connections_left != 0) return {"a connection is left over", last};
  if (load.commits_left != 0) return {"a commit is left over that was never flushed", last};
  return {};
}

}  // namespace

CheckResult check_bounds(const Case& of) {
  CheckResult result{"bounds", 0, {}};
  const History& history = of.history();
  const Place last = history.end - std::min<Place>(history.end, 1);
  for (const SeenLoad& load : history.loads) {
    result.judged += load.samples;
    const Objection found = objection(load, of.context().limits, last);
    if (!found.what.empty()) result.fail("node " + std::to_string(load.node) + behind(found.at) + ": " + found.what);
  }
  if (history.streams_left != 0) result.fail("a stream is left over" + behind(last));
  if (history.events_left != 0) result.fail("an event is left over" + behind(last));
  return result;
}

}  // namespace statefs::sim
