#include "sim/connection_watch.h"

#include <gtest/gtest.h>

namespace statefs::sim {
namespace {

Now at(Duration time) { return {Time{} + time, 0}; }

ServerLimits tight() {
  ServerLimits limits;
  limits.connections_max = 3;
  limits.half_open_max = 2;
  limits.handshake_timeout = seconds(5);
  limits.dead_peer_timeout = seconds(10);
  return limits;
}

StreamEnd end_of(StreamId stream) { return {stream, Side::acceptor}; }

TEST(ConnectionWatch, CountsHandshakesUntilTheirTwoMessagesHaveBeenRead) {
  ConnectionWatch watch(tight());
  watch.accepted(end_of(1), at({}));
  watch.received(end_of(1), 115, at({}));
  watch.turned_away();
  EXPECT_EQ(watch.one_too_few(), 1u) << "one handshake of two";
  watch.accepted(end_of(2), at({}));
  watch.turned_away();
  EXPECT_EQ(watch.one_too_few(), 1u);
  EXPECT_EQ(watch.one_too_many(), 0u);
  watch.accepted(end_of(3), at({}));
  EXPECT_EQ(watch.one_too_many(), 1u) << "the third handshake";
}

TEST(ConnectionWatch, CountsConnectionsUntilTheyHaveEnded) {
  ConnectionWatch watch(tight());
  for (StreamId stream = 1; stream <= 3; ++stream) {
    watch.accepted(end_of(stream), at({}));
    watch.received(end_of(stream), 116, at({}));
    watch.sent(end_of(stream), 51);
  }
  EXPECT_EQ(watch.one_too_many(), 0u);
  watch.turned_away();
  EXPECT_EQ(watch.one_too_few(), 0u);
  watch.ended(end_of(2), at({}));
  watch.turned_away();
  EXPECT_EQ(watch.one_too_few(), 1u);
  watch.accepted(end_of(4), at({}));
  EXPECT_EQ(watch.one_too_many(), 0u);
  watch.accepted(end_of(5), at({}));
  EXPECT_EQ(watch.one_too_many(), 1u);
}

TEST(ConnectionWatch, SeesWhatIsLeftBeyondItsTime) {
  ConnectionWatch watch(tight());
  watch.accepted(end_of(1), at({}));
  bool is_read = true;
  const auto wants_input = [&is_read](StreamEnd) { return is_read; };
  watch.look(at(milliseconds(4'999)), wants_input);
  EXPECT_EQ(watch.overdue(), 0u);
  watch.look(at(seconds(10)), wants_input);
  EXPECT_EQ(watch.overdue(), 1u) << "a handshake";
  watch.ended(end_of(1), at(seconds(10)));
  watch.accepted(end_of(2), at(seconds(10)));
  watch.received(end_of(2), 116, at(seconds(10)));
  watch.look(at(seconds(40)), wants_input);
  EXPECT_EQ(watch.overdue(), 1u);
  is_read = false;
  watch.look(at(seconds(50)), wants_input);
  EXPECT_EQ(watch.overdue(), 1u) << "what is not read may be silent";
  is_read = true;
  watch.look(at(seconds(80)), wants_input);
  EXPECT_EQ(watch.overdue(), 1u);
  watch.look(at(seconds(90)), wants_input);
  EXPECT_EQ(watch.overdue(), 2u);
}

TEST(ConnectionWatch, SeesAnOldConnectionThatNeverEnds) {
  ServerLimits limits = tight();
  limits.connection_age_max = seconds(100);
  limits.drain_timeout = seconds(20);
  ConnectionWatch watch(limits);
  watch.accepted(end_of(1), at({}));
  watch.received(end_of(1), 116, at({}));
  watch.sent(end_of(1), 51);
  const auto look = [&watch](Duration time) {
    watch.received(end_of(1), 1, at(time));
    watch.look(at(time), [](StreamEnd) { return true; });
    return watch.overdue();
  };
  look(seconds(100));
  EXPECT_EQ(look(seconds(120)), 0u) << "it may drain";
  EXPECT_EQ(look(seconds(130)), 1u);
}

TEST(ConnectionWatch, CountsHandshakesThatAreGivenUpForTheirTime) {
  const auto timed_out = [](Duration ended, bool by_peer, std::size_t received) {
    ConnectionWatch watch(tight());
    watch.accepted(end_of(1), at({}));
    watch.received(end_of(1), received, at(seconds(1)));
    if (by_peer) watch.ended_by_peer(end_of(1));
    watch.ended(end_of(1), at(ended));
    return watch.timed_out();
  };
  EXPECT_EQ(timed_out(seconds(5), false, 115), 1u);
  EXPECT_EQ(timed_out(seconds(4), false, 115), 0u) << "for something else";
  EXPECT_EQ(timed_out(seconds(5), true, 115), 0u);
  EXPECT_EQ(timed_out(seconds(5), false, 116), 0u) << "it was through";
  EXPECT_EQ(timed_out(seconds(1), false, 50), 0u) << "what came last may have been bad";
}

}  // namespace
}  // namespace statefs::sim
