// MACHINE STORE: a store of a machine that may stop: what a crash leaves of it, and when it can be served again.
//
//   server_program.h -> MACHINE STORE (a core/store.h) <- statefs.h in memory, journal_store.h on a disk;   -> trace.h
//
// The trace gets every append as it happens, what becomes durable, and what a crash took, so a checker knows the store's
// real order whichever of the two it is.
#pragma once

#include "core/store.h"
#include "sim/trace.h"

namespace statefs::sim {

// What a crash takes, where it is not said otherwise: the amount of an incident (incident.h).
inline constexpr std::int64_t nothing_lost = 1'000;

class MachineStore : public Store {
 public:
  // Whether it can be served. One on a disk has to be read first.
  [[nodiscard]] virtual bool ready() const = 0;
  // Whether it never will be, with what is on its disk.
  [[nodiscard]] virtual bool refused() const = 0;
  // How many records a crash can still take back.
  [[nodiscard]] virtual std::size_t volatile_count() const = 0;
  // How many the last crash took back, as far as they were not durable; known once it is ready again.
  [[nodiscard]] virtual std::size_t lost_count() const = 0;
  // The machine stops; `amount` says what is left. Nothing is read or written until reopen().
  virtual void crash(std::int64_t amount) = 0;
  // Recovers, in the next epoch.
  virtual void reopen(Now now) = 0;
  virtual void fail() = 0;  // for good, until the next crash
  virtual void set_flush_delay(Duration delay) = 0;
};

// The entry of one append. `scratch` is used for its payload.
void trace_append(Trace& trace, NodeId node, const AuditRecord& record, ByteView encoded, const Effect& effect, Bytes& scratch);

}  // namespace statefs::sim
