#include "os/state_room.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "core/superblock.h"
#include "os/disk_file.h"

namespace statefs {
namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

JournalLimits limits_of(const StateFileOptions& options) {
  JournalLimits limits;
  limits.value_bytes_max = options.store.value_bytes.value_or(limits::store_value_bytes_default);
  limits.keys_max = options.store.keys.value_or(limits::journal_keys_usual);
  limits.value_size_max = options.value_size_max;
  limits.pending_size = std::max(limits.pending_size, 2 * record_size_max(limits));
  return limits;
}

// What is at the path: its size, and how a store that is there is laid out.
struct Place {
  std::uint64_t size = 0;
  std::optional<Extent> extent;
  bool empty = false;  // it begins with zeros alone: a store can be made there
};

// None where there is nothing to be judged.
std::optional<Place> look_at(const std::string& path) {
  auto file = DiskFile::open(path, DiskAccess::beside);
  if (!file) return std::nullopt;
  DiskFile& disk = file.value();
  Place found;
  found.size = disk.size();
  if (found.size < Extent::head_size || !disk.perform({DiskRequest::Kind::read, 0, 0, Extent::head_size, {}})) return std::nullopt;
  const ByteView head = disk.read_bytes();
  std::uint64_t newest = 0;
  for (const std::uint32_t copy : {0u, 1u}) {
    const auto superblock = decode_superblock(head.subspan(static_cast<std::size_t>(Extent::superblock_offset(copy)), disk_block_size));
    if (!superblock.ok() || superblock.value().sequence < newest) continue;
    newest = superblock.value().sequence;
    found.extent = superblock.value().extent;
  }
  if (found.extent && found.extent->size() > found.size) return std::nullopt;  // cut: whoever opens it says so
  found.empty = std::all_of(head.begin(), head.end(), [](std::uint8_t byte) { return byte == 0; });
  if (!found.empty && !found.extent) return std::nullopt;
  return found;
}

std::uint64_t replay_of(const StateFileOptions& options, std::size_t sessions) {
  return options.replay_bytes_max.value_or(SlotTable::footprint_of(limits::slot_owners_max, sessions));
}

// With as many sessions as are usual in a store of that size.
std::string needed_size(const StateFileOptions& options, JournalLimits limits) {
  constexpr int rounds = 3;  // more room, more sessions: what is told last is enough, whatever the first said
  auto least = fitting_size_min(limits, options.store);
  for (int i = 0; i < rounds && least && !options.sessions_per_key; ++i) {
    limits.replay_bytes_max = replay_of(options, usual_sessions(*least, limits));
    least = fitting_size_min(limits, options.store);
  }
  return least ? size_text((*least + mebibyte - 1) / mebibyte * mebibyte) : "more than any file has";
}

Problem no_room(const StateFileOptions& options, const JournalLimits& limits, const Place& found, bool is_new) {
  std::string what = "has no room for ";
  if (options.store.value_bytes) what += size_text(*options.store.value_bytes) + " of value_bytes, ";
  if (options.store.keys) what += std::to_string(*options.store.keys) + " keys, ";
  what += "values of " + size_text(options.value_size_max) + " and the sessions of all peers: ";
  const std::string size = needed_size(options, limits);
  if (is_new) {
    what += "these limits need --state-size " + size + ", not " + size_text(options.size) + "; or lower them";
  } else if (!found.extent) {
    what += "it is empty and keeps its size of " + size_text(found.size) + ", these limits need " + size + ": remove it, or lower them";
  } else {
    what += "it was made for less, these limits need a new store of " + size + ": lower them (value_bytes, keys, total_value_size, sessions_per_key)";
  }
  return {"state " + printable(options.path) + ": " + what};
}

}  // namespace

std::string size_text(std::uint64_t size) {
  if (size >= 1024 * mebibyte && size % (1024 * mebibyte) == 0) return std::to_string(size / (1024 * mebibyte)) + "GiB";
  if (size >= mebibyte && size % mebibyte == 0) return std::to_string(size / mebibyte) + "MiB";
  if (size >= 1024 && size % 1024 == 0) return std::to_string(size / 1024) + "KiB";
  return std::to_string(size);
}

Result<StateRoom, Problem> judge_room(const StateFileOptions& options) {
  JournalLimits usual = limits_of(options);
  struct stat info {};
  const bool is_new = ::lstat(options.path.c_str(), &info) != 0 && errno == ENOENT;
  std::optional<Place> found = is_new ? Place{block_floor(options.size), std::nullopt, true} : look_at(options.path);
  StateRoom room;
  const auto fit = [&](std::size_t sessions) -> std::optional<JournalLimits> {
    room.sessions_per_key = sessions;
    usual.replay_bytes_max = replay_of(options, sessions);
    if (!found) return usual;  // not judged here
    return found->extent ? fitted(*found->extent, usual, options.store) : fitted(found->size, usual, options.store);
  };
  std::size_t sessions = options.sessions_per_key.value_or(found ? usual_sessions(found->size, usual) : limits::sessions_per_key);
  auto limits = fit(sessions);
  while (!limits && !options.sessions_per_key && sessions > limits::sessions_per_key_least) limits = fit(sessions /= 2);
  if (!limits) return no_room(options, usual, *found, is_new);
  room.limits = *limits;
  const bool is_less = limits->value_bytes_max < usual.value_bytes_max || limits->keys_max < usual.keys_max ||
                       room.sessions_per_key < options.sessions_per_key.value_or(limits::sessions_per_key);
  if (found && is_less) {
    room.lowered = "state " + printable(options.path) + ": its size has room for " + std::to_string(limits->value_bytes_max) + " bytes of values, " +
                   std::to_string(limits->keys_max) + " keys and " + std::to_string(room.sessions_per_key) +
                   " sessions of each peer, less than the usual: quotas are shares of that";
  }
  return room;
}

}  // namespace statefs
