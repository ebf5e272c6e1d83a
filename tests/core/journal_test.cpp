#include "core/journal.h"

#include <gtest/gtest.h>

#include "core/memory_store.h"
#include "tests/core/journal_run.h"

namespace statefs::test {
namespace {

Now at_second(std::int64_t second) { return {Time{1 + second * 1'000'000'000}, second}; }
constexpr Now start{Time{1}, 1};

Effect put(std::string_view key, std::string_view value) {
  Effect effect;
  effect.kind = Effect::Kind::put;
  effect.key = CanonicalKey::from(as_bytes(key)).value();
  effect.value = as_bytes(value);
  return effect;
}
std::uint64_t append(Store& store, const Effect& effect) {
  AuditRecord record;
  record.peer = peer(1);
  record.key = effect.key->text();
  record.key_size = static_cast<std::uint32_t>(record.key.size());
  const auto appended = store.append(record, effect, {});
  EXPECT_TRUE(appended.ok());
  return appended.ok() ? appended.value() : 0;
}
std::optional<std::string> value_of(const Store& store, std::string_view key) {
  const auto found = store.find(CanonicalKey::from(as_bytes(key)).value());
  if (!found) return std::nullopt;
  return std::string(as_text(found->value));
}

TEST(Journal, MakesAStoreOfAnEmptyExtentAndBeginsItsFirstEpoch) {
  DiskModel disk(small_extent);
  const auto journal = open(disk, small_config(), start);
  ASSERT_TRUE(journal->ready());
  EXPECT_EQ(journal->report().found, Found::fresh);
  EXPECT_EQ(journal->status().epoch, 1u);
  EXPECT_EQ(journal->status().last_index, first_index_of(1));
  EXPECT_EQ(journal->status().durable_index, first_index_of(1));
  EXPECT_EQ(journal->status().id, small_config().fresh_store);
  EXPECT_TRUE(journal->log_has_room());
}

TEST(Journal, KeepsWhatWasDurableAndBeginsAnotherEpoch) {
  DiskModel disk(small_extent);
  std::uint64_t index = 0;
  AuditHead head;
  {
    const auto journal = open(disk, small_config(), start);
    index = append(*journal, put("/state/shared/a", "one"));
    EXPECT_LT(journal->status().completed_index, index);
    journal->submit(start);
    settle(*journal, disk, start);
    EXPECT_EQ(journal->status().completed_index, index);
    EXPECT_EQ(journal->status().durable_index, index);
    head = journal->status().durable_head;
  }
  const auto journal = open(disk, small_config(), start);
  ASSERT_TRUE(journal->ready()) << int(journal->report().found) << int(journal->report().damage) << " " << journal->report().place;
  EXPECT_EQ(journal->report().found, Found::recovered);
  EXPECT_EQ(journal->report().last, head);
  EXPECT_EQ(journal->status().epoch, 2u);
  EXPECT_EQ(journal->status().last_index, first_index_of(2));
  EXPECT_EQ(value_of(*journal, "/state/shared/a"), "one");
  ASSERT_NE(journal->epochs().find(1), nullptr);
  EXPECT_EQ(journal->epochs().find(1)->last, head);
  EXPECT_EQ(journal->epochs().find(1)->random, small_config().epoch_random);
  EXPECT_EQ(append(*journal, put("/state/shared/a", "two")), first_index_of(2) + 1);
}

// Sessions that come and go must not use up what the next epoch needs.
TEST(Journal, OpensAgainForWritingHoweverFullSessionsMadeItsLog) {
  DiskModel disk(small_extent);
  auto journal = open(disk, small_config(), start);
  const auto append = [&journal](AuditKind kind) {
    AuditRecord record;
    record.kind = kind;
    record.peer = peer(1);
    return journal->append(record, {}, {}).ok();
  };
  for (const AuditKind kind : {AuditKind::mutation, AuditKind::refusals, AuditKind::session, AuditKind::policy, AuditKind::eviction}) {
    for (bool went_on = true; went_on;) {
      went_on = false;
      while (append(kind)) went_on = true;
      journal->submit(start);
      settle(*journal, disk, start);
    }
  }
  EXPECT_FALSE(append(AuditKind::handshakes) || append(AuditKind::damaged));
  journal = open(disk, small_config(), start);
  ASSERT_TRUE(journal->ready());
  EXPECT_EQ(journal->status().epoch, 2u) << "not read-only";
}

// Seed 42 of the simulator: it was told to ask again for as long as it liked.
TEST(Journal, HasNoSpaceEverForAValueAboveItsLargest) {
  DiskModel disk(small_extent);
  const auto journal = open(disk, small_config(), start);
  const std::string value(static_cast<std::size_t>(journal->extent().ring_size), 'x');
  AuditRecord record;
  record.peer = peer(1);
  record.key = "/state/shared/a";
  record.key_size = static_cast<std::uint32_t>(record.key.size());
  const auto appended = journal->append(record, put("/state/shared/a", value), {});
  ASSERT_FALSE(appended.ok());
  EXPECT_EQ(appended.error(), AppendError::no_space);
}

TEST(Journal, CompletesAtOnceInSyncModeAndFlushesWithinItsInterval) {
  DiskModel disk(small_extent);
  const auto journal = open(disk, small_config(Durability::sync), start);
  const std::uint64_t index = append(*journal, put("/state/shared/a", "one"));
  journal->submit(start);
  EXPECT_EQ(journal->status().completed_index, index);
  settle(*journal, disk, start);
  EXPECT_LT(journal->status().durable_index, index);
  EXPECT_LE(journal->deadline(), at_second(1).monotonic);
  settle(*journal, disk, at_second(1));
  EXPECT_EQ(journal->status().durable_index, index);
}

TEST(Journal, FlushesAtOnceWhatSomebodyAskedFor) {
  DiskModel disk(small_extent);
  const auto journal = open(disk, small_config(Durability::sync), start);
  const std::uint64_t index = append(*journal, put("/state/shared/a", "one"));
  journal->request_flush(index);
  journal->submit(start);
  settle(*journal, disk, start);
  EXPECT_EQ(journal->status().durable_index, index);
}

TEST(Journal, CoversWithTheNextFlushWhatIsSubmittedDuringOne) {
  DiskModel disk(small_extent);
  const auto journal = open(disk, small_config(), start);
  const std::uint64_t first = append(*journal, put("/state/shared/a", "one"));
  journal->submit(start);
  const std::uint64_t second = append(*journal, put("/state/shared/b", "two"));
  journal->submit(start);
  const std::uint64_t third = append(*journal, put("/state/shared/c", "three"));
  journal->submit(start);
  while (journal->status().durable_index < first) ASSERT_TRUE(disk.serve_one(*journal));
  EXPECT_EQ(journal->status().durable_index, first);
  const std::uint64_t before = disk.request_count();
  settle(*journal, disk, start);
  EXPECT_EQ(journal->status().durable_index, third);
  EXPECT_GT(third, second);
  EXPECT_LE(disk.request_count() - before, 3u) << "log, mark and flush: once for both";
}

TEST(Journal, MarksWhatIsDurableWithinASecondWhenNothingElseHappens) {
  DiskModel disk(small_extent);
  const auto journal = open(disk, small_config(), start);
  const std::uint64_t index = append(*journal, put("/state/shared/a", "one"));
  journal->submit(start);
  settle(*journal, disk, start);
  settle(*journal, disk, at_second(1));
  bool marked = false;
  for (const std::uint32_t copy : {0u, 1u}) {
    const auto mark = decode_mark(ByteView(disk.durable()).subspan(Extent::mark_offset(copy), disk_block_size));
    marked = marked || (mark.ok() && mark.value().durable.head.index == index);
  }
  EXPECT_TRUE(marked);
  settle(*journal, disk, at_second(3));
  settle(*journal, disk, at_second(5));
  const std::uint64_t before = disk.request_count();
  settle(*journal, disk, at_second(9));
  EXPECT_EQ(disk.request_count(), before) << "and then it is quiet";
  EXPECT_EQ(journal->deadline(), never);
}

TEST(Journal, FailsForGoodAtTheFirstRequestThatFails) {
  for (std::uint64_t fail_at = 1; fail_at < 60; ++fail_at) {
    DiskModel disk(small_extent);
    disk.fail_at = fail_at;
    auto journal = open(disk, small_config(), start);
    std::uint64_t durable = journal->status().durable_index;
    Workload workload(7);
    for (int i = 0; i < 20 && journal->ready(); ++i) {
      (void)workload.step(*journal);
      journal->submit(start);
      settle(*journal, disk, start);
      if (!journal->status().failed) durable = journal->status().durable_index;
    }
    if (disk.request_count() < fail_at) break;
    ASSERT_TRUE(journal->status().failed) << fail_at;
    EXPECT_EQ(journal->status().durable_index, durable) << fail_at;
    AuditRecord record;
    const auto refused = journal->append(record);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error(), AppendError::failed);
    const std::uint64_t count = disk.request_count();
    settle(*journal, disk, at_second(100));
    EXPECT_EQ(disk.request_count(), count) << "no request after the failure";
  }
}

// Both modes over both stores: the same answers to everything.
void compare_with_memory(Durability durability, std::uint64_t seed) {
  SCOPED_TRACE(seed);
  DiskModel disk(small_extent);
  Marks marks;
  JournalConfig config = small_config(durability);
  config.marks = &marks;
  const auto journal = open(disk, config, start);
  MemoryStoreConfig memory_config;
  memory_config.durability = durability;
  memory_config.value_bytes_max = config.limits.value_bytes_max;
  memory_config.keys_max = config.limits.keys_max;
  memory_config.flush_interval = config.flush_interval;
  MemoryStore memory(memory_config, start);
  Workload one(seed);
  Workload other(seed);
  Dice dice(seed);
  for (int i = 0; i < 400; ++i) {
    const int answer = one.step(*journal);
    ASSERT_EQ(answer, other.step(memory)) << i;
    ASSERT_EQ(journal->status().last_index, memory.status().last_index);
    if (dice.below(3) != 0) continue;
    const Now now = at_second(i);
    journal->submit(now);
    memory.submit(now);
    if (dice.below(2) == 0) {
      journal->request_flush(journal->status().last_index);
      memory.request_flush(memory.status().last_index);
    }
    journal->advance(now);
    memory.advance(now);
    settle(*journal, disk, now);
    ASSERT_EQ(journal->status().completed_index, memory.status().completed_index);
    Exported of_journal;
    Exported of_memory;
    const std::size_t count = memory.export_audit(of_memory, 100);
    if (durability == Durability::commit) {
      ASSERT_EQ(journal->status().durable_index, memory.status().durable_index) << i;
      ASSERT_EQ(journal->export_audit(of_journal, 100), count);
      ASSERT_EQ(of_journal.last.index, of_memory.last.index);
    } else {  // a snapshot may have had something flushed earlier, and so the next later
      (void)journal->export_audit(of_journal, 100);
      ASSERT_EQ(of_journal.count == 0 ? journal->status().durable_index : of_journal.last.index, journal->status().durable_index);
    }
    if (dice.below(4) == 0) {
      ASSERT_EQ(contents_of(*journal), contents_of(memory)) << i;
    }
  }
  EXPECT_EQ(contents_of(*journal), contents_of(memory));
  for (const std::uint8_t who : {std::uint8_t{1}, std::uint8_t{2}}) {
    EXPECT_EQ(journal->usage_of(peer(who)).keys, memory.usage_of(peer(who)).keys);
    EXPECT_EQ(journal->usage_of(peer(who)).value_bytes, memory.usage_of(peer(who)).value_bytes);
  }
  EXPECT_GE(marks.count(mark_named("journal.snapshot_done")), 3u) << "the log went round";
  const Contents before = contents_of(*journal);
  settle(*journal, disk, at_second(500));
  journal->request_flush(journal->status().last_index);
  journal->submit(at_second(500));
  settle(*journal, disk, at_second(502));
  DiskModel after(disk.durable());
  const auto again = open(after, config, at_second(600));
  ASSERT_TRUE(again->ready());
  EXPECT_EQ(contents_of(*again), before);
}

TEST(Journal, AnswersAsTheMemoryStoreDoesInCommitMode) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) compare_with_memory(Durability::commit, seed);
}
TEST(Journal, AnswersAsTheMemoryStoreDoesInSyncMode) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) compare_with_memory(Durability::sync, seed);
}

}  // namespace
}  // namespace statefs::test
