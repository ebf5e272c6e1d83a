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
#include "core/limits.h"
#include "core/log_record.h"
#include "core/slots.h"

namespace statefs {

constexpr std::uint64_t epoch_shift = 40;
inline constexpr std::uint64_t epoch_number_max = (std::uint64_t{1} << 24) - 1;
constexpr std::uint64_t first_index_of(std::uint64_t epoch) { return epoch << epoch_shift; }
constexpr std::uint64_t epoch_of(std::uint64_t index) { return index >> epoch_shift; }

struct Epoch {
  std::uint64_t number = 0;
  std::uint64_t random = 0;  // drawn when it began, so that two histories with the same number differ
  AuditHead last;            // where it ended; index 0: it has not
  friend bool operator==(const Epoch&, const Epoch&) = default;
};

// The last limits::epochs_kept epochs, ascending: what a client's head is compared with where the records are gone.
class Epochs {
 public:
  // The one before ended at `before`. Numbers ascend.
  void begin(std::uint64_t number, std::uint64_t random, const AuditHead& before);
  // What a snapshot kept. False, and nothing changed, where numbers do not ascend or there are too many.
  [[nodiscard]] bool restore(std::vector<Epoch> epochs);
  [[nodiscard]] const Epoch* find(std::uint64_t number) const;
  [[nodiscard]] const std::vector<Epoch>& all() const { return epochs_; }
  friend bool operator==(const Epochs&, const Epochs&) = default;

 private:
  std::vector<Epoch> epochs_;
};

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
