#include "core/peer_rates.h"

#include <gtest/gtest.h>

namespace statefs {
namespace {

constexpr Time start{5'000};

Owner peer(std::uint8_t seed) {
  Owner owner;
  owner.kind = PeerKind::remote;
  owner.key.bytes.fill(seed);
  return owner;
}
Owner uid(std::uint32_t number) { return {PeerKind::local, {}, number}; }

TEST(PeerRate, GivesSessionEventsAtTheirRate) {
  PeerRateLimits limits;
  limits.session_events = {2, 3};
  PeerRate rate(limits, start);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(rate.take_session_event(start));
  EXPECT_FALSE(rate.take_session_event(start));
  EXPECT_EQ(rate.session_retry_ms(start), 500u);
  EXPECT_FALSE(rate.take_session_event(start + milliseconds(499)));
  EXPECT_EQ(rate.session_retry_ms(start + microseconds(499'999)), 1u) << "rounded up: one who waits as told is let in";
  EXPECT_TRUE(rate.take_session_event(start + milliseconds(500)));
  rate.charge_session_event(start + milliseconds(500));
  EXPECT_EQ(rate.session_retry_ms(start + milliseconds(500)), 1'000u) << "an eviction is paid for with the next";
}

TEST(PeerRate, TakesRequestsAndBytesTogetherOrNeither) {
  PeerRateLimits limits;
  limits.requests = {1, 2};
  limits.bytes = {1'000, 4'000};
  PeerRate rate(limits, start);
  EXPECT_TRUE(rate.take_request(start));
  rate.charge_bytes(6'000, start);
  EXPECT_FALSE(rate.take_request(start)) << "a large one is paid for afterwards";
  EXPECT_EQ(rate.request_retry_ms(start), 2'001u);
  EXPECT_TRUE(rate.take_request(start + milliseconds(2'001)));
  EXPECT_TRUE(rate.take_request(start + milliseconds(2'001))) << "what was refused took no request";
  EXPECT_FALSE(rate.take_request(start + milliseconds(2'001)));
}

TEST(PeerRate, WithoutSettingsLetsAnyNumberOfRequestsIn) {
  PeerRate rate({}, start);
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(rate.take_request(start));
  rate.charge_bytes(std::uint64_t{1} << 40, start);
  EXPECT_TRUE(rate.take_request(start));
  EXPECT_TRUE(rate.may_read(start));
}

TEST(PeerRate, IsReadAgainOnceAPartOfItsRefusalsIsBack) {
  PeerRateLimits limits;
  limits.refusals = {16, 20};  // rests until two are back
  PeerRate rate(limits, start);
  rate.charge_refusals(19, start);
  EXPECT_TRUE(rate.may_read(start));
  rate.charge_refusals(1, start);
  EXPECT_FALSE(rate.may_read(start));
  EXPECT_EQ(rate.read_again_at(), start + milliseconds(125));
  EXPECT_FALSE(rate.may_read(start + milliseconds(124))) << "one is back, and it rests on";
  EXPECT_TRUE(rate.may_read(start + milliseconds(125)));
  rate.charge_refusals(1, start + milliseconds(125));
  EXPECT_TRUE(rate.may_read(start + milliseconds(125))) << "it is read as long as one is left";
}

TEST(PeerRate, RestsAtTheSmallestRateToo) {
  PeerRateLimits limits;
  limits.refusals = {1, 1};
  PeerRate rate(limits, start);
  rate.charge_refusals(1, start);
  EXPECT_FALSE(rate.may_read(start));
  EXPECT_EQ(rate.read_again_at(), start + seconds(1));
  EXPECT_TRUE(rate.may_read(start + seconds(1)));
}

TEST(PeerRate, NamesNoLongerWaitThanTheLongest) {
  PeerRateLimits limits;
  limits.bytes = {1, 1};
  PeerRate rate(limits, start);
  rate.charge_bytes(1'000'000, start);
  EXPECT_FALSE(rate.take_request(start));
  EXPECT_EQ(rate.request_retry_ms(start), limits::retry_after_ms_max);
}

TEST(PeerRates, AreOfOnePeerEachAndOutliveItsConnections) {
  PeerRateLimits limits;
  limits.requests = {1, 1};
  PeerRates rates(limits);
  EXPECT_TRUE(rates.of(peer(1), start).take_request(start));
  EXPECT_FALSE(rates.of(peer(1), start).take_request(start)) << "asked for again, as a new connection does";
  EXPECT_TRUE(rates.of(peer(2), start).take_request(start));
  EXPECT_TRUE(rates.of(uid(1), start).take_request(start));
  EXPECT_EQ(rates.count(), 3u);
}

TEST(PeerRates, StayWhereTheyAreAndKeepWhatAReloadKeeps) {
  PeerRateLimits limits;
  limits.requests = {1, 1};
  PeerRates rates(limits);
  PeerRate& first = rates.of(peer(1), start);
  EXPECT_TRUE(first.take_request(start));
  EXPECT_TRUE(rates.of(peer(2), start).take_request(start));
  rates.retain([](const Owner& owner) { return owner == peer(1); });
  EXPECT_EQ(rates.count(), 1u);
  EXPECT_EQ(&rates.of(peer(1), start), &first);
  EXPECT_FALSE(first.take_request(start)) << "a reload is no way to a fresh rate";
}

TEST(PeerRates, HaveRoomForAllThatAPolicyMayName) {
  PeerRates rates({});
  for (std::uint32_t i = 0; i < limits::rated_peers_max; ++i) (void)rates.of(uid(i), start);
  EXPECT_EQ(rates.count(), limits::rated_peers_max);
  EXPECT_DEATH((void)rates.of(uid(limits::rated_peers_max), start), "rated_peers_max");
}

}  // namespace
}  // namespace statefs
