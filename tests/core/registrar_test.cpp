#include "core/registrar.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include "tests/core/device.h"
#include "tests/core/journal_run.h"

namespace statefs {
namespace {

using namespace test;

SessionInstance instance(std::uint32_t seed) {
  SessionInstance out{};
  store_le<std::uint32_t>(out.data(), seed);
  return out;
}

class RegistrarTest : public testing::Test {
 protected:
  RegistrarTest()
      : store_(MemoryStoreConfig{}, now_),
        tally_(store_, Digest{}, marks_),
        registrar_(store_, tally_, marks_, limits::sessions_per_key) {}

  Applicant from(ConnectionId connection, std::uint8_t peer = 1) {
    PeerRef asks;
    asks.kind = PeerKind::remote;
    asks.key.bytes.fill(peer);
    return {asks, rates_.of(owner_of(asks), now_.monotonic), connection};
  }
  Registered open(std::uint32_t seed, std::uint32_t generation, ConnectionId connection, std::uint8_t peer = 1) {
    now_.monotonic = now_.monotonic + seconds(1);  // within the rate
    return registrar_.open({instance(seed), generation}, from(connection, peer), now_);
  }
  Registered resume(std::uint32_t seed, std::uint32_t generation, ConnectionId connection, std::uint8_t peer = 1) {
    now_.monotonic = now_.monotonic + seconds(1);
    return registrar_.resume({instance(seed), generation}, from(connection, peer), now_);
  }
  Outcome outcome(std::uint32_t seed, std::uint64_t sequence, std::uint8_t peer = 1) {
    return registrar_.outcome({instance(seed), sequence, 0}, from(0, peer).peer).outcome;
  }
  // Uses the next sequence of slot 0.
  void use(std::uint64_t session, std::uint64_t sequence, Status status) {
    AuditRecord record;
    record.peer = from(0).peer;
    SlotChange change;
    change.kind = SlotChange::Kind::use;
    change.at = {session, sequence, 1, 0};
    change.result = {sequence, Digest{}, status, 0, 0};
    ASSERT_TRUE(store_.append(record, {}, change).ok());
  }

