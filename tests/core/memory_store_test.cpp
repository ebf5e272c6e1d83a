#include "core/memory_store.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace statefs {
namespace {

constexpr Now now{Time{1}, 1};

class Kept final : public AuditSink {
 public:
  bool take(std::uint64_t, ByteView encoded, const Digest& hash) override {
    entries.emplace_back(encoded.begin(), encoded.end());
    hashes.push_back(hash);
    return true;
  }
  std::vector<Bytes> entries;
  std::vector<Digest> hashes;
};

Effect effect_of(Effect::Kind kind, std::string_view key, std::string_view value) {
  Effect effect;
  effect.kind = kind;
  effect.key = CanonicalKey::from(as_bytes(key)).value();
  effect.value = as_bytes(value);
  return effect;
}

// Two stores of one beginning: what is appended to one is adopted by the other.
struct Twins {
  MemoryStore one{MemoryStoreConfig{}, now};
  MemoryStore other = one;

  void append(const Effect& effect, const SlotChange& change = {}) {
    AuditRecord record;
    record.kind = AuditKind::mutation;
    record.peer.kind = PeerKind::remote;
    record.peer.key.bytes[0] = 7;
    ASSERT_TRUE(one.append(record, effect, change).ok());
    other.adopt(one.last_entry(), owner_of(record.peer), effect, change);
  }
};

TEST(MemoryStore, AdoptsWhatAnotherAppended) {
  Twins twins;
  SlotChange open;
  open.kind = SlotChange::Kind::open;
  open.generation = 1;
  twins.append(effect_of(Effect::Kind::put, "/state/shared/a", "first"), open);
  twins.append(effect_of(Effect::Kind::put, "/state/shared/a", "second"));
  twins.append(effect_of(Effect::Kind::put, "/state/shared/b", "third"));
  twins.append(effect_of(Effect::Kind::erase, "/state/shared/b", ""));
  const CanonicalKey key = CanonicalKey::from(as_bytes("/state/shared/a")).value();
  ASSERT_TRUE(twins.other.find(key).has_value());
  EXPECT_EQ(as_text(twins.other.find(key)->value), "second");
  EXPECT_EQ(twins.other.find(key)->revision, twins.one.find(key)->revision);
  EXPECT_FALSE(twins.other.find(CanonicalKey::from(as_bytes("/state/shared/b")).value()).has_value());
  EXPECT_EQ(twins.other.slots(), twins.one.slots());
  EXPECT_EQ(twins.other.status().last_index, twins.one.status().last_index);
  PeerRef peer;
  peer.kind = PeerKind::remote;
  peer.key.bytes[0] = 7;
  EXPECT_EQ(twins.other.usage_of(peer).value_bytes, 6u);
  EXPECT_EQ(twins.other.usage_of(peer).keys, 1u);
}

// Found by a seed: a peer that opened and closed sessions filled the log, and the store could not begin its next epoch.
TEST(MemoryStore, BeginsEpochsThoughTheLogHasNoRoomForAnythingElse) {
  MemoryStoreConfig config;
  config.audit_ring_size = 2 * limits::audit_reserve_size;
  MemoryStore store(config, now);
  const auto append = [&store](AuditKind kind) {
    AuditRecord record;
    record.kind = kind;
    return store.append(record).ok();
  };
  for (const AuditKind kind : {AuditKind::mutation, AuditKind::refusals, AuditKind::session, AuditKind::policy, AuditKind::eviction}) {
    while (append(kind)) {
    }
  }
  EXPECT_FALSE(append(AuditKind::handshakes) || append(AuditKind::damaged));
  for (std::uint64_t epoch = 2; epoch < 10; ++epoch) {
    store.reopen(now);
    EXPECT_EQ(store.status().epoch, epoch);
  }
}

TEST(MemoryStore, GoesOnInTheChainThatItAdopted) {
  Twins twins;
  twins.append(effect_of(Effect::Kind::put, "/state/shared/a", "first"));
  std::vector<Kept> kept(2);
  std::size_t which = 0;
  for (MemoryStore* const store : {&twins.one, &twins.other}) {
    AuditRecord record;
    record.kind = AuditKind::mutation;
    ASSERT_TRUE(store->append(record).ok());
    store->submit(now);
    store->export_audit(kept[which++], 100);
  }
  EXPECT_EQ(kept[0].entries.size(), 3u);
  EXPECT_EQ(kept[1].entries, kept[0].entries);
  EXPECT_EQ(kept[1].hashes, kept[0].hashes);
}

// Takes all and keeps some: what was not kept comes again.
class Forgetful final : public AuditSink {
 public:
  bool take(std::uint64_t index, ByteView, const Digest&) override {
    indices.push_back(index);
    return true;
  }
  std::size_t kept(std::size_t count) override {
    EXPECT_EQ(count, indices.size());
    return keep;
  }
  std::vector<std::uint64_t> indices;
  std::size_t keep = 0;
};

TEST(MemoryStore, HandsOutAgainWhatAnExporterDidNotKeep) {
  MemoryStore store(MemoryStoreConfig{}, now);
  for (int i = 0; i < 4; ++i) {
    AuditRecord record;
    record.kind = AuditKind::mutation;
    ASSERT_TRUE(store.append(record).ok());
  }
  store.submit(now);
  const unsigned before = store.fill_percent();
  const std::uint64_t first = store.status().last_index - 4;
  for (const auto& [keep, from] : {std::pair<std::size_t, std::uint64_t>{0, first}, {2, first}, {0, first + 2}, {3, first + 2}}) {
    Forgetful sink;
    sink.keep = keep;
    EXPECT_EQ(store.export_audit(sink, 100), keep);
    EXPECT_EQ(sink.indices.front(), from);
    EXPECT_EQ(sink.indices.back(), first + 4);
  }
  Forgetful none;
  EXPECT_EQ(store.export_audit(none, 100), 0u);
  EXPECT_TRUE(none.indices.empty());
  EXPECT_LE(store.fill_percent(), before);
}

}  // namespace
}  // namespace statefs
