// What a store promises, its extent has room for: at the edges of the arithmetic, and with a journal that is filled to it.
#include "core/store_room.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/core/left_store.h"

namespace statefs::test {
namespace {

// Of a daemon with a file.
JournalLimits daemon_limits(std::size_t sessions = 64) {
  JournalLimits limits;
  limits.replay_bytes_max = SlotTable::footprint_of(limits::slot_owners_max, sessions);
  return limits;
}

std::uint64_t promised(const JournalLimits& limits) {
  return limits.value_bytes_max + limits.keys_max * (Entries::entry_overhead + limits.key_size_mean);
}

constexpr std::uint64_t mebibyte = 1u << 20;

TEST(StoreRoom, IsTheUsualInAFileOfTheDefaultSize) {
  const std::size_t sessions = usual_sessions(256 * mebibyte, daemon_limits());
  EXPECT_EQ(sessions, limits::sessions_per_key);
  const auto limits = fitted(256 * mebibyte, daemon_limits(sessions), {});
  ASSERT_TRUE(limits.has_value());
  EXPECT_EQ(limits->value_bytes_max, limits::store_value_bytes_default);
  EXPECT_GE(limits->keys_max, limits::journal_keys_usual);
}

TEST(StoreRoom, IsWhatASmallerFileHoldsAndNeverMore) {
  const auto least = fitting_size_min(daemon_limits(), {});
  ASSERT_TRUE(least.has_value());
  EXPECT_FALSE(fitted(*least - 2 * disk_block_size, daemon_limits(), {}).has_value());
  std::uint64_t before = 0;
  std::size_t sessions = limits::sessions_per_key_least;
  for (std::uint64_t size = *least; size <= 300 * mebibyte; size += size / 7 / disk_block_size * disk_block_size) {
    EXPECT_GE(usual_sessions(size, daemon_limits()), sessions) << size;
    sessions = usual_sessions(size, daemon_limits());
    const auto limits = fitted(size, daemon_limits(), {});
    ASSERT_TRUE(limits.has_value()) << size;
    const auto extent = Extent::plan(size, *limits);
    ASSERT_TRUE(extent.ok()) << size;
    EXPECT_LE(promised(*limits), extent.value().entries_footprint_max(*limits)) << size;
    EXPECT_GE(promised(*limits), before) << size;
    EXPECT_GE(limits->value_bytes_max, limits->value_size_max) << size;
    before = promised(*limits);
  }
}

TEST(StoreRoom, KeepsOrRefusesWhatWasAskedFor) {
  const JournalLimits usual = daemon_limits();
  const auto half_open = fitted(64 * mebibyte, usual, {8 * mebibyte, std::nullopt});
  ASSERT_TRUE(half_open.has_value());
  EXPECT_EQ(half_open->value_bytes_max, 8 * mebibyte);
  EXPECT_GT(half_open->keys_max, 0u);
  const auto keys_alone = fitted(64 * mebibyte, usual, {std::nullopt, 1'000});
  ASSERT_TRUE(keys_alone.has_value());
  EXPECT_EQ(keys_alone->keys_max, 1'000u);
  EXPECT_LT(keys_alone->value_bytes_max, limits::store_value_bytes_default);
  EXPECT_FALSE(fitted(64 * mebibyte, usual, {64 * mebibyte, std::nullopt}).has_value());
  EXPECT_FALSE(fitted(64 * mebibyte, usual, {64 * mebibyte, 1}).has_value());
  EXPECT_FALSE(fitted(64 * mebibyte, usual, {std::nullopt, 1'000'000}).has_value());
  constexpr std::uint64_t any = std::numeric_limits<std::int64_t>::max();
  EXPECT_FALSE(fitted(64 * mebibyte, usual, {any, any}).has_value());
  EXPECT_FALSE(fitted(64 * mebibyte, usual, {std::nullopt, any}).has_value());
  EXPECT_FALSE(fitting_size_min(usual, {any, any}).has_value());
}

// One more byte than the extent has is one too many, and the size that is told is enough.
TEST(StoreRoom, EndsToTheByte) {
  const JournalLimits usual = daemon_limits();
  const auto extent = Extent::layout(64 * mebibyte, usual);
  ASSERT_TRUE(extent.ok());
  const std::uint64_t room = extent.value().entries_footprint_max(usual);
  const std::uint64_t key_cost = Entries::entry_overhead + usual.key_size_mean;
  for (const std::uint64_t keys : {1u, 2u, 1'000u}) {
    const std::uint64_t most = room - keys * key_cost;
    EXPECT_TRUE(fitted(extent.value(), usual, {most - 1, keys}).has_value());
    EXPECT_TRUE(fitted(extent.value(), usual, {most, keys}).has_value());
    EXPECT_FALSE(fitted(extent.value(), usual, {most + 1, keys}).has_value());
    for (const StoreWish& wish : {StoreWish{most + 1, keys}, StoreWish{most + 1, std::nullopt}, StoreWish{std::nullopt, keys}}) {
      const auto size = fitting_size_min(usual, wish);
      ASSERT_TRUE(size.has_value());
      EXPECT_TRUE(fitted(*size, usual, wish).has_value());
    }
    EXPECT_FALSE(fitted(*fitting_size_min(usual, {most + 1, keys}) - disk_block_size, usual, {most + 1, keys}).has_value());
  }
}

TEST(StoreRoom, OfAStoreThatWasMadeForLessIsWhatThatHas) {
  JournalLimits small = daemon_limits();
  small.value_bytes_max = 2 * mebibyte;
  small.keys_max = 100;
  const auto extent = Extent::plan(256 * mebibyte, small);
  ASSERT_TRUE(extent.ok());
  const auto limits = fitted(extent.value(), daemon_limits(), {});
  ASSERT_TRUE(limits.has_value());
  EXPECT_LT(limits->value_bytes_max, 3 * mebibyte);
  EXPECT_TRUE(extent.value().admits(*limits).ok());
  EXPECT_FALSE(fitted(extent.value(), daemon_limits(), {64 * mebibyte, std::nullopt}).has_value());
}

TEST(Extent, RefusesLimitsWhoseValuesAndKeysDoNotFit) {
  JournalLimits limits = small_limits();
  ASSERT_TRUE(Extent::plan(small_extent, limits).ok());
  limits.value_bytes_max = small_extent;
  EXPECT_EQ(Extent::plan(small_extent, limits).error(), ExtentError::too_small);
  limits = small_limits();
  limits.keys_max = small_extent / 64;
  EXPECT_EQ(Extent::plan(small_extent, limits).error(), ExtentError::too_small);
}

// Every key and every byte that the limits name, with one snapshot after the other, and then the same again from the disk.
TEST(StoreRoom, HoldsAllOfItAtOnceAndAfterARestart) {
  constexpr std::size_t size = 512 * 1024;
  JournalConfig config = small_config();
  JournalLimits& limits = config.limits;
  limits.keys_max = 250;
  limits.value_size_max = 600;
  const auto extent = Extent::layout(size, limits);
  ASSERT_TRUE(extent.ok());
  limits.value_bytes_max = extent.value().entries_footprint_max(limits) - limits.keys_max * (Entries::entry_overhead + limits.key_size_mean);
  DiskModel disk(size);
  auto journal = open(disk, config, at_second(0));
  ASSERT_TRUE(journal->ready());
  Exported exported;
  std::int64_t second = 0;
  const auto put = [&](std::uint64_t number, std::size_t value_size) {
    std::string key = "/" + std::to_string(number) + "/";
    key.resize(limits.key_size_mean, 'k');
    AuditRecord record;
    record.peer = peer(1);
    record.key = key;
    record.key_size = static_cast<std::uint32_t>(key.size());
    const Bytes value(value_size, 0x5a);
    const Effect effect{Effect::Kind::put, CanonicalKey::from(as_bytes(key)).value(), value};
    const auto appended = journal->append(record, effect, {});
    journal->submit(at_second(++second));
    settle(*journal, disk, at_second(second));
    journal->export_audit(exported, 100);
    return appended;
  };
  std::uint64_t left = limits.value_bytes_max;
  const std::size_t share = left / limits.keys_max;
  for (std::uint64_t i = 1; i < limits.keys_max; ++i, left -= share) ASSERT_TRUE(put(i, share).ok()) << i;
  ASSERT_LE(left, limits.value_size_max);
  EXPECT_EQ(put(0, left + 1).error(), AppendError::no_space);
  ASSERT_TRUE(put(0, left).ok());
  EXPECT_EQ(put(limits.keys_max, 0).error(), AppendError::no_space);
  // Twice round the log, so that all of it has gone through a snapshot.
  for (std::uint64_t i = 0; i < 2 * journal->extent().ring_size / share; ++i) ASSERT_TRUE(put(1 + i % (limits.keys_max - 1), share).ok()) << i;
  const Contents before = contents_of(*journal);
  EXPECT_EQ(before.entries.size(), limits.keys_max);
  journal = open(disk, config, at_second(++second));
  ASSERT_TRUE(journal->ready());
  EXPECT_EQ(contents_of(*journal), before);
}

}  // namespace
}  // namespace statefs::test
