// STATE ROOM: what a state file of its size can promise, judged before it is made.
//
//   path, size, what the operator asked for -> STATE ROOM (core/store_room.h) -> state_file.h, the quotas of daemon.h
//
// The promise: all values and keys of these limits, and all sessions that peers may have, fit at the same time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/extent.h"
#include "core/policy.h"
#include "core/result.h"
#include "core/store.h"
#include "core/store_room.h"
#include "os/problem.h"

namespace statefs {

inline constexpr std::uint64_t state_size_default = std::uint64_t{256} << 20;

struct StateFileOptions {
  std::string path;
  std::uint64_t size = state_size_default;  // bytes, of a file that has to be made
  Durability durability = Durability::sync;
  StoreWish store;                          // what the operator wants the state to hold
  std::size_t value_size_max = limits::total_value_size_default;  // of one value, however written
  std::optional<std::size_t> sessions_per_key;  // of each peer and uid; none: nobody asked
  std::optional<std::uint64_t> replay_bytes_max;  // instead of sessions_per_key: what the sessions that are there take
};

struct StateRoom {
  JournalLimits limits;
  std::size_t sessions_per_key = limits::sessions_per_key;
  std::string lowered;  // where the usual limits did not fit: a line for the operator

  [[nodiscard]] Quota store() const { return {limits.value_bytes_max, limits.keys_max}; }
};

// Of the store that is at the path, or of the file that would be made there. Nothing is made or written. What cannot be read, or is no
// store, has the usual room: whoever opens it says what is wrong.
[[nodiscard]] Result<StateRoom, Problem> judge_room(const StateFileOptions& options);

// A size as people write it: 64MiB, 4097.
[[nodiscard]] std::string size_text(std::uint64_t size);

}  // namespace statefs
