#include <gtest/gtest.h>

#include <algorithm>

#include "tests/core/journal_run.h"
#include "tests/core/sweep.h"

namespace statefs::test {
namespace {

Now at_second(std::int64_t second) { return {Time{1 + second * 1'000'000'000}, second}; }

// A store at rest: snapshots were taken, the log went round, everything is durable and marked.
struct AtRest {
  Bytes image;
  Bytes earlier;  // the same store some snapshots before
  Contents contents;
  AuditHead last;
  Superblock superblock;

  explicit AtRest(std::uint64_t seed = 3, std::uint8_t store = 0x77) {
    JournalConfig config = small_config();
    config.fresh_store.fill(store);
    DiskModel disk(small_extent);
    const auto journal = open(disk, config, at_second(0));
    Workload workload(seed);
    Exported exported;
    for (int i = 1; i <= 210; ++i) {
      (void)workload.step(*journal);
      journal->submit(at_second(i));
      settle(*journal, disk, at_second(i));
      journal->export_audit(exported, 7);
      if (i == 120) earlier = disk.kept();
    }
    settle(*journal, disk, at_second(300));
    settle(*journal, disk, at_second(302));
    settle(*journal, disk, at_second(304));
    image = disk.durable();
    contents = contents_of(*journal);
    last = journal->status().durable_head;
    superblock = decode_superblock(ByteView(image).first(disk_block_size)).value();
  }
};

// What recovery alone says of an image.
RecoveryReport recover(const Bytes& image, std::optional<Recovery::Store>* store = nullptr) {
  RecoveryConfig config;
  config.limits = small_limits();
  config.node = small_config().node;
  Recovery recovery(config, image.size());
  for (auto request = recovery.next_request(); request; request = recovery.next_request()) {
    STATEFS_CHECK(request->kind == DiskRequest::Kind::read);
    recovery.completed(request->id, true, ByteView(image).subspan(request->offset, request->size));
  }
  STATEFS_CHECK(recovery.done());
  const RecoveryReport report = recovery.report();
  if (store != nullptr && (report.found == Found::recovered || report.found == Found::fresh)) *store = std::move(recovery.store());
  return report;
}

// All of it, or a refusal with a place: there is nothing in between when everything is marked.
void expect_all_or_refused(const AtRest& rest, const Bytes& image, const std::string& what) {
  std::optional<Recovery::Store> store;
  const RecoveryReport report = recover(image, &store);
  if (report.found == Found::corrupt || report.found == Found::foreign) {
    ASSERT_LT(report.place, rest.image.size()) << what;
    ASSERT_TRUE(report.found == Found::foreign || report.damage != Damage::none) << what;
    return;
  }
  ASSERT_EQ(report.found, Found::recovered) << what;
  ASSERT_EQ(report.last, rest.last) << what;
  ASSERT_EQ(store->state.slots, rest.contents.slots) << what;
  ASSERT_EQ(store->state.entries.map().size(), rest.contents.entries.size()) << what;
  for (const auto& [key, entry] : store->state.entries.map()) {
    ASSERT_EQ(std::pair(entry.value, entry.revision), rest.contents.entries.at(key)) << what;
  }
}

TEST(JournalDamage, IsNotThereInAStoreAtRest) {
  const AtRest rest;
  EXPECT_GE(rest.superblock.sequence, 3u);
  EXPECT_EQ(recover(rest.image).found, Found::recovered);
  expect_all_or_refused(rest, rest.image, "untouched");
}

TEST(JournalDamage, OfAnyByteIsMendedOrReported) {
  const AtRest rest;
  std::size_t reported = 0;
  std::size_t open_count = 0;
  Bytes image = rest.image;
  for (std::size_t at = 0; at < image.size(); ++at) {
    // Every byte that means something, and some of those that do not.
    const bool used = image[at] != 0 || (at < Extent::head_size && at % disk_block_size < 256);
    if (!used && at % 509 != 0) continue;
    if (at >= Extent::head_size && at % sweep_step(5) != 0) continue;
    const std::uint8_t before = image[at];
    image[at] = static_cast<std::uint8_t>(before ^ (1u << (at % 8)));
    expect_all_or_refused(rest, image, "byte " + std::to_string(at));
    if (HasFatalFailure()) return;
    recover(image).found == Found::recovered ? ++open_count : ++reported;
    image[at] = before;
  }
  EXPECT_GT(reported, 500u);
  EXPECT_GT(open_count, 500u);
}

TEST(JournalDamage, InTheLogIsReportedAtTheRecordThatHasIt) {
  const AtRest rest;
  const std::uint64_t begin = rest.superblock.extent.log_offset(rest.superblock.start.position);
  Bytes image = rest.image;
  image[begin + 20] ^= 1;
  const RecoveryReport report = recover(image);
  EXPECT_EQ(report.found, Found::corrupt);
  EXPECT_EQ(report.damage, Damage::log);
  EXPECT_EQ(report.place, begin);
}

TEST(JournalDamage, InTheSnapshotIsReportedInItsSlot) {
  const AtRest rest;
  const std::uint64_t slot = rest.superblock.extent.slot_offset(rest.superblock.snapshot.slot);
  Bytes image = rest.image;
  image[slot + 100] ^= 1;
  const RecoveryReport report = recover(image);
  EXPECT_EQ(report.found, Found::corrupt);
  EXPECT_EQ(report.damage, Damage::snapshot);
  EXPECT_EQ(report.place, slot);
}

TEST(JournalDamage, OfOneSuperblockOrOneMarkIsMended) {
  const AtRest rest;
  for (const std::uint64_t offset : {Extent::superblock_offset(0), Extent::superblock_offset(1), Extent::mark_offset(0), Extent::mark_offset(1)}) {
    DiskModel disk(rest.image);
    Bytes image = rest.image;
    image[offset + 9] ^= 4;
    DiskModel damaged(image);
    const auto journal = open(damaged, small_config(), at_second(400));
    ASSERT_TRUE(journal->ready()) << offset;
    EXPECT_EQ(contents_of(*journal), rest.contents);
    const auto block = [&](std::uint32_t copy) { return ByteView(damaged.durable()).subspan(Extent::superblock_offset(copy), disk_block_size); };
    EXPECT_TRUE(equal(block(0), block(1))) << offset;
  }
}

TEST(JournalDamage, OfBothSuperblocksIsForeignAndOfBothMarksCorrupt) {
  const AtRest rest;
  Bytes image = rest.image;
  image[Extent::superblock_offset(0) + 9] ^= 4;
  image[Extent::superblock_offset(1) + 9] ^= 4;
  EXPECT_EQ(recover(image).found, Found::foreign);
  image = rest.image;
  image[Extent::mark_offset(0) + 9] ^= 4;
  image[Extent::mark_offset(1) + 9] ^= 4;
  EXPECT_EQ(recover(image).found, Found::corrupt);
  EXPECT_EQ(recover(image).damage, Damage::marks);
}

TEST(JournalDamage, ByTruncationIsRefusedAtEveryBlock) {
  const AtRest rest;
  for (std::size_t size = 0; size < rest.image.size(); size += sweep_step(1024)) {
    const Bytes image(rest.image.begin(), rest.image.begin() + static_cast<std::ptrdiff_t>(size));
    const RecoveryReport report = recover(image);
    ASSERT_TRUE(report.found == Found::corrupt || report.found == Found::unfit) << size;
    if (report.found == Found::corrupt) {
      ASSERT_EQ(report.damage, Damage::truncated) << size;
    }
  }
  // Zeros instead of what is gone.
  for (std::size_t size = 0; size < rest.image.size(); size += disk_sector_size) {
    Bytes image = rest.image;
    std::fill(image.begin() + static_cast<std::ptrdiff_t>(size), image.end(), std::uint8_t{0});
    if (size == 0) continue;
    expect_all_or_refused(rest, image, "zeros from " + std::to_string(size));
    if (HasFatalFailure()) return;
  }
}

TEST(JournalDamage, BySectorsThatChangePlacesIsMendedOrReported) {
  const AtRest rest;
  const std::size_t count = rest.image.size() / disk_sector_size;
  for (std::size_t one = 0; one < count; one += sweep_step(5)) {
    for (std::size_t other = one + 1; other < count; other += sweep_step(11)) {
      Bytes image = rest.image;
      const auto at = [&image](std::size_t sector) { return image.begin() + static_cast<std::ptrdiff_t>(sector * disk_sector_size); };
      if (std::equal(at(one), at(one + 1), at(other))) continue;
      std::swap_ranges(at(one), at(one + 1), at(other));
      expect_all_or_refused(rest, image, std::to_string(one) + " and " + std::to_string(other));
      if (HasFatalFailure()) return;
    }
  }
}

// Blocks of the head from the same store earlier, or from another: all four, one at a time, and all pairs.
TEST(JournalDamage, ByOlderOrForeignHeadBlocksIsMendedOrReported) {
  const AtRest rest;
  const AtRest other(5, 0x66);
  for (const Bytes* const from : {&rest.earlier, &other.image}) {
    for (unsigned blocks = 1; blocks < 15; ++blocks) {
      if (from == &rest.earlier && (blocks & 9) == 9 && (blocks & 6) == 6) continue;
      Bytes image = rest.image;
      for (std::size_t block = 0; block < 4; ++block) {
        if ((blocks >> block & 1) == 0) continue;
        const auto begin = static_cast<std::ptrdiff_t>(block * disk_block_size);
        std::copy(from->begin() + begin, from->begin() + begin + disk_block_size, image.begin() + begin);
      }
      expect_all_or_refused(rest, image, "blocks " + std::to_string(blocks));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(JournalDamage, OfAnExtentThatIsNoStoreIsForeignAndLeftAlone) {
  for (const std::size_t at : {std::size_t{0}, std::size_t{511}, Extent::head_size + 7, small_extent - 1}) {
    Bytes image(small_extent);
    image[at] = 1;
    DiskModel disk(image);
    bool wrote = false;
    disk.before = [&wrote](const DiskRequest&) { wrote = true; };
    const auto journal = open(disk, small_config(), at_second(0));
    EXPECT_TRUE(journal->refused()) << at;
    EXPECT_EQ(journal->report().found, Found::foreign) << at;
    EXPECT_TRUE(journal->status().failed);
    EXPECT_FALSE(wrote);
  }
  const AtRest rest;
  JournalConfig another = small_config();
  another.node.bytes.fill(0x23);
  DiskModel disk(rest.image);
  EXPECT_EQ(open(disk, another, at_second(0))->report().found, Found::foreign);
}

TEST(JournalLimits, ThatAreLowerThanWhatIsStoredRefuseTheStoreWhole) {
  const AtRest rest;
  Misfit misfit = Misfit::none;
  const auto found_with = [&rest, &misfit](const JournalLimits& limits) {
    JournalConfig config = small_config();
    config.limits = limits;
    DiskModel disk(rest.image);
    const auto journal = open(disk, config, at_second(0));
    misfit = journal->report().misfit;
    return journal->report().found;
  };
  EXPECT_EQ(found_with(small_limits()), Found::recovered);
  JournalLimits lower = small_limits();
  lower.value_size_max = 20;
  EXPECT_EQ(found_with(lower), Found::unfit);
  EXPECT_EQ(misfit, Misfit::value);
  lower = small_limits();
  lower.replay_bytes_max = SlotTable::session_footprint;
  EXPECT_EQ(found_with(lower), Found::unfit);
  EXPECT_EQ(misfit, Misfit::sessions);
  JournalLimits more = small_limits();
  more.replay_bytes_max *= 4;
  EXPECT_EQ(found_with(more), Found::unfit) << "no room beside what was promised to entries";
  EXPECT_EQ(misfit, Misfit::extent);
  more.value_bytes_max = more.keys_max = 0;
  more.replay_bytes_max = rest.superblock.extent.snapshot_items_max(more) - epochs_item_size_max - Entries::entry_overhead -
                          limits::key_size_max - more.value_size_max;
  EXPECT_EQ(found_with(more), Found::unfit) << "no room beside the entries that are there";
  EXPECT_EQ(misfit, Misfit::entries);
  lower = small_limits();
  lower.keys_max = 1;
  lower.value_bytes_max = 1;
  EXPECT_EQ(found_with(lower), Found::recovered) << "what is there stays; more is refused";
}

TEST(JournalDamage, MakesEveryAnswerAFailure) {
  const AtRest rest;
  Bytes image = rest.image;
  image[rest.superblock.extent.log_offset(rest.superblock.start.position) + 20] ^= 1;
  DiskModel disk(image);
  const auto journal = open(disk, small_config(), at_second(0));
  EXPECT_FALSE(journal->ready());
  EXPECT_TRUE(journal->refused());
  EXPECT_TRUE(journal->status().failed);
  EXPECT_FALSE(journal->next("", true).has_value());
  AuditRecord record;
  EXPECT_FALSE(journal->append(record).ok());
  EXPECT_EQ(disk.kept(), image);
}

// A value may hold bytes that are records. Past a cut nothing is read as one.
TEST(JournalDamage, BeyondTheCutIsNeverReadEvenWhereItLooksLikeRecords) {
  DiskModel disk(small_extent);
  auto journal = open(disk, small_config(), at_second(0));
  Workload workload(1);
  for (int i = 0; i < 10; ++i) (void)workload.step(*journal);
  journal->submit(at_second(1));
  while (journal->status().durable_index != journal->status().last_index) ASSERT_TRUE(disk.serve_one(*journal));
  const AuditHead head = journal->status().durable_head;
  const Extent extent = journal->extent();
  for (int i = 0; i < 10; ++i) (void)workload.step(*journal);
  journal->submit(at_second(2));
  settle(*journal, disk, at_second(2));
  Bytes image = disk.durable();
  // The record after `head` is torn away; those behind it are whole and chain to one another.
  const RecoveryReport whole = recover(image);
  ASSERT_GT(whole.last.index, head.index);
  const auto mark = decode_mark(ByteView(image).subspan(Extent::mark_offset(0), disk_block_size));
  ASSERT_TRUE(mark.ok());
  std::size_t torn_count = 0;
  for (std::size_t at = extent.ring_offset(); at < image.size(); at += disk_sector_size) {
    Bytes torn = image;
    std::fill_n(torn.begin() + static_cast<std::ptrdiff_t>(at), disk_sector_size, std::uint8_t{0});
    const RecoveryReport report = recover(torn);
    if (report.found != Found::recovered || report.last == whole.last) continue;
    DiskModel after(torn);
    const auto again = open(after, small_config(), at_second(9));
    ASSERT_TRUE(again->ready());
    const RecoveryReport third = recover(after.durable());
    ASSERT_EQ(third.found, Found::recovered);
    EXPECT_EQ(third.last.index, first_index_of(2)) << "the epoch record is the end, whatever lies behind it";
    EXPECT_GT(report.cut_size, 0u);
    ++torn_count;
  }
  EXPECT_GE(torn_count, 3u);
}

}  // namespace
}  // namespace statefs::test
