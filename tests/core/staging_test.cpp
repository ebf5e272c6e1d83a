#include "core/staging.h"

#include <gtest/gtest.h>

#include <string>

#include "core/check.h"

namespace statefs {
namespace {

constexpr std::size_t value_max = 1'000;

StagingLimits small_limits() {
  StagingLimits limits = StagingLimits::for_values_up_to(value_max);
  limits.stages_per_peer_max = 3;
  limits.bytes_per_peer_max = 2 * value_max;
  limits.bytes_max = 3 * value_max;
  return limits;
}

Owner peer(std::uint8_t number) {
  Owner owner{PeerKind::remote, {}, 0};
  owner.key.bytes.fill(number);
  return owner;
}

CanonicalKey key_of(std::string_view text) {
  const auto key = CanonicalKey::from(as_bytes(text));
  STATEFS_CHECK(key.ok());
  return key.value();
}

class StagingOf : public ::testing::Test {
 protected:
  Staging::Taken take(std::uint64_t stage, std::uint64_t total, std::uint64_t offset, std::string_view chunk, std::string_view key = "/a",
                      std::uint8_t owner = 1) {
    StageRequest request{stage, total, offset, as_bytes(key), static_cast<std::uint32_t>(chunk.size()), as_bytes(chunk)};
    return staging.take(request, key_of(key), peer(owner), now);
  }
  Staging::Whole find(std::uint64_t stage, std::string_view value, std::string_view key = "/a", std::uint8_t owner = 1) {
    return staging.find({stage, value.size(), Sha256().of(as_bytes(value))}, key_of(key), peer(owner), now);
  }
  void wait(Duration duration) { now.monotonic = now.monotonic + duration; }

