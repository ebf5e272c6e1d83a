// EPOCHS: the numbers of a store's lives, where each ended, and whether a head that a client holds is of this history.
//
//   request.h (AuditHead), response.h (HeadComparison) -> EPOCHS, HEADS -> store.h, state.h, HELLO (docs/PROTOCOL.md, 5.1)
//
// Each opening of a store begins an epoch; indices start at epoch x 2^40. The epochs are kept with the store, so that a head can be
// compared where the records are gone; the last durable heads are kept in memory, so that one in the middle can be.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "core/limits.h"
#include "core/request.h"
#include "core/response.h"

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

// The last limits::heads_kept heads that were durable, and were or could have been told.
class Heads {
 public:
  // Indices ascend; one that does not is there already.
  void add(const AuditHead& head);
  // Whether `head`, which a client saw in `epoch`, is of this history: same, differs, or trimmed where nothing here can tell.
  // The newest head that was added is what is durable now.
  [[nodiscard]] HeadComparison compare(const Epochs& epochs, std::uint64_t epoch, const AuditHead& head) const;

 private:
  std::deque<AuditHead> heads_;
};

}  // namespace statefs