  Now now_{Time{1}, 1};
  MemoryStore store_;
  Marks marks_;
  PeerRates rates_{PeerRateLimits{}};
  Tally tally_;
  Registrar registrar_;
};

TEST_F(RegistrarTest, OpensASessionOnceForEachInstance) {
  const Registered first = open(1, 1, 10);
  ASSERT_EQ(first.status, Status::ok);
  EXPECT_EQ(first.answer.slots.size(), limits::slots_per_session);
  const Registered again = open(1, 2, 11);
  EXPECT_EQ(again.status, Status::ok) << "a second OPEN of a live one acts as RESUME";
  EXPECT_EQ(again.answer.session, first.answer.session);
  EXPECT_EQ(again.answer.generation, 2u);
  EXPECT_EQ(store_.slots().live(owner_of(from(0).peer)).size(), 1u);
}

TEST_F(RegistrarTest, FencesAGenerationThatIsNotHigher) {
  const auto session = open(1, 5, 10).answer.session;
  EXPECT_EQ(resume(1, 5, 11).status, Status::fenced);
  EXPECT_EQ(resume(1, 4, 11).status, Status::fenced);
  EXPECT_EQ(open(1, 5, 11).status, Status::fenced);
  EXPECT_EQ(resume(1, 6, 11).status, Status::ok);
  EXPECT_EQ(registrar_.close({session, 5}, from(10), now_).status, Status::fenced);
  EXPECT_EQ(registrar_.close({session, 6}, from(11), now_).status, Status::ok);
}

TEST_F(RegistrarTest, ResumesOnlyWhatIsLiveAndItsOwn) {
  EXPECT_EQ(resume(1, 1, 10).status, Status::session_unknown);
  const auto session = open(1, 1, 10).answer.session;
  EXPECT_EQ(resume(1, 2, 11, 2).status, Status::session_unknown) << "another peer's";
  EXPECT_EQ(registrar_.close({session, 1}, from(11, 2), now_).status, Status::session_unknown);
  EXPECT_EQ(registrar_.close({session, 1}, from(10), now_).status, Status::ok);
  EXPECT_EQ(resume(1, 2, 10).status, Status::session_unknown);
  EXPECT_EQ(open(1, 3, 10).status, Status::session_unknown) << "what has ended stays ended";
}

TEST_F(RegistrarTest, ClosesAgainWithTheSameAnswer) {
  const auto session = open(1, 1, 10).answer.session;
  use(session, 1, Status::ok);
  const Registered first = registrar_.close({session, 1}, from(10), now_);
  const Registered again = registrar_.close({session, 1}, from(12), now_);
  ASSERT_EQ(again.status, Status::ok);
  ASSERT_EQ(again.answer.slots.size(), first.answer.slots.size());
  EXPECT_EQ(again.answer.slots[0].sequence, 1u);
  EXPECT_EQ(again.answer.slots[0].index, first.answer.slots[0].index);
}

TEST_F(RegistrarTest, EvictsTheLeastRecentlyUsedSessionWithoutAConnection) {
  std::vector<std::uint64_t> sessions;
  for (std::uint32_t i = 1; i <= limits::sessions_per_key; ++i) sessions.push_back(open(i, 1, i).answer.session);
  EXPECT_EQ(open(9'000, 1, 9'000).status, Status::session_limit) << "all are in use";
  registrar_.connection_ended(2);
  registrar_.connection_ended(3);
  use(sessions[1], 1, Status::ok);  // 2 was used after 3
  EXPECT_EQ(open(9'000, 1, 9'000).status, Status::ok);
  EXPECT_EQ(resume(3, 2, 3).status, Status::session_unknown);
  EXPECT_EQ(resume(2, 2, 2).status, Status::ok);
  EXPECT_EQ(open(8'000, 1, 8'000).status, Status::session_limit);
}

TEST_F(RegistrarTest, TellsOutcomesAndNeverTakesAFinalOneBack) {
  const auto session = open(1, 1, 10).answer.session;
  EXPECT_EQ(outcome(1, 1), Outcome::pending);
  use(session, 1, Status::ok);
  EXPECT_EQ(outcome(1, 1), Outcome::applied);
  EXPECT_EQ(outcome(1, 2), Outcome::pending) << "a live session may still execute it";
  use(session, 2, Status::access_denied);
  EXPECT_EQ(outcome(1, 2), Outcome::refused);
  EXPECT_EQ(outcome(1, 1), Outcome::beyond_horizon);
  EXPECT_EQ(outcome(1, 2, 2), Outcome::beyond_horizon) << "own key only";
  ASSERT_EQ(registrar_.close({session, 1}, from(10), now_).status, Status::ok);
  EXPECT_EQ(outcome(1, 2), Outcome::refused);
  EXPECT_EQ(outcome(1, 3), Outcome::never_executed);
  EXPECT_EQ(outcome(1, 0), Outcome::beyond_horizon);
  EXPECT_EQ(registrar_.outcome({instance(1), 2, 0}, from(10).peer).revision, 0u) << "as it was answered";
}

TEST_F(RegistrarTest, RatesSessionEventsForEachKey) {
  ASSERT_EQ(open(1, 1, 10).status, Status::ok);
  std::size_t done = 0;
  Registered last;
  for (std::uint32_t generation = 2; generation < 2'000; ++generation) {
    last = registrar_.resume({instance(1), generation}, from(10), now_);
    if (last.status != Status::ok) break;
    ++done;
  }
  EXPECT_EQ(last.status, Status::overloaded);
  EXPECT_GT(last.answer.retry_after_ms, 0u);
  EXPECT_LE(done, static_cast<std::size_t>(limits::session_events_burst));
  EXPECT_EQ(registrar_.open({instance(5), 1}, from(11, 2), now_).status, Status::ok) << "another peer is not held up";
  now_.monotonic = now_.monotonic + seconds(1);
  EXPECT_EQ(resume(1, 10'000, 10).status, Status::ok);
}

TEST_F(RegistrarTest, RatesClosesAndEvictionsAsSessionEvents) {
  PeerRateLimits few;
  few.session_events = {1, 3};
  PeerRates rates(few);
  const auto asks = [&](ConnectionId connection) {
    const PeerRef peer = from(0).peer;
    return Applicant{peer, rates.of(owner_of(peer), now_.monotonic), connection};
  };
  const Registered opened = registrar_.open({instance(1), 1}, asks(1), now_);
  ASSERT_EQ(opened.status, Status::ok);
  EXPECT_EQ(registrar_.close({opened.answer.session, 1}, asks(1), now_).status, Status::ok);
  EXPECT_EQ(registrar_.close({opened.answer.session, 1}, asks(1), now_).status, Status::ok) << "one that ended is flushed for, too";
  const Registered late = registrar_.close({opened.answer.session, 1}, asks(1), now_);
  EXPECT_EQ(late.status, Status::overloaded);
  EXPECT_EQ(late.answer.retry_after_ms, 1'000u);
  now_.monotonic = now_.monotonic + milliseconds(late.answer.retry_after_ms);
  EXPECT_EQ(registrar_.close({opened.answer.session, 1}, asks(1), now_).status, Status::ok) << "after the wait it was told";

  for (std::uint32_t i = 1; i <= limits::sessions_per_key; ++i) ASSERT_EQ(open(100 + i, 1, i).status, Status::ok);
  registrar_.connection_ended(1);
  now_.monotonic = now_.monotonic + seconds(10);
  ASSERT_EQ(registrar_.open({instance(2), 1}, asks(9), now_).status, Status::ok) << "it evicts: two events";
  EXPECT_EQ(registrar_.resume({instance(2), 2}, asks(9), now_).status, Status::ok);
  EXPECT_EQ(registrar_.resume({instance(2), 3}, asks(9), now_).status, Status::overloaded);
}

TEST_F(RegistrarTest, RecordsEverySessionEvent) {
  RecordingSink sink;
  store_.export_audit(sink, 100);
  sink.records.clear();
  for (std::uint32_t i = 1; i <= limits::sessions_per_key; ++i) ASSERT_EQ(open(i, 1, i).status, Status::ok);
  registrar_.connection_ended(1);
  ASSERT_EQ(open(9'000, 1, 9'000).status, Status::ok);
  ASSERT_EQ(resume(9'000, 2, 9'000).status, Status::ok);
  store_.submit(now_);
  store_.export_audit(sink, 1'000);
  std::vector<AuditKind> kinds;
  for (const Recorded& recorded : sink.records) kinds.push_back(recorded.record().kind);
  std::vector<AuditKind> expected(limits::sessions_per_key, AuditKind::session);
  for (const AuditKind kind : {AuditKind::eviction, AuditKind::session, AuditKind::session}) expected.push_back(kind);
  EXPECT_EQ(kinds, expected);
}

// A store that peer 2 has filled with live sessions.
class RegistrarOfAFullStore : public testing::Test {
 protected:
  static constexpr std::size_t sessions = limits::ended_sessions_per_key + 4;

  RegistrarOfAFullStore() {
    config_.limits.replay_bytes_max = sessions * SlotTable::session_footprint + 2 * SlotTable::shelf_footprint;
    journal_ = test::open(disk_, config_, now_);
    EXPECT_TRUE(journal_->ready());
    tally_.emplace(*journal_, Digest{}, marks_);
    registrar_.emplace(*journal_, *tally_, marks_, limits::sessions_per_key);
    for (std::uint32_t i = 0; i < sessions; ++i) EXPECT_EQ(open(2, i), Status::ok) << i;
  }
  Status open(std::uint8_t peer, std::uint32_t seed) { return done(registrar_->open({instance(seed), 1}, from(peer), now_)); }
  Status resume(std::uint8_t peer, std::uint32_t seed, std::uint32_t generation) {
    return done(registrar_->resume({instance(seed), generation}, from(peer), now_));
  }
  void name_peer_1_alone() {
    PolicySource source;
    source.peers.push_back({});
    source.peers.back().key.bytes.fill(1);
    source.peers.back().alias = "one";
    auto policy = Policy::create(source);
    ASSERT_TRUE(policy.ok());
    policy_.emplace(std::move(policy).value());
    registrar_->policy_is(*policy_);
  }
  [[nodiscard]] std::size_t live(std::uint8_t peer) const { return journal_->slots().live(owner_of(test::peer(peer))).size(); }

  Now now_{Time{1}, 1};
  JournalConfig config_ = small_config();
  DiskModel disk_{2 * small_extent};
  std::unique_ptr<Journal> journal_;
  Marks marks_;
  PeerRates rates_{PeerRateLimits{}};
  std::optional<Tally> tally_;
  std::optional<Policy> policy_;
  std::optional<Registrar> registrar_;

 private:
  Applicant from(std::uint8_t peer) { return {test::peer(peer), rates_.of(owner_of(test::peer(peer)), now_.monotonic), 0}; }
  Status done(const Registered& registered) {
    registrar_->connection_ended(0);
    journal_->submit(now_);
    settle(*journal_, disk_, now_);
    return registered.status;
  }
};

// Devices that got other keys must not take the room of those that are enrolled.
TEST_F(RegistrarOfAFullStore, EndsSessionsOfPeersThatNoPolicyNames) {
  EXPECT_EQ(open(1, 100), Status::session_limit) << "for as long as the other may come back";
  name_peer_1_alone();
  for (std::uint32_t i = 100; i < 104; ++i) EXPECT_EQ(open(1, i), Status::ok) << i;
  EXPECT_EQ(open(1, 104), Status::session_limit) << "the ended ones of the other can still be asked for";
  EXPECT_LE(journal_->slots().footprint(), config_.limits.replay_bytes_max);
  EXPECT_EQ(live(2), 0u);
}

// SESSION_LIMIT would say that waiting for the log is of no use.
TEST_F(RegistrarOfAFullStore, SaysThatTheLogIsFullWhereThatAloneKeepsASessionFromGoing) {
  name_peer_1_alone();
  for (std::uint32_t generation = 2; journal_->log_has_room(); ++generation) ASSERT_EQ(resume(2, 0, generation), Status::ok);
  EXPECT_EQ(open(1, 100), Status::audit_unavailable);
  EXPECT_LT(live(2), sessions) << "some went, and then there was no room to record more";
  EXPECT_GT(live(2), 0u);
}

}  // namespace
}  // namespace statefs
