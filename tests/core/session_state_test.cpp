#include "core/session_state.h"

#include <gtest/gtest.h>

#include <queue>
#include <set>
#include <string>

namespace statefs {
namespace {

using S = SessionState;
using E = SessionEvent;
using A = SessionAction;

S state_at(std::size_t i) { return static_cast<S>(i); }
E event_at(std::size_t i) { return static_cast<E>(i); }

// The events that the bytes of a peer can cause in a state; the rest come from the server or cannot come at all.
std::set<E> events_of_reading(S state) {
  switch (state) {
    case S::awaiting_message_1: return {E::message_1, E::refused};
    case S::awaiting_message_3: return {E::admitted, E::refused};
    case S::greeting:
    case S::serving: return {E::hello, E::foreign_version, E::request, E::malformed, E::damaged};
    case S::draining:
    case S::closed: return {};
  }
  return {};
}
const std::set<E> events_from_outside{E::ended, E::overdue, E::aged, E::expelled, E::store_failed, E::shut_down, E::drained};

TEST(SessionTable, NoPeerReachesABug) {
  for (std::size_t s = 0; s < session_state_count; ++s) {
    for (const E event : events_of_reading(state_at(s))) {
      EXPECT_NE(step(state_at(s), event).action, A::bug) << s << ' ' << static_cast<int>(event);
    }
    for (const E event : events_from_outside) {
      EXPECT_NE(step(state_at(s), event).action, A::bug) << s << ' ' << static_cast<int>(event);
    }
  }
}

TEST(SessionTable, EveryOtherCellIsABugOrNothing) {
  for (std::size_t s = 0; s < session_state_count; ++s) {
    for (std::size_t e = 0; e < session_event_count; ++e) {
      if (events_of_reading(state_at(s)).contains(event_at(e)) || events_from_outside.contains(event_at(e))) continue;
      const SessionStep to = step(state_at(s), event_at(e));
      EXPECT_TRUE(to.action == A::bug || state_at(s) == S::closed) << s << ' ' << e;
    }
  }
}

TEST(SessionTable, ExecutesNothingBeforeAdmissionAndHello) {
  for (std::size_t s = 0; s < session_state_count; ++s) {
    for (std::size_t e = 0; e < session_event_count; ++e) {
      const SessionStep to = step(state_at(s), event_at(e));
      if (to.action == A::execute) { EXPECT_EQ(state_at(s), S::serving); }
      if (to.action == A::greet) { EXPECT_EQ(state_at(s), S::greeting); }
      if (to.action == A::start_session) {
        EXPECT_EQ(state_at(s), S::awaiting_message_3);
        EXPECT_EQ(event_at(e), E::admitted);
      }
    }
  }
}

TEST(SessionTable, ServingIsReachedOnlyThroughEveryStepInOrder) {
  std::set<std::size_t> seen{static_cast<std::size_t>(S::awaiting_message_1)};
  std::queue<std::size_t> open({static_cast<std::size_t>(S::awaiting_message_1)});
  std::set<std::pair<std::size_t, std::size_t>> edges;
  while (!open.empty()) {
    const std::size_t s = open.front();
    open.pop();
    for (std::size_t e = 0; e < session_event_count; ++e) {
      const SessionStep to = step(state_at(s), event_at(e));
      if (to.action == A::bug) continue;
      const auto next = static_cast<std::size_t>(to.next);
      edges.insert({s, next});
      if (seen.insert(next).second) open.push(next);
    }
  }
  EXPECT_EQ(seen.size(), session_state_count) << "a state that nothing leads to";
  for (const auto& [from, to] : edges) {
    EXPECT_TRUE(to == from || to == from + 1 || to == static_cast<std::size_t>(S::draining) || to == static_cast<std::size_t>(S::closed))
        << from << " -> " << to;
  }
}

TEST(SessionTable, ClosedIsFinal) {
  for (std::size_t e = 0; e < session_event_count; ++e) {
    const SessionStep to = step(S::closed, event_at(e));
    EXPECT_EQ(to.next, S::closed);
    EXPECT_EQ(to.action, A::none);
  }
}

TEST(SessionTable, DrainingEndsInClosedAndReadsNothing) {
  for (std::size_t e = 0; e < session_event_count; ++e) {
    const SessionStep to = step(S::draining, event_at(e));
    EXPECT_TRUE(to.next == S::draining || to.next == S::closed);
    EXPECT_NE(to.action, A::execute);
  }
  EXPECT_EQ(step(S::draining, E::drained).next, S::closed);
  EXPECT_EQ(step(S::draining, E::overdue).next, S::closed);
}

TEST(SessionTable, DamageIsRecordedAndClosesAtOnce) {
  for (const S state : {S::greeting, S::serving}) {
    EXPECT_EQ(step(state, E::damaged).action, A::record_damage);
    EXPECT_EQ(step(state, E::damaged).next, S::closed);
  }
}

TEST(SessionTable, AFailedStoreAnswersNothingPending) {
  for (const S state : {S::greeting, S::serving, S::draining}) EXPECT_EQ(step(state, E::store_failed).next, S::closed);
}

}  // namespace
}  // namespace statefs
