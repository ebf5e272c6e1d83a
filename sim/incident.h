// INCIDENT: one thing that goes wrong in a world at one moment, as plain values: a crash, a partition, an attack.
//
//   plan.h (drawn, or read from a scenario) -> INCIDENT -> adversary.h (applies it, and ends it)
//
// What goes wrong all the time, a little, is in faults.h. An incident names its moment by time, or by the number of the event of
// the world before which it happens: that is how small worlds are enumerated.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/time.h"
#include "sim/schedule.h"

namespace statefs::sim {

enum class IncidentKind : std::uint8_t {
  crash,        // of `node`, up again after `lasts`; amount: how many records that are not durable survive, or, of a store on a disk,
                // what journal_store.h says
  power_loss,   // the same, and no peer hears of it
  pause,        // `node` stands still
  cut,          // of every stream between `node` and `other`
  partition,    // nothing arrives either way
  one_way,      // nothing arrives from `node` at `other`
  clog,         // what `node` sends to `other` waits
  tamper,       // with what `node` sends to `other`; amount: how (adversary.cpp)
  policy,       // server `node` loads the policy of number `amount`; after `lasts`, where it says any, the first again
  clock_step,   // of the wall clock, by `amount` ns
  clock_drift,  // of the monotonic clock, now `amount` parts per billion
  store_fail,   // of server `node`; after `lasts` somebody restarts it
  store_full,   // its audit is not exported
  store_slow,   // a flush takes `amount` ns
  evict,        // client `node` loses its stream while `amount` other sessions of its key are opened (session_hog.h); -n: n, and it keeps it
  disk_crash,   // as power_loss, right after the disk of server `node` was handed its request of number `event`
  disk_error,   // of server `node`: its disk's next read, write or flush fails; amount: which (0, 1, 2)
  disk_rot,     // as power_loss of server `node`; meanwhile a bit turns over; amount: which (journal_store.h)
  disk_misdirect,  // the next write of server `node` goes elsewhere
  disk_swap,    // of server `node`: its disk is copied, and after `lasts` the copy is put in, where the server has not been down meanwhile
  naming_crash,  // as disk_crash, right after the write of number `event` to a superblock, which names a snapshot
  edge_crash,    // as disk_crash, when for the `event`-th time a log is durable to the end of a block and an old record follows
};
inline constexpr std::size_t incident_kind_count = static_cast<std::size_t>(IncidentKind::edge_crash) + 1;
// Whether `event` counts what the disk of server `node` was handed, or had done.
[[nodiscard]] constexpr bool is_at_request(IncidentKind kind) {
  return kind == IncidentKind::disk_crash || kind == IncidentKind::naming_crash || kind == IncidentKind::edge_crash;
}
// Whether `node` is down for its time.
[[nodiscard]] bool is_stop(IncidentKind kind);

[[nodiscard]] std::string_view name_of(IncidentKind kind);
[[nodiscard]] std::optional<IncidentKind> incident_kind_of(std::string_view name);
// Whether `other` has a meaning.
[[nodiscard]] bool has_two_nodes(IncidentKind kind);

inline constexpr Duration for_good = nanoseconds(never.ns);  // as `lasts` of a crash: a permanent loss

struct Incident {
  IncidentKind kind = IncidentKind::cut;
  Time at;
  std::uint64_t event = 0;  // counted from 1; 0: by time, but where is_at_request()
  NodeId node = 0;
  NodeId other = 0;
  Duration lasts;
  std::int64_t amount = 0;
  friend bool operator==(const Incident&, const Incident&) = default;
};

}  // namespace statefs::sim
