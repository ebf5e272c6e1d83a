#include "core/ledger.h"

#include <gtest/gtest.h>

#include <vector>

namespace statefs {
namespace {

OutcomeResponse outcome_of(Outcome outcome) {
  OutcomeResponse response;
  response.outcome = outcome;
  return response;
}

SlotState slot_at(std::uint64_t sequence) { return {sequence, sequence * 10, 0, Status::ok}; }

TEST(Ledger, CallsTheWritesAboveTheServersTableLost) {
  Marks marks;
  Ledger ledger{marks};
  ledger.renew(limits::slots_per_session);
  std::vector<SlotState> server(limits::slots_per_session);
  for (CallId call = 1; call <= 4; ++call) {
    const SlotRef at = ledger.take(call);
    EXPECT_EQ(at.slot, 0u);
    EXPECT_EQ(at.sequence, call);
    ledger.consumed(at.slot, 100 + call, true);
  }
  ledger.durable(101);
  const SlotRef flying = ledger.take(5);
  server[flying.slot] = slot_at(2);
  ASSERT_TRUE(ledger.possible(server));
  EXPECT_TRUE(ledger.behind(server));
  const std::vector<Fate> fates = ledger.settle(server);
  ASSERT_EQ(fates.size(), 1u);
  EXPECT_EQ(fates[0].call, 5u);
  EXPECT_EQ(fates[0].kind, Fate::Kind::not_executed);
  EXPECT_EQ(ledger.take_lost(), (LostWrite{3, 103, true}));
  EXPECT_EQ(ledger.take_lost(), (LostWrite{4, 104, true}));
  EXPECT_FALSE(ledger.take_lost().has_value()) << "2 is in the table, 1 was durable before";
  ledger.durable(102);
  EXPECT_TRUE(ledger.idle());
}

// Seed 1008240: the store was then put back to an older copy, and no head that the client had seen told of it.
TEST(Ledger, ReportsAWriteThatOneTableHadAndALaterOneHasNot) {
  Marks marks;
  Ledger ledger{marks};
  ledger.renew(limits::slots_per_session);
  std::vector<SlotState> server(limits::slots_per_session);
  const SlotRef at = ledger.take(1);
  ledger.consumed(at.slot, 101, true);
  server[at.slot] = slot_at(1);
  EXPECT_TRUE(ledger.settle(server).empty());
  server[at.slot] = {};
  EXPECT_TRUE(ledger.behind(server));
  EXPECT_TRUE(ledger.settle(server).empty());
  EXPECT_EQ(ledger.take_lost(), (LostWrite{1, 101, true}));
}

TEST(Ledger, KnowsATableThatNoServerCouldHave) {
  Marks marks;
  Ledger ledger{marks};
  ledger.renew(limits::slots_per_session);
  std::vector<SlotState> server(limits::slots_per_session);
  EXPECT_TRUE(ledger.possible(server));
  server[3] = slot_at(1);
  EXPECT_FALSE(ledger.possible(server)) << "nothing was ever sent there";
  server[3] = {};
  (void)ledger.take(1);
  server[0] = slot_at(1);
  EXPECT_TRUE(ledger.possible(server));
  server[0] = slot_at(2);
  EXPECT_FALSE(ledger.possible(server));
  server.pop_back();
  EXPECT_FALSE(ledger.possible(server));
}

TEST(Ledger, AsksFromTheHighestSequenceDownAndStopsAtWhatIsThere) {
  Marks marks;
  Ledger ledger{marks};
  ledger.renew(limits::slots_per_session);
  for (CallId call = 1; call <= 3; ++call) ledger.consumed(ledger.take(call).slot, 100 + call, true);
  (void)ledger.take(4);
  const auto said = [](Outcome outcome) {
    OutcomeResponse response;
    response.outcome = outcome;
    return response;
  };
  auto question = ledger.question();
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(question->sequence, 4u);
  const auto fate = ledger.learn(*question, said(Outcome::never_executed));
  ASSERT_TRUE(fate.has_value());
  EXPECT_EQ(fate->kind, Fate::Kind::not_executed);
  question = ledger.question();
  EXPECT_EQ(question->sequence, 3u);
  EXPECT_FALSE(ledger.learn(*question, said(Outcome::never_executed)).has_value());
  question = ledger.question();
  EXPECT_EQ(question->sequence, 2u);
  EXPECT_FALSE(ledger.learn(*question, said(Outcome::applied)).has_value());
  EXPECT_FALSE(ledger.question().has_value());
  EXPECT_EQ(ledger.take_lost(), (LostWrite{3, 103, true}));
  EXPECT_FALSE(ledger.take_lost().has_value());
}

// The server remembers of a slot what came last, and that was a refusal.
TEST(Ledger, AsksAboutTheLastOfASlotThoughThatWasNoWrite) {
  const auto about = [](Outcome first, Outcome second) {
    Marks marks;
    Ledger ledger{marks};
    ledger.renew(limits::slots_per_session);
    ledger.consumed(ledger.take(1).slot, 101, true);
    ledger.consumed(ledger.take(2).slot, 102, false);
    OutcomeResponse response;
    response.outcome = first;
    EXPECT_EQ(ledger.question()->sequence, 2u);
    EXPECT_FALSE(ledger.learn(*ledger.question(), response).has_value());
    if (const auto next = ledger.question()) {
      EXPECT_EQ(next->sequence, 1u);
      response.outcome = second;
      EXPECT_FALSE(ledger.learn(*next, response).has_value());
    }
    EXPECT_FALSE(ledger.question().has_value());
    return ledger.take_lost();
  };
  EXPECT_FALSE(about(Outcome::refused, {}).has_value()) << "what came before it is there too";
  EXPECT_FALSE(about(Outcome::never_executed, Outcome::applied).has_value());
  EXPECT_EQ(about(Outcome::never_executed, Outcome::never_executed), (LostWrite{1, 101, true}));
  EXPECT_EQ(about(Outcome::beyond_horizon, {}), (LostWrite{1, 101, false}));
}

TEST(Ledger, AwaitsNoHeadOfAStoreThatHasAnotherInItsPlace) {
  Marks marks;
  Ledger ledger{marks};
  StoreId first{}, second{};
  second[0] = 1;
  ledger.greeted(first, 5);
  ledger.renew(limits::slots_per_session);
  std::vector<SlotState> server(limits::slots_per_session);
  for (CallId call = 1; call <= 2; ++call) {
    const SlotRef at = ledger.take(call);
    ledger.consumed(at.slot, 500 + call, true);
    server[at.slot] = slot_at(at.sequence);
  }
  EXPECT_TRUE(ledger.settle(server).empty());
  EXPECT_TRUE(ledger.wants_head());
  ledger.greeted(second, 4);
  EXPECT_FALSE(ledger.wants_head()) << "its heads may be below";
}

TEST(Ledger, KeepsTheRevisionOfAConflictThatAnOutcomeTells) {
  Marks marks;
  Ledger ledger{marks};
  ledger.renew(limits::slots_per_session);
  (void)ledger.take(1);
  OutcomeResponse refused{Outcome::refused, Status::revision_conflict, 0, 101, 77};
  const auto fate = ledger.learn(*ledger.question(), refused);
  ASSERT_TRUE(fate.has_value());
  EXPECT_EQ(fate->slot.status, Status::revision_conflict);
  EXPECT_EQ(fate->slot.index, 101u);
  EXPECT_EQ(fate->slot.revision, 77u) << "0 would say that the key is absent";
}

TEST(Ledger, ReportsWhatTheServerNoLongerKnowsAsUncertain) {
  Marks marks;
  Ledger ledger{marks};
  ledger.renew(limits::slots_per_session);
  ledger.consumed(ledger.take(1).slot, 101, true);
  (void)ledger.take(2);
  OutcomeResponse gone;
  gone.outcome = Outcome::beyond_horizon;
  const auto fate = ledger.learn(*ledger.question(), gone);
  ASSERT_TRUE(fate.has_value());
  EXPECT_EQ(fate->kind, Fate::Kind::unknown);
  EXPECT_EQ(ledger.take_lost(), (LostWrite{1, 101, false}));
  EXPECT_FALSE(ledger.question().has_value());
}

// Only a rollback takes back what a table shows, and none happens within an epoch of a store.
TEST(Ledger, DoesNotDoubtAWriteThatWasToldInTheSameEpoch) {
  struct Then {
    StoreId store{};
    std::uint64_t epoch = 7;
    std::vector<CallId> doubtful;
  };
  StoreId another{};
  another[0] = 1;
  for (const Then& then : {Then{{}, 7, {2}}, Then{{}, 8, {1, 2}}, Then{another, 7, {1, 2}}}) {
    Marks marks;
    Ledger ledger{marks};
    ledger.greeted({}, 7);
    ledger.renew(limits::slots_per_session);
    std::vector<SlotState> server(limits::slots_per_session);
    const SlotRef told = ledger.take(1);
    ledger.consumed(told.slot, 101, true);
    server[told.slot] = slot_at(1);
    EXPECT_TRUE(ledger.settle(server).empty());
    EXPECT_TRUE(ledger.wants_sync()) << "no head shows it";
    ledger.consumed(ledger.take(2).slot, 102, true);
    // The session is evicted, and sixteen others after it: nobody knows its table any more.
    ledger.greeted(then.store, then.epoch);
    while (const auto question = ledger.question()) EXPECT_FALSE(ledger.learn(*question, outcome_of(Outcome::beyond_horizon)).has_value());
    std::vector<CallId> doubtful;
    for (auto lost = ledger.take_lost(); lost; lost = ledger.take_lost()) {
      EXPECT_FALSE(lost->certain);
      doubtful.push_back(lost->call);
    }
    EXPECT_EQ(doubtful, then.doubtful);
    EXPECT_EQ(ledger.wants_head(), doubtful.size() == 1);
  }
}

TEST(Ledger, KeepsWhatATableOrAnOutcomeSaysWasExecutedUntilAHeadCoversIt) {
  Marks marks;
  Ledger ledger{marks};
  ledger.renew(limits::slots_per_session);
  std::vector<SlotState> server(limits::slots_per_session);
  const SlotRef at = ledger.take(1);
  const SlotRef given_up = ledger.take(2);
  ledger.expired(2);
  server[at.slot] = slot_at(1);
  server[given_up.slot] = slot_at(1);
  EXPECT_EQ(ledger.settle(server).size(), 2u);
  // The store was put back to an older copy, which no head showed.
  server[at.slot] = server[given_up.slot] = {};
  EXPECT_TRUE(ledger.behind(server));
  (void)ledger.settle(server);
  EXPECT_EQ(ledger.take_lost(), (LostWrite{1, 10, true})) << "it was answered OK";
  EXPECT_FALSE(ledger.take_lost().has_value()) << "its program was told that nobody knows";

  (void)ledger.take(3);
  OutcomeResponse applied = outcome_of(Outcome::applied);
  applied.index = 200;
  ASSERT_TRUE(ledger.learn(*ledger.question(), applied).has_value());
  EXPECT_TRUE(ledger.wants_head());
  ledger.durable(199);
  EXPECT_TRUE(ledger.wants_head());
  ledger.durable(200);
  EXPECT_FALSE(ledger.wants_head());
  EXPECT_TRUE(ledger.idle());
}

TEST(Ledger, TakesNoCallsWhileTooManyLostWritesWereNotTaken) {
  Marks marks;
  Ledger ledger{marks};
  ledger.renew(limits::slots_per_session);
  CallId call = 0;
  for (; ledger.has_room(); ++call) ledger.consumed(ledger.take(call).slot, 1'000 + call, true);
  EXPECT_EQ(call, limits::client_unsynced_max - limits::slots_per_session + 1);
  (void)ledger.settle(std::vector<SlotState>(limits::slots_per_session));
  EXPECT_EQ(ledger.lost_count(), call);
  EXPECT_FALSE(ledger.has_room());
  EXPECT_TRUE(ledger.take_lost().has_value());
  EXPECT_TRUE(ledger.has_room());
}

}  // namespace
}  // namespace statefs
