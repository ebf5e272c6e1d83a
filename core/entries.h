// ENTRIES: the state itself: an ordered map from keys to values, with who is charged for each.
//
//   store.h (Effect) -> ENTRIES -> memory_store.h, journal.h, snapshot.h
//
// An entry is charged to its last writer. What a store may hold in all is EntryLimits: a PUT that does not fit is refused
// before anything changes. A Place is found once for each mutation, and is good until the next apply(). Copies are independent.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/marks.h"
#include "core/owner.h"
#include "core/policy.h"
#include "core/store.h"

namespace statefs {

struct EntryLimits {
  std::uint64_t value_bytes_max = 0;  // of all values together
  std::uint64_t keys_max = 0;
  std::uint64_t footprint_max = std::numeric_limits<std::uint64_t>::max();  // of Entries::footprint()
};

// Whether what a writer holds is within its quota, where its keys may have `key_size_mean` bytes on average. Longer ones are taken off
// what it may hold besides: values, and keys that it does not have. So what all quotas allow has room at the same time.
[[nodiscard]] bool is_within(const Usage& usage, const Quota& quota, std::size_t key_size_mean);

class Entries {
 public:
  struct Entry {
    Bytes value;
    std::uint64_t revision = 0;
    Owner owner;
  };
  using Map = std::map<std::string, Entry, std::less<>>;
  // Where a key is, or would be.
  struct Place {
    Map::iterator at;
    bool present = false;
    [[nodiscard]] std::uint64_t revision() const { return present ? at->second.revision : 0; }
  };

  // What one entry takes in a snapshot beside its key and value, and so in footprint().
  static constexpr std::uint64_t entry_overhead = 52;

  [[nodiscard]] std::optional<StoredValue> find(std::string_view key) const;
  // The first entry whose key is > `after` byte-wise (>= where `inclusive`); none at the end.
  [[nodiscard]] std::optional<StoredEntry> next(std::string_view after, bool inclusive) const;
  [[nodiscard]] Usage usage_of(const Owner& owner) const;
  [[nodiscard]] const Map& map() const { return map_; }
  [[nodiscard]] std::uint64_t value_bytes() const { return value_bytes_; }
  // What all entries take when they are written one after the other.
  [[nodiscard]] std::uint64_t footprint() const { return map_.size() * entry_overhead + key_bytes_ + value_bytes_; }

  [[nodiscard]] Place place(std::string_view key);
  // Whether a PUT of `value_size` bytes there is within the limits.
  [[nodiscard]] bool fits(const Place& place, std::string_view key, std::size_t value_size, const EntryLimits& limits, Marks& marks) const;
  // `place` is the one of the effect's key; an effect without a key changes nothing and needs none.
  void apply(const Place& place, const Effect& effect, const Owner& writer, std::uint64_t revision);
  // What a snapshot or a log says: key, value and revision, whatever the limits of today.
  void restore(std::string_view key, ByteView value, const Owner& writer, std::uint64_t revision);
  void erase(std::string_view key);

 private:
  void charge(const Owner& owner, std::string_view key, std::uint64_t bytes);
  void discharge(const Owner& owner, std::string_view key, std::uint64_t bytes);
  void put(const Place& place, std::string_view key, ByteView value, const Owner& writer, std::uint64_t revision);
  void remove(const Place& place);

  Map map_;
  std::map<Owner, Usage> usage_;
  std::uint64_t key_bytes_ = 0;
  std::uint64_t value_bytes_ = 0;
};

}  // namespace statefs
