#include "core/entries.h"

#include "core/check.h"

namespace statefs {

std::optional<StoredValue> Entries::find(std::string_view key) const {
  const auto at = map_.find(key);
  if (at == map_.end()) return std::nullopt;
  return StoredValue{at->second.value, at->second.revision, at->second.owner};
}

std::optional<StoredEntry> Entries::next(std::string_view after, bool inclusive) const {
  const auto at = inclusive ? map_.lower_bound(after) : map_.upper_bound(after);
  if (at == map_.end()) return std::nullopt;
  return StoredEntry{at->first, at->second.value.size(), at->second.revision};
}

Usage Entries::usage_of(const Owner& owner) const {
  const auto at = usage_.find(owner);
  return at == usage_.end() ? Usage{} : at->second;
}

Entries::Place Entries::place(std::string_view key) {
  const auto at = map_.lower_bound(key);
  return {at, at != map_.end() && at->first == key};
}

bool Entries::fits(const Place& place, std::string_view key, std::size_t value_size, const EntryLimits& limits, Marks& marks) const {
  const std::uint64_t freed = place.present ? place.at->second.value.size() : 0;
  if (!place.present && map_.size() >= limits.keys_max) {
    STATEFS_MARK_IN(marks, "store.keys_full");
    return false;
  }
  const std::uint64_t grown = place.present ? 0 : entry_overhead + key.size();
  if (value_bytes_ - freed + value_size <= limits.value_bytes_max && footprint() - freed + grown + value_size <= limits.footprint_max) return true;
  STATEFS_MARK_IN(marks, "store.values_full");
  return false;
}

void Entries::apply(const Place& place, const Effect& effect, const Owner& writer, std::uint64_t revision) {
  switch (effect.kind) {
    case Effect::Kind::none: return;
    case Effect::Kind::put: put(place, effect.key->text(), effect.value, writer, revision); return;
    case Effect::Kind::erase: remove(place); return;
  }
  STATEFS_CHECK(false);
}

void Entries::restore(std::string_view key, ByteView value, const Owner& writer, std::uint64_t revision) {
  put(place(key), key, value, writer, revision);
}

void Entries::erase(std::string_view key) { remove(place(key)); }

void Entries::put(const Place& place, std::string_view key, ByteView value, const Owner& writer, std::uint64_t revision) {
  auto at = place.at;
  if (place.present) {
    discharge(at->second.owner, key, at->second.value.size());
  } else {
    at = map_.try_emplace(at, std::string(key));
    key_bytes_ += key.size();
  }
  at->second.value.assign(value.begin(), value.end());
  at->second.revision = revision;
  at->second.owner = writer;
  charge(writer, key, value.size());
}

void Entries::remove(const Place& place) {
  if (!place.present) return;
  discharge(place.at->second.owner, place.at->first, place.at->second.value.size());
  key_bytes_ -= place.at->first.size();
  map_.erase(place.at);
}

bool is_within(const Usage& usage, const Quota& quota, std::size_t key_size_mean) {
  if (usage.keys > quota.keys || usage.value_bytes > quota.value_bytes) return false;
  const std::uint64_t free_keys = quota.keys - usage.keys;
  const std::uint64_t free_bytes = quota.value_bytes - usage.value_bytes;
  const std::uint64_t usual = usage.keys * key_size_mean;
  if (usage.key_bytes <= usual) return true;
  // A key that is not used yet has room for what long ones have too much.
  const std::uint64_t excess = usage.key_bytes - usual;
  const std::uint64_t key_room = Entries::entry_overhead + key_size_mean;
  return excess <= free_bytes || (excess - free_bytes + key_room - 1) / key_room <= free_keys;
}

void Entries::charge(const Owner& owner, std::string_view key, std::uint64_t bytes) {
  Usage& usage = usage_[owner];
  usage.keys += 1;
  usage.key_bytes += key.size();
  usage.value_bytes += bytes;
  value_bytes_ += bytes;
}

void Entries::discharge(const Owner& owner, std::string_view key, std::uint64_t bytes) {
  const auto at = usage_.find(owner);
  STATEFS_CHECK(at != usage_.end() && at->second.keys > 0 && at->second.value_bytes >= bytes && at->second.key_bytes >= key.size());
  at->second.keys -= 1;
  at->second.key_bytes -= key.size();
  at->second.value_bytes -= bytes;
  value_bytes_ -= bytes;
  if (at->second.keys == 0) usage_.erase(at);
}

}  // namespace statefs