  Marks marks;
  Staging staging{small_limits(), marks};
  Now now{Time{1'000}, 0};
};

void expect(const Staging::Taken& taken, Status status, std::uint64_t staged_size) {
  EXPECT_EQ(taken.status, status);
  EXPECT_EQ(taken.staged_size, staged_size);
}

TEST_F(StagingOf, AValueIsWhatItsChunksAddUpTo) {
  expect(take(1, 10, 0, "0123"), Status::ok, 4);
  EXPECT_EQ(find(1, "0123456789").status, Status::stage_missing);
  expect(take(1, 10, 4, "456789"), Status::ok, 10);
  const Staging::Whole whole = find(1, "0123456789");
  ASSERT_EQ(whole.status, Status::ok);
  EXPECT_EQ(as_text(whole.value), "0123456789");
  EXPECT_EQ(find(1, "0123456789").status, Status::ok) << "it stays until it is dropped";
  staging.drop(peer(1), 1);
  EXPECT_EQ(find(1, "0123456789").status, Status::stage_missing);
  EXPECT_EQ(staging.reserved_size(), 0u);
  EXPECT_EQ(staging.deadline(), never);
}

TEST_F(StagingOf, ChunksMayComeAgainInAnyCuts) {
  const std::string value = "0123456789";
  for (std::size_t at = 0; at <= value.size(); ++at) {
    for (std::size_t size = 0; size <= value.size() - at; ++size) {
      expect(take(1, 10, 0, "0123456"), Status::ok, 7);
      const auto taken = take(1, 10, at, std::string_view(value).substr(at, size));
      if (at > 7) {
        expect(taken, Status::stage_missing, 7);
      } else {
        expect(taken, Status::ok, std::max<std::size_t>(7, at + size));
        expect(take(1, 10, at, std::string_view(value).substr(at, size)), Status::ok, taken.staged_size);
      }
      expect(take(1, 10, 5, "56789"), Status::ok, 10);
      EXPECT_EQ(find(1, value).status, Status::ok) << at << ' ' << size;
      expect(take(1, 10, 5, "56789"), Status::ok, 10);
      EXPECT_EQ(find(1, value).status, Status::ok) << "a chunk again after the digest is known";
      staging.drop(peer(1), 1);
    }
  }
}

TEST_F(StagingOf, AnEmptyChunkAsksHowFarItIs) {
  expect(take(1, 5, 0, ""), Status::ok, 0);
  expect(take(1, 5, 0, "abc"), Status::ok, 3);
  expect(take(1, 5, 0, ""), Status::ok, 3);
  expect(take(1, 5, 5, ""), Status::stage_missing, 3);
}

TEST_F(StagingOf, AnEmptyValueIsWhole) {
  EXPECT_EQ(find(1, "").status, Status::stage_missing);
  expect(take(1, 0, 0, ""), Status::ok, 0);
  EXPECT_EQ(find(1, "").status, Status::ok);
}

TEST_F(StagingOf, LeavesNoHole) {
  expect(take(1, 10, 1, "1"), Status::stage_missing, 0);
  expect(take(1, 10, 0, "0"), Status::ok, 1);
  expect(take(1, 10, 2, "2"), Status::stage_missing, 1);
  expect(take(1, 10, ~std::uint64_t{0}, ""), Status::stage_missing, 1);
}

TEST_F(StagingOf, BelongsToOneKeyAndOneSize) {
  expect(take(1, 10, 0, "01234"), Status::ok, 5);
  expect(take(1, 10, 5, "5", "/b"), Status::stage_missing, 0);
  expect(take(1, 9, 5, "5"), Status::stage_missing, 0);
  expect(take(1, 10, 5, "56789"), Status::ok, 10);
  EXPECT_EQ(find(1, "0123456789", "/b").status, Status::stage_missing);
  EXPECT_EQ(staging.find({1, 9, {}}, key_of("/a"), peer(1), now).status, Status::stage_missing);
  EXPECT_EQ(find(1, "0123456789").status, Status::ok);
  expect(take(1, 3, 0, "xyz", "/b"), Status::ok, 3);
  EXPECT_EQ(find(1, "0123456789").status, Status::stage_missing) << "it began anew";
  EXPECT_EQ(find(1, "xyz", "/b").status, Status::ok);
  EXPECT_EQ(staging.reserved_size(), 3u);
}

TEST_F(StagingOf, OtherBytesNeverMixWithThoseThatWereThere) {
  expect(take(1, 6, 0, "abcd"), Status::ok, 4);
  expect(take(1, 6, 2, "cXef"), Status::stage_missing, 0);
  EXPECT_EQ(staging.reserved_size(), 0u);
  expect(take(1, 6, 0, "abcd"), Status::ok, 4);
  expect(take(1, 6, 0, "aXcd"), Status::ok, 4);
  expect(take(1, 6, 4, "ef"), Status::ok, 6);
  EXPECT_EQ(find(1, "aXcdef").status, Status::ok);
}

TEST_F(StagingOf, ChecksTheDigestOfTheWhole) {
  expect(take(1, 6, 0, "abcdef"), Status::ok, 6);
  const Staging::Whole whole = find(1, "abcdeX");
  EXPECT_EQ(whole.status, Status::digest_mismatch);
  EXPECT_TRUE(whole.value.empty());
  EXPECT_EQ(find(1, "abcdef").status, Status::ok);
}

TEST_F(StagingOf, BelongsToOnePeer) {
  expect(take(1, 6, 0, "abcdef"), Status::ok, 6);
  EXPECT_EQ(find(1, "abcdef", "/a", 2).status, Status::stage_missing);
  expect(take(1, 6, 3, "XXX", "/a", 2), Status::stage_missing, 0);
  expect(take(1, 6, 0, "uvwxyz", "/a", 2), Status::ok, 6);
  EXPECT_EQ(as_text(find(1, "abcdef").value), "abcdef");
  EXPECT_EQ(as_text(find(1, "uvwxyz", "/a", 2).value), "uvwxyz");
}

TEST_F(StagingOf, HoldsAPeerToItsNumberOfStages) {
  for (std::uint64_t stage = 0; stage < 3; ++stage) expect(take(stage, 1, 0, ""), Status::ok, 0);
  for (std::uint64_t stage = 3; stage < 5'000; ++stage) expect(take(stage, 1, 0, ""), Status::overloaded, 0);
  EXPECT_EQ(staging.reserved_size(), 3u);
  expect(take(9, 1, 0, "", "/a", 2), Status::ok, 0);
  staging.drop(peer(1), 2);
  expect(take(3, 1, 0, ""), Status::ok, 0);
}

TEST_F(StagingOf, HoldsAPeerToItsBytesAtTheLimit) {
  expect(take(1, value_max, 0, ""), Status::ok, 0);
  expect(take(2, value_max - 1, 0, ""), Status::ok, 0);
  expect(take(3, 2, 0, ""), Status::overloaded, 0);
  expect(take(3, 1, 0, ""), Status::ok, 0);
  EXPECT_EQ(staging.reserved_size(), 2 * value_max);
}

TEST_F(StagingOf, HoldsAllPeersToTheBytesInAll) {
  expect(take(1, value_max, 0, ""), Status::ok, 0);
  expect(take(2, value_max, 0, ""), Status::ok, 0);
  expect(take(1, value_max, 0, "", "/a", 2), Status::ok, 0);
  expect(take(1, 1, 0, "", "/a", 3), Status::overloaded, 0);
  expect(take(2, 0, 0, "", "/a", 3), Status::ok, 0);
  staging.drop(peer(1), 1);
  expect(take(1, 1, 0, "", "/a", 3), Status::ok, 0);
}

TEST_F(StagingOf, GivesWayWithinItsOwnPeerWhenItIsIdle) {
  expect(take(1, value_max, 0, "a"), Status::ok, 1);
  wait(seconds(1));
  expect(take(2, value_max, 0, "b"), Status::ok, 1);
  expect(take(1, value_max, 0, "a", "/a", 2), Status::ok, 1);
  wait(limits::stage_yield_after);
  expect(take(2, value_max, 1, "b"), Status::ok, 2);
  expect(take(3, value_max, 0, "c"), Status::ok, 1);
  expect(take(1, value_max, 1, "a"), Status::stage_missing, 0);
  expect(take(2, value_max, 2, "b"), Status::ok, 3);
  expect(take(1, value_max, 1, "a", "/a", 2), Status::ok, 2);
  expect(take(4, value_max, 0, "d"), Status::overloaded, 0);
}

TEST_F(StagingOf, ExpiresAfterLongDisuse) {
  expect(take(1, 10, 0, "a"), Status::ok, 1);
  expect(take(2, 10, 0, "a"), Status::ok, 1);
  wait(nanoseconds(limits::stage_idle_max.ns - 1));
  expect(take(2, 10, 1, "b"), Status::ok, 2);
  staging.advance(now);
  EXPECT_EQ(staging.reserved_size(), 20u);
  wait(nanoseconds(1));
  EXPECT_EQ(staging.deadline(), now.monotonic);
  staging.advance(now);
  EXPECT_EQ(staging.reserved_size(), 10u);
  expect(take(1, 10, 1, "b"), Status::stage_missing, 0);
  EXPECT_EQ(staging.deadline(), now.monotonic + nanoseconds(limits::stage_idle_max.ns - 1));
  wait(limits::stage_idle_max);
  staging.advance(now);
  EXPECT_EQ(staging.reserved_size(), 0u);
  EXPECT_EQ(staging.deadline(), never);
}

TEST_F(StagingOf, GoesWithItsPeer) {
  expect(take(1, 10, 0, "a"), Status::ok, 1);
  expect(take(1, 10, 0, "a", "/a", 2), Status::ok, 1);
  staging.drop_unless([](const Owner& owner) { return owner == peer(2); });
  EXPECT_EQ(staging.reserved_size(), 10u);
  expect(take(1, 10, 1, "b", "/a", 2), Status::ok, 2);
  expect(take(1, 10, 1, "b"), Status::stage_missing, 0);
}

}  // namespace
}  // namespace statefs
