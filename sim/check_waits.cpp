// How long clients wait between connections: longer each time, not too long, and not in step.
#include <algorithm>
#include <map>
#include <vector>

#include "sim/checks.h"

namespace statefs::sim {
namespace {

constexpr Duration alike = nanoseconds(100);
constexpr Duration timer_slack = milliseconds(1);

bool are_alike(const SeenWait& a, const SeenWait& b) {
  return a.failures == b.failures && a.was_wanted && b.was_wanted && std::max(a.lasted, b.lasted).ns - std::min(a.lasted, b.lasted).ns <= alike.ns;
}

class Waits {
 public:
  explicit Waits(const Case& of) : of_(of) {}

  CheckResult judge() {
    if (of_.context().links.backoff_max == Duration{}) return result_;
    for (const SeenWait& each : of_.history().waits) {
      ++result_.judged;
      judge_length(each);
      by_node_[each.node].push_back(&each);
    }
    for (const auto& [node, waits] : by_node_) {
      for (std::size_t i = 0; i + 2 < waits.size(); ++i) {
        const SeenWait& last = *waits[i + 2];
        if (waits[i]->incarnation != last.incarnation || !are_alike(*waits[i], *waits[i + 1]) || !are_alike(*waits[i + 1], last)) continue;
        fail(last, "as long as the two waits before");
      }
      for (const auto& [other, others] : by_node_) {
        if (other >= node || others.size() < 2 || waits.size() < 2) continue;
        // Programs of one machine have no identity to draw from before their first stream.
        if (of_.context().locals.contains(node) && of_.context().locals.contains(other)) continue;
        if (are_alike(*waits[0], *others[0]) && are_alike(*waits[1], *others[1])) fail(*waits[1], "in step with node " + std::to_string(other));
      }
    }
    return result_;
  }

 private:
  [[nodiscard]] Duration whole(std::uint32_t failures) const {
    const LinkTimes& times = of_.context().links;
    if (failures > 30 || times.backoff_min.ns > (times.backoff_max.ns >> failures)) return times.backoff_max;
    return nanoseconds(times.backoff_min.ns << failures);
  }
  // Never before its time by its own clock; a timer may be as late as a change of that clock's rate makes it.
  void judge_length(const SeenWait& wait) {
    const Duration most = whole(wait.failures);
    if (wait.lasted.ns < most.ns / 2) fail(wait, "shorter than half of " + std::to_string(most.ns / 1'000'000) + " ms");
    const Duration still = of_.context().standstill(wait.node, wait.began, wait.time);
    const bool is_late = wait.lasted.ns > most.ns + most.ns / 4 + timer_slack.ns + 2 * still.ns;
    if (wait.was_wanted && is_late) fail(wait, "longer than " + std::to_string(most.ns / 1'000'000) + " ms");
  }
  void fail(const SeenWait& wait, const std::string& what) {
    result_.fail("node " + std::to_string(wait.node) + " at " + std::to_string(wait.time.ns / 1'000'000) + " ms: after " +
                 std::to_string(wait.failures) + " failures in a row it waited " + std::to_string(wait.lasted.ns) + " ns: " + what);
  }

  const Case& of_;
  std::map<NodeId, std::vector<const SeenWait*>> by_node_;
  CheckResult result_{"waits", 0, {}};
};

}  // namespace

CheckResult check_waits(const Case& of) { return Waits(of).judge(); }

}  // namespace statefs::sim
