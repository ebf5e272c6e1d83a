// STORE ROOM: the limits of a store that its extent can keep, where an operator left some of them open.
//
//   extent.h -> STORE ROOM -> os/state_room.h (what a daemon promises, and so the quotas of its peers)
//
// What was asked for is kept or refused, never lowered in secret; what nobody asked for is the usual or what there is room for,
// whichever is less. Then all values and all keys of that number fit at the same time, beside the whole replay memory.
#pragma once

#include <cstdint>
#include <optional>

#include "core/extent.h"

namespace statefs {

// What a store is to hold. None: nobody asked.
struct StoreWish {
  std::optional<std::uint64_t> value_bytes;
  std::optional<std::uint64_t> keys;
  friend bool operator==(const StoreWish&, const StoreWish&) = default;
};

// `limits` with value_bytes_max and keys_max set, none where what was asked for does not fit. Nobody asked for value_bytes: at most
// limits::store_value_bytes_default, and keys have at most a quarter of the room then; for keys: what is left, at most
// limits::store_keys_default.
[[nodiscard]] std::optional<JournalLimits> fitted(const Extent& extent, const JournalLimits& limits, const StoreWish& wish);
// The same for a new store in `size` bytes.
[[nodiscard]] std::optional<JournalLimits> fitted(std::uint64_t size, const JournalLimits& limits, const StoreWish& wish);

// How many sessions each peer and uid may have where nobody says, in `size` bytes: replay memory then has at most a quarter of the room of
// a snapshot. A power of two, from limits::sessions_per_key_least to limits::sessions_per_key.
[[nodiscard]] std::size_t usual_sessions(std::uint64_t size, const JournalLimits& limits);

// A size of a new store for which fitted() gives limits, to the block; none where no size is enough.
[[nodiscard]] std::optional<std::uint64_t> fitting_size_min(const JournalLimits& limits, const StoreWish& wish);

}  // namespace statefs
