// Exactly once against a real server: a stream that breaks at every byte, a store that loses its unsynced suffix, sessions
// that are evicted. What the store did is read from its audit records, which know nothing of the client.
#include <gtest/gtest.h>

#include "core/rejoin.h"
#include "tests/core/device.h"

namespace statefs {
namespace {

using namespace test;

std::map<std::string, std::size_t> executions_of(Device& device) {
  std::map<std::string, std::size_t> counts;
  for (const Recorded& recorded : device.take_mutations()) {
    if (recorded.record().status == Status::ok) ++counts[std::string(recorded.record().key)];
  }
  return counts;
}

// Moves bytes until `up` of the client's bytes or `down` of the server's have passed, then breaks the stream. False where
// everything passed.
bool pump_and_cut(Device& device, Device::Link& link, std::size_t up, std::size_t down) {
  for (bool moved = true; moved && link.open;) {
    moved = false;
    link.client.advance(device.now());
    const std::size_t send = std::min(up, link.client.output().size());
    if (send > 0) {
      const Bytes bytes(link.client.output().begin(), link.client.output().begin() + static_cast<std::ptrdiff_t>(send));
      link.client.output_taken(send);
      device.server().receive(link.id, bytes, device.now());
      up -= send;
      moved = true;
    }
    device.server().advance(device.now());
    const std::size_t take = std::min(down, device.server().output(link.id).size());
    if (take > 0) {
      const auto output = device.server().output(link.id);
      const Bytes bytes(output.begin(), output.begin() + static_cast<std::ptrdiff_t>(take));
      device.server().output_taken(link.id, take, device.now());
      link.client.receive(bytes, device.now());
      down -= take;
      moved = true;
    }
    if (up == 0 || down == 0) {
      device.cut(link);
      return true;
    }
  }
  return false;
}

TEST(ExactlyOnce, HoldsWhereverTheStreamBreaks) {
  constexpr std::size_t whole = ~std::size_t{0};
  std::size_t cuts = 0;
  for (const bool upwards : {true, false}) {
    for (std::size_t at = 1;; ++at) {
      Device device;
      Device::Link link{device.client()};
      std::map<CallId, std::string> keys;
      for (int i = 0; i < 3; ++i) {
        const std::string key = "/state/shared/k" + std::to_string(i);
        keys[link.client.submit(put_of(key, "v"), never, device.now().monotonic).value()] = key;
      }
      const auto id = device.server().accept(device.ephemeral(), device.now());
      link.id = id.value();
      link.open = true;
      std::array<std::uint8_t, client_random_size> random{};
      random[0] = 9;
      link.client.connected(random, device.now());
      const bool cut = pump_and_cut(device, link, upwards ? at : whole, upwards ? whole : at);
      if (cut) {
        ++cuts;
        device.wait(limits::reconnect_backoff_max);
        device.reconnect(link);
      }
      for (std::size_t answered = 0; answered < keys.size(); ++answered) {
        const auto completion = link.client.take_completion();
        ASSERT_TRUE(completion.has_value()) << upwards << ' ' << at;
        EXPECT_EQ(completion->response.status, Status::ok) << upwards << ' ' << at;
        EXPECT_EQ(completion->result, CallResult::answered);
      }
      for (const auto& [key, count] : executions_of(device)) EXPECT_EQ(count, 1u) << key << ' ' << upwards << ' ' << at;
      if (!cut) break;
    }
  }
  EXPECT_GT(cuts, 500u);
}

TEST(ExactlyOnce, AnEvictedSessionsCallsAreAskedForAndNeverRunTwice) {
  Device device;
  auto link = device.connect();
  ASSERT_EQ(device.call(link, put_of("/state/shared/first", "v")).response.status, Status::ok);
  const auto executed = link.client.submit(put_of("/state/shared/executed", "v"), never, device.now().monotonic);
  link.client.advance(device.now());
  const Bytes up(link.client.output().begin(), link.client.output().end());
  link.client.output_taken(up.size());
  device.server().receive(link.id, up, device.now());
  device.cut(link);
  // Other connections of the same peer open as many sessions as there are, so that this one's goes.
  for (std::size_t i = 0; i < limits::sessions_per_key; ++i) {
    auto other = device.connect();
    ASSERT_EQ(device.call(other, put_of("/state/shared/other", "v")).response.status, Status::ok);
    device.cut(other);
  }
  device.wait(limits::reconnect_backoff_max);
  device.reconnect(link);
  const auto completion = link.client.take_completion();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->call, executed.value());
  EXPECT_EQ(completion->result, CallResult::answered);
  EXPECT_EQ(completion->response.status, Status::ok);
  EXPECT_EQ(executions_of(device)["/state/shared/executed"], 1u);
  EXPECT_EQ(device.call(link, put_of("/state/shared/after", "v")).response.status, Status::ok);
}

TEST(ExactlyOnce, WhatASyncOfTheProgramCoveredIsNotDoubtedWhereItsSessionIsForgotten) {
  Device device;
  auto link = device.connect();
  ASSERT_EQ(device.call(link, put_of("/state/shared/first", "v")).response.status, Status::ok);
  ASSERT_EQ(device.call(link, SyncRequest{link.client.server_hello()->epoch}).response.status, Status::ok);
  device.cut(link);
  for (std::size_t i = 0; i < limits::sessions_per_key + limits::ended_sessions_per_key; ++i) {
    auto other = device.connect();
    ASSERT_EQ(device.call(other, put_of("/state/shared/other", "v")).response.status, Status::ok);
    device.cut(other);
  }
  device.wait(limits::reconnect_backoff_max);
  device.reconnect(link);
  EXPECT_EQ(device.call(link, put_of("/state/shared/after", "v")).response.status, Status::ok);
  EXPECT_FALSE(link.client.take_lost().has_value());
}

TEST(ExactlyOnce, AReplayIsAnsweredAsItWasEvenWhereThePolicyHasChanged) {
  Device device;
  auto link = device.connect();
  ASSERT_EQ(device.call(link, put_of("/state/shared/first", "v")).response.status, Status::ok);
  const auto put = link.client.submit(put_of("/state/shared/a", "v"), never, device.now().monotonic);
  link.client.advance(device.now());
  const Bytes up(link.client.output().begin(), link.client.output().end());
  link.client.output_taken(up.size());
  device.server().receive(link.id, up, device.now());
  device.cut(link);
  DeviceOptions narrowed;
  narrowed.rules = {{"/state/shared/other/", access_all, false}};
  device.server().reload(device.policy_of(narrowed), device.now());
  device.wait(limits::reconnect_backoff_max);
  device.reconnect(link);
  const auto completion = link.client.take_completion();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->call, put.value());
  EXPECT_EQ(completion->response.status, Status::ok);
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

OutcomeResponse outcome_of(Outcome outcome) {
  OutcomeResponse response;
  response.outcome = outcome;
  return response;
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
