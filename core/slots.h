// SLOTS: what the store remembers so that a mutation runs once: sessions, their slots, and what became of ended ones.
//
//   request.h (SlotRef), owner.h -> SLOTS -> service.h;   store.h keeps it, and changes it in the commit of each effect
//
// NFSv4.1's session slots (RFC 8881 section 2.10.6), made durable. A session belongs to one peer and one random instance;
// its number is the index of the record that opened it, so no number is ever used twice. A slot holds its last sequence
// and what was answered. An ended session's slots go to a ring of its peer, where OUTCOME finds them.
//
// Invariant: replay memory is reserved by peer: nothing that one peer does changes what is kept for another. The table holds
// limits::sessions_per_key live and limits::ended_sessions_per_key ended sessions of each of limits::enrolled_peers_max
// peers and limits::local_uids_max local uids.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "core/bytes.h"
#include "core/limits.h"
#include "core/owner.h"
#include "core/request.h"
#include "core/response.h"

namespace statefs {

struct Slot {
  std::uint64_t sequence = 0;  // the last one used; 0: none
  Digest request{};            // of what was asked with it (service.h)
  Status status = Status::ok;
  std::uint64_t index = 0;     // of its record
  std::uint64_t revision = 0;  // as answered
  friend bool operator==(const Slot&, const Slot&) = default;
};

struct SlotSession {
  std::uint64_t number = 0;
  SessionInstance instance{};
  std::uint32_t generation = 0;
  std::uint64_t used_index = 0;  // of the last record that concerns it: the least is the least recently used
  std::array<Slot, limits::slots_per_session> slots{};
  friend bool operator==(const SlotSession&, const SlotSession&) = default;
};

// What a commit changes in the table; part of the same record as the effect.
struct SlotChange {
  enum class Kind : std::uint8_t { none, use, open, resume, close, evict };
  Kind kind = Kind::none;
  SlotRef at;                  // use: the slot and sequence; resume, close, evict: the session
  Slot result;                 // use: what the slot then holds; `index` is filled in by the store
  SessionInstance instance{};  // open
  std::uint32_t generation = 0;  // open, resume
};

class SlotTable {
 public:
  // Live sessions.
  [[nodiscard]] const SlotSession* find(const Owner& owner, std::uint64_t number) const;
  [[nodiscard]] const SlotSession* find(const Owner& owner, const SessionInstance& instance) const;
  [[nodiscard]] std::span<const SlotSession> live(const Owner& owner) const;
  // Ended ones, as far back as the ring goes.
  [[nodiscard]] const SlotSession* find_ended(const Owner& owner, std::uint64_t number) const;
  [[nodiscard]] const SlotSession* find_ended(const Owner& owner, const SessionInstance& instance) const;

  // Applies what a record with `index` says. The change was judged before: one that does not fit the table is a bug.
  void apply(const Owner& owner, const SlotChange& change, std::uint64_t index);

  // Whether apply() would take the change: what a log says is not believed before this was asked.
  [[nodiscard]] bool fits(const Owner& owner, const SlotChange& change) const;

  // All that is kept for one owner. Sessions have ascending numbers.
  struct Shelf {
    std::vector<SlotSession> live;   // at most limits::sessions_per_key
    std::vector<SlotSession> ended;  // at most limits::ended_sessions_per_key, oldest first
    friend bool operator==(const Shelf&, const Shelf&) = default;
  };
  [[nodiscard]] const std::map<Owner, Shelf>& shelves() const { return shelves_; }
  // Puts back what a snapshot kept. False, and nothing changed, where it is over its limits, out of order, or the owner has one.
  [[nodiscard]] bool restore(const Owner& owner, Shelf shelf);
  // What the table takes when it is written, at most.
  static constexpr std::uint64_t session_footprint = 8 + 16 + 4 + 8 + 2 + limits::slots_per_session * (8 + 32 + 2 + 8 + 8);
  static constexpr std::uint64_t shelf_footprint = 50;
  static constexpr std::uint64_t footprint_of(std::uint64_t owner_count, std::uint64_t sessions_per_owner) {
    return owner_count * (shelf_footprint + (sessions_per_owner + limits::ended_sessions_per_key) * session_footprint);
  }
  [[nodiscard]] std::uint64_t footprint() const { return shelves_.size() * shelf_footprint + session_count_ * session_footprint; }

  friend bool operator==(const SlotTable&, const SlotTable&) = default;

 private:
  SlotSession& at(Shelf& shelf, std::uint64_t number);
  void end(Shelf& shelf, std::uint64_t number);

  std::map<Owner, Shelf> shelves_;  // at most one for each peer and each local uid that a policy ever named
  std::uint64_t session_count_ = 0;  // live and ended
};

// What a mutation that names a slot is, before anything else about it is read.
enum class SlotVerdict : std::uint8_t { execute, replay, in_progress, false_retry, too_old, gap, unknown, fenced };

// `session` is the owner's live session of that number, or null. `request` is the digest of what is asked; `completed_index`
// tells a recorded answer that may leave from one whose commit is under way.
[[nodiscard]] SlotVerdict judge(const SlotSession* session, const SlotRef& at, const Digest& request, std::uint64_t completed_index);

}  // namespace statefs
