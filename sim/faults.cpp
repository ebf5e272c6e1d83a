#include "sim/faults.h"

namespace statefs::sim {
namespace {

std::string text(Ratio ratio) { return std::to_string(ratio.part) + "/" + std::to_string(ratio.whole); }

}  // namespace

std::string describe(const Faults& faults) {
  const CutWeights& cuts = faults.stream.cuts;
  return "latency_ns=" + std::to_string(faults.link.latency.ns) + " jitter_ns=" + std::to_string(faults.link.jitter.ns) +
         " bytes_per_second=" + std::to_string(faults.link.bytes_per_second) +
         " send_window=" + std::to_string(faults.stream.send_window) + " cuts=" + std::to_string(cuts.whole) + "," +
         std::to_string(cuts.drawn) + "," + std::to_string(cuts.one_byte) + "," + std::to_string(cuts.edges) +
         " short_write=" + text(faults.stream.short_write) + " blocked_write=" + text(faults.stream.blocked_write) +
         " short_read=" + text(faults.stream.short_read) + " refused=" + text(faults.stream.refused) +
         " broken_unread=" + text(faults.stream.broken_unread) + " cut_per_write=" + text(faults.cut_per_write);
}

}  // namespace statefs::sim
