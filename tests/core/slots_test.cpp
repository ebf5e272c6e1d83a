#include "core/slots.h"

#include <gtest/gtest.h>

namespace statefs {
namespace {

Owner owner(std::uint8_t seed) {
  Owner out{PeerKind::remote, {}, 0};
  out.key.bytes.fill(seed);
  return out;
}
SessionInstance instance(std::uint8_t seed) {
  SessionInstance out{};
  out.fill(seed);
  return out;
}
Digest digest(std::uint8_t seed) {
  Digest out{};
  out.fill(seed);
  return out;
}
SlotChange open_change(std::uint8_t seed, std::uint32_t generation = 1) {
  SlotChange change;
  change.kind = SlotChange::Kind::open;
  change.instance = instance(seed);
  change.generation = generation;
  return change;
}
SlotChange end_change(SlotChange::Kind kind, std::uint64_t session) {
  SlotChange change;
  change.kind = kind;
  change.at.session = session;
  return change;
}
SlotChange use_change(std::uint64_t session, std::uint16_t slot, std::uint64_t sequence, std::uint8_t asked) {
  SlotChange change;
  change.kind = SlotChange::Kind::use;
  change.at = {session, sequence, 1, slot};
  change.result = {sequence, digest(asked), Status::ok, 0, 77};
  return change;
}

// Every sequence near the slot's, every generation near the session's, the same and another digest, before and after
// completion: the table of the contract, written out another way.
TEST(SlotVerdicts, AreTheTableOfTheContract) {
  SlotSession session;
  session.number = 9;
  session.generation = 5;
  session.slots[3] = {10, digest(1), Status::ok, 100, 0};
  for (std::uint32_t generation = 4; generation <= 6; ++generation) {
    for (std::uint64_t sequence = 0; sequence <= 13; ++sequence) {
      for (const std::uint8_t asked : {std::uint8_t{1}, std::uint8_t{2}}) {
        for (const std::uint64_t completed : {99u, 100u}) {
          const SlotVerdict verdict = judge(&session, {9, sequence, generation, 3}, digest(asked), completed);
          SlotVerdict expected = SlotVerdict::gap;
          if (generation != 5) {
            expected = SlotVerdict::fenced;
          } else if (sequence == 11) {
            expected = SlotVerdict::execute;
          } else if (sequence < 10) {
            expected = SlotVerdict::too_old;
          } else if (sequence == 10 && asked == 2) {
            expected = SlotVerdict::false_retry;
          } else if (sequence == 10) {
            expected = completed < 100 ? SlotVerdict::in_progress : SlotVerdict::replay;
          }
          EXPECT_EQ(verdict, expected) << generation << ' ' << sequence << ' ' << int{asked} << ' ' << completed;
        }
      }
    }
  }
  EXPECT_EQ(judge(nullptr, {9, 11, 5, 3}, digest(1), 100), SlotVerdict::unknown);
  EXPECT_EQ(judge(&session, {9, 1, 5, limits::slots_per_session}, digest(1), 100), SlotVerdict::gap);
  EXPECT_EQ(judge(&session, {9, 0, 5, 0}, digest(0), 100), SlotVerdict::too_old) << "sequence 0 is no sequence";
  EXPECT_EQ(judge(&session, {9, 1, 5, 0}, digest(1), 100), SlotVerdict::execute);
}

TEST(SlotTable, FindsASessionOnlyForItsOwner) {
  SlotTable table;
  table.apply(owner(1), open_change(1), 500);
  ASSERT_NE(table.find(owner(1), 500), nullptr);
  EXPECT_EQ(table.find(owner(1), 500)->number, 500u) << "a session's number is the index that opened it";
  EXPECT_EQ(table.find(owner(2), 500), nullptr);
  EXPECT_EQ(table.find(owner(2), instance(1)), nullptr);
}

TEST(SlotTable, KeepsTheResultOfTheLastSequenceOfEachSlot) {
  SlotTable table;
  table.apply(owner(1), open_change(1), 500);
  table.apply(owner(1), use_change(500, 2, 1, 7), 501);
  table.apply(owner(1), use_change(500, 2, 2, 8), 502);
  const Slot& slot = table.find(owner(1), 500)->slots[2];
  EXPECT_EQ(slot, (Slot{2, digest(8), Status::ok, 502, 77}));
  EXPECT_EQ(table.find(owner(1), 500)->slots[1], Slot{});
  EXPECT_EQ(table.find(owner(1), 500)->used_index, 502u);
}

TEST(SlotTable, KeepsTheSlotsOfEndedSessionsInARing) {
  SlotTable table;
  constexpr std::uint64_t count = limits::ended_sessions_per_key + 3;
  for (std::uint64_t i = 0; i < count; ++i) {
    table.apply(owner(1), open_change(static_cast<std::uint8_t>(i)), 1000 + 10 * i);
    table.apply(owner(1), use_change(1000 + 10 * i, 0, 1, 1), 1001 + 10 * i);
    table.apply(owner(1), end_change(i % 2 == 0 ? SlotChange::Kind::close : SlotChange::Kind::evict, 1000 + 10 * i), 1002 + 10 * i);
  }
  EXPECT_TRUE(table.live(owner(1)).empty());
  for (std::uint64_t i = 0; i < count; ++i) {
    const SlotSession* const ended = table.find_ended(owner(1), instance(static_cast<std::uint8_t>(i)));
    EXPECT_EQ(ended != nullptr, i >= 3) << i;
    if (ended != nullptr) { EXPECT_EQ(ended->slots[0].index, 1001 + 10 * i); }
  }
}

TEST(SlotTable, OnePeersSessionsChangeNothingForAnother) {
  SlotTable table;
  table.apply(owner(1), open_change(1), 500);
  table.apply(owner(1), use_change(500, 0, 1, 1), 501);
  const SlotSession before = *table.find(owner(1), 500);
  for (std::uint64_t i = 0; i < 100; ++i) {
    table.apply(owner(2), open_change(static_cast<std::uint8_t>(i)), 1000 + 2 * i);
    table.apply(owner(2), end_change(SlotChange::Kind::evict, 1000 + 2 * i), 1001 + 2 * i);
  }
  EXPECT_EQ(*table.find(owner(1), 500), before);
}

TEST(SlotTable, TakesAChangeOnlyWhereItFits) {
  SlotTable table;
  table.apply(owner(1), open_change(1, 4), 500);
  const auto fits = [&](const SlotChange& change) { return table.fits(owner(1), change); };
  EXPECT_TRUE(fits({}));
  EXPECT_TRUE(fits(use_change(500, 2, 1, 7)));
  EXPECT_FALSE(fits(use_change(500, 2, 2, 7))) << "a gap";
  EXPECT_FALSE(fits(use_change(500, limits::slots_per_session, 1, 7)));
  EXPECT_FALSE(fits(use_change(501, 2, 1, 7))) << "no such session";
  EXPECT_TRUE(fits(end_change(SlotChange::Kind::close, 500)));
  EXPECT_FALSE(fits(end_change(SlotChange::Kind::evict, 501)));
  SlotChange resume = end_change(SlotChange::Kind::resume, 500);
  resume.generation = 5;
  EXPECT_TRUE(fits(resume));
  resume.generation = 4;
  EXPECT_FALSE(fits(resume)) << "a generation that is not higher";
  EXPECT_FALSE(table.fits(owner(2), use_change(500, 2, 1, 7))) << "another's session";
  for (std::uint64_t i = 1; i < limits::sessions_per_key; ++i) table.apply(owner(1), open_change(2), 500 + i);
  EXPECT_FALSE(fits(open_change(3)));
}

TEST(SlotTable, IsRestoredFromItsShelvesWithItsFootprint) {
  SlotTable table;
  constexpr std::uint64_t count = limits::ended_sessions_per_key + 2;
  for (std::uint64_t i = 0; i < count; ++i) {
    table.apply(owner(1), open_change(static_cast<std::uint8_t>(i)), 1000 + 10 * i);
    table.apply(owner(1), end_change(SlotChange::Kind::close, 1000 + 10 * i), 1002 + 10 * i);
  }
  table.apply(owner(2), open_change(1), 2000);
  EXPECT_EQ(table.footprint(), 2 * SlotTable::shelf_footprint + (limits::ended_sessions_per_key + 1) * SlotTable::session_footprint);
  SlotTable again;
  for (const auto& [whose, shelf] : table.shelves()) EXPECT_TRUE(again.restore(whose, shelf));
  EXPECT_EQ(again, table);
  EXPECT_FALSE(again.restore(owner(1), {})) << "an owner has one shelf";
  SlotTable::Shelf backwards;
  backwards.live.resize(2);
  backwards.live[0].number = 2;
  backwards.live[1].number = 1;
  EXPECT_FALSE(again.restore(owner(3), backwards));
  SlotTable::Shelf over;
  for (std::uint64_t i = 0; i <= limits::sessions_per_key; ++i) over.live.emplace_back().number = i + 1;
  EXPECT_FALSE(again.restore(owner(3), over));
  EXPECT_EQ(again, table);
}

}  // namespace
}  // namespace statefs
