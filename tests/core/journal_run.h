// JOURNAL RUN: a journal on a disk model beside a model of what it must hold after each record.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/journal.h"
#include "tests/core/disk_model.h"

namespace statefs::test {

// Limits under which an extent of 128 KiB holds a store whose log goes round after some sixty records.
inline JournalLimits small_limits() {
  JournalLimits limits;
  limits.value_bytes_max = 4'000;
  limits.keys_max = 16;
  limits.value_size_max = 300;
  limits.replay_bytes_max = 6 * (SlotTable::session_footprint + SlotTable::shelf_footprint);
  limits.pending_size = 8 * 1024;
  limits.read_size = 8 * 1024;
  limits.snapshot_chunk_size = 4'000;
  limits.audit_ring_size = 16 * 1024;
  limits.reserve_size = 2 * 1024;
  return limits;
}
inline constexpr std::size_t small_extent = 128 * 1024;

inline JournalConfig small_config(Durability durability = Durability::commit) {
  JournalConfig config;
  config.limits = small_limits();
  config.durability = durability;
  config.node.bytes.fill(0x22);
  config.fresh_store.fill(0x77);
  config.epoch_random = 0x1122334455667788;
  return config;
}

inline PeerRef peer(std::uint8_t seed) {
  PeerRef out;
  out.kind = PeerKind::remote;
  out.key.bytes.fill(seed);
  return out;
}

// What is in a store, in a form that can be compared.
struct Contents {
  std::map<std::string, std::pair<Bytes, std::uint64_t>> entries;
  SlotTable slots;
  friend bool operator==(const Contents&, const Contents&) = default;
};
inline Contents contents_of(const Store& store) {
  Contents out;
  std::string at;
  for (auto entry = store.next("", true); entry; entry = store.next(at, false)) {
    at = std::string(entry->key);
    const auto found = store.find(CanonicalKey::from(as_bytes(at)).value());
    out.entries[at] = {Bytes(found->value.begin(), found->value.end()), found->revision};
  }
  out.slots = store.slots();
  return out;
}

// Serves the disk and advances until nothing moves.
inline void settle(Journal& journal, DiskModel& disk, Now now) {
  for (bool served = true; served || journal.deadline() <= now.monotonic;) {
    served = false;
    while (disk.serve_one(journal)) served = true;
    journal.advance(now);
    served = served || disk.serve_one(journal);
  }
}

inline std::unique_ptr<Journal> open(DiskModel& disk, const JournalConfig& config, Now now) {
  auto journal = std::make_unique<Journal>(config, disk.durable().size());
  settle(*journal, disk, now);
  return journal;
}

class Exported final : public AuditSink {
 public:
  bool take(std::uint64_t index, ByteView encoded, const Digest& hash) override {
    const auto record = decode_audit(encoded);
    STATEFS_CHECK(record.ok() && record.value().index == index);
    if (last.index != 0) { EXPECT_TRUE(follows(record.value(), last)) << index; }
    if (count == 0) first = index;
    last = {index, hash};
    ++count;
    return true;
  }
  std::uint64_t first = 0;
  AuditHead last;
  std::size_t count = 0;
};

// Random bits for tests, the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 2 + 1) {}
  std::uint64_t below(std::uint64_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % bound;
  }

 private:
  std::uint64_t state_;
};

// A stream of mutations and session events that one store takes as another does.
class Workload {
 public:
  explicit Workload(std::uint64_t seed) : dice_(seed) {}

  // Appends one record to `store`; the number of its error where it is refused, else 0.
  int step(Store& store) {
    const std::uint8_t who = static_cast<std::uint8_t>(1 + dice_.below(2));
    AuditRecord record;
    record.peer = peer(who);
    record.allowed = true;
    const auto live = store.slots().live(owner_of(record.peer));
    if (live.empty() || dice_.below(25) == 0) return session_event(store, record, live);
    SlotChange change;
    change.kind = SlotChange::Kind::use;
    const SlotSession& session = live[dice_.below(live.size())];
    const auto slot = static_cast<std::uint16_t>(dice_.below(3));
    change.at = {session.number, session.slots[slot].sequence + 1, session.generation, slot};
    change.result.sequence = change.at.sequence;
    change.result.request.fill(static_cast<std::uint8_t>(dice_.below(256)));
    record.at = change.at;
    const std::string key = "/state/shared/k" + std::to_string(dice_.below(12));
    value_.assign(dice_.below(300), static_cast<std::uint8_t>(dice_.below(256)));
    Effect effect;
    const std::uint64_t what = dice_.below(10);
    effect.kind = what < 7 ? Effect::Kind::put : what < 9 ? Effect::Kind::erase : Effect::Kind::none;
    effect.key = CanonicalKey::from(as_bytes(key)).value();
    effect.value = effect.kind == Effect::Kind::put ? ByteView(value_) : ByteView{};
    record.key = key;
    record.key_size = static_cast<std::uint32_t>(key.size());
    record.value_size = static_cast<std::uint32_t>(effect.value.size());
    if (effect.kind == Effect::Kind::none) record.status = change.result.status = Status::access_denied;
    return result_of(store.append(record, effect, change));
  }

  Dice& dice() { return dice_; }

 private:
  static int result_of(const Result<std::uint64_t, AppendError>& result) { return result.ok() ? 0 : 1 + static_cast<int>(result.error()); }
  int session_event(Store& store, AuditRecord& record, std::span<const SlotSession> live) {
    record.kind = AuditKind::session;
    SlotChange change;
    if (live.empty()) {
      change.kind = SlotChange::Kind::open;
      change.instance.fill(static_cast<std::uint8_t>(dice_.below(256)));
      change.generation = 1;
    } else {
      change.kind = SlotChange::Kind::resume;
      if (ended_count_ < 3 && dice_.below(2) == 0) change.kind = ++ended_count_ % 2 == 0 ? SlotChange::Kind::close : SlotChange::Kind::evict;
      change.at.session = live[0].number;
      change.generation = live[0].generation + 1;
      record.at.session = change.at.session;
    }
    return result_of(store.append(record, {}, change));
  }

  Dice dice_;
  int ended_count_ = 0;  // few, so that the replay memory of small_limits() has room
  Bytes value_;
};

}  // namespace statefs::test
