// STATE: what a log amounts to: entries, slots and epochs, built again record by record.
//
//   log_record.h -> STATE -> snapshot.h (kept in pieces), recovery.h (built), journal.h (goes on)
//
// Every table is idempotent by index: what a snapshot already holds is not applied again, wherever in the log it was taken.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/audit.h"
#include "core/entries.h"
#include "core/epochs.h"
#include "core/limits.h"
#include "core/log_record.h"
#include "core/slots.h"

namespace statefs {

// An epoch record, which continues a chain that ended at `before`; the chain sets the rest. And what such a record says.
[[nodiscard]] AuditRecord epoch_record(std::uint64_t number, std::uint64_t random, const AuditHead& before, Now now);
[[nodiscard]] std::uint64_t epoch_random(const AuditRecord& record);
// Whether `record` may follow a record of that head, in the same epoch or as the first of a later one.
[[nodiscard]] bool follows(const AuditRecord& record, const AuditHead& before);

struct State {
  Entries entries;
  SlotTable slots;
  Epochs epochs;
  std::uint64_t snapshot_index = 0;               // up to here everything is in the tables but shelves that are newer
  std::map<Owner, std::uint64_t> shelves_as_of;   // of a snapshot; empty once the log is past all of them

  // False, where the record asks for what does not fit the tables: no journal writes that. The record follows the last.
  [[nodiscard]] bool replay(const DecodedRecord& decoded);
};

}  // namespace statefs
