#include "sim/campaign/determinism.h"

namespace statefs::sim {
namespace {

std::string text_of(const std::vector<EventMark>& marks, std::size_t at) {
  if (at >= marks.size()) return "none";
  const EventMark& mark = marks[at];
  return "time=" + std::to_string(mark.time.ns) + " node=" + std::to_string(mark.node) + " kind=" + std::to_string(mark.kind) +
         " payload=" + hex16(mark.payload) + " draws=" + std::to_string(mark.draws);
}

}  // namespace

CheckResult check_determinism(const RunReport& first, const Again& again) {
  CheckResult result{"determinism", 1, {}};
  const auto range = first_difference(first.digest, again({}).digest);
  if (!range) return result;
  const RunReport a = again(*range);
  const RunReport b = again(*range);
  std::size_t at = 0;
  while (at < a.recorded.size() && at < b.recorded.size() && a.recorded[at] == b.recorded[at]) ++at;
  result.failure = "two runs differ among events " + std::to_string(range->first) + " to " + std::to_string(range->last) + ", in event " +
                   std::to_string(range->first + at) + ": " + text_of(a.recorded, at) + " and " + text_of(b.recorded, at);
  return result;
}

}  // namespace statefs::sim
