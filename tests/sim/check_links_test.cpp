// What the two ends of a connection say and hear, and when; and how long clients stay away.
#include "tests/sim/objections.h"

namespace statefs::sim {
namespace {

constexpr Time at(std::int64_t milliseconds_in) { return Time{} + milliseconds(milliseconds_in); }

// Records of one direction: when each was sealed, and opened; sealed and never opened with opened_at < 0.
struct Record {
  std::int64_t sealed_at = 0, opened_at = 0;
  bool is_keepalive = false;
};
SpokenLine line_of(const std::vector<Record>& records) {
  SpokenLine line;
  for (const Record& each : records) {
    if (!each.is_keepalive) line.text.push_back('x');
    line.parts.push_back({line.text.size(), 0, at(each.sealed_at), each.opened_at < 0 ? no_place : 0, at(each.opened_at)});
    if (each.opened_at >= 0) ++line.opened_count;
  }
  return line;
}

// A server with a keepalive of 1 s, dead peers after 3 s and an age of 20 s; clients with 2 s and 6 s.
Write talk(const std::vector<Record>& requests, const std::vector<Record>& answers, const std::vector<SeenPause>& pauses = {}) {
  return [=](Forge& f) {
    static std::deque<SpokenLine> lines;
    f.context.links = {seconds(1), seconds(3), seconds(20), seconds(2), seconds(6), milliseconds(50), seconds(10), 2};
    f.context.clients = {1, 2};
    f.context.pauses = pauses;
    f.arrive(1);
    f.arrivals.back().requests = &lines.emplace_back(line_of(requests));
    f.arrivals.back().answers = &lines.emplace_back(line_of(answers));
  };
}

TEST(CheckLinks, WantsKeepalivesOfBothEndsWhenTheyAreDueAndNoSooner) {
  const std::vector<Record> hello{{0, 1}};
  accept("both in time", talk({{0, 1}, {2000, 2001, true}, {4000, 4001, true}},
                              {{1, 2}, {1001, 1002, true}, {2001, 2002, true}, {3001, 3002, true}}));
  object("links", "a server that is silent", talk({{0, 1}, {2000, 2001, true}}, {{1, 2}}));
  object("links", "a server that is silent after a while", talk({{0, 1}, {1500, 1501}, {3000, 3001}}, {{1, 2}, {1001, 1002, true}, {3001, 3002}}));
  accept("a server that stood still", talk({{0, 1}, {2000, 2001, true}}, {{1, 2}}, {{0, at(900), at(1990)}}));
  accept("a peer that did not take what was said", talk({{0, 1}, {2000, 2001}}, {{1, -1}}));
  object("links", "a client that is silent", talk(hello, {{1, 2}, {1001, 1002, true}, {2001, 2002, true}, {2900, 2901, true}}));
  object("links", "a server that cannot stop", talk(hello, {{1, 2}, {301, 302, true}}));
  object("links", "a client that cannot stop", talk({{0, 1}, {500, 501, true}}, {{1, 2}}));
}

TEST(CheckLinks, WantsNothingOfAnotherProgramWithTheKeyOfAClient) {
  const auto first = [](const std::vector<RequestBody>& bodies) {
    return [bodies](Forge& f) {
      static std::deque<SpokenLine> lines;
      talk({{0, 1}}, {{1, 2}, {1001, 1002, true}, {2001, 2002, true}, {2900, 2901, true}})(f);
      SpokenLine& said = lines.emplace_back(*f.arrivals.back().requests);
      said.text.clear();
      for (const RequestBody& body : bodies) encode_request({1, body}, said.text);
      said.parts.front().end = said.text.size();
      f.arrivals.back().requests = &said;
    };
  };
  object("links", "the library's, silent after HELLO", first({HelloRequest{}}));
  EXPECT_THAT(objections_to(first({HelloRequest{}, OpenRequest{}})), ::testing::Not(::testing::Contains("links"))) << "one that waits for no answer";
}

TEST(CheckLinks, WantsSilenceTakenForDeathAndAnEndOfOldConnections) {
  std::vector<Record> keepalives{{1, 2}};
  for (std::int64_t time = 1'001; time < 5'000; time += 1'000) keepalives.push_back({time, -1, true});
  object("links", "a server that speaks to the dead", talk({{0, 1}}, keepalives));
  keepalives.resize(4);
  accept("one that waits its time", talk({{0, 1}}, keepalives));
  std::vector<Record> calls;
  for (std::int64_t time = 0; time < 12'000; time += 1'800) calls.push_back({time, -1});
  object("links", "a client that speaks to the dead", talk(calls, {}));
  std::vector<Record> requests, answers;
  for (std::int64_t time = 0; time <= 30'000; time += 500) {
    requests.push_back({time, time});
    answers.push_back({time, time});
  }
  object("links", "a connection that is too old", talk(requests, answers));
  requests.resize(40);
  answers.resize(40);
  accept("one that ends in time", talk(requests, answers));
}

TEST(CheckLinks, HoldsAPeerToItsConnections) {
  static const SpokenLine silence;
  const auto crowd = [](std::size_t count, std::uint64_t refused, bool ends) {
    return [=](Forge& f) {
      f.context.links = {seconds(1), seconds(3), seconds(20), seconds(2), seconds(6), milliseconds(50), seconds(10), 2};
      for (std::size_t i = 0; i < count; ++i) f.arrive(1);
      f.answer_sync(1, f.sync(1), Status::ok);
      for (SeenArrival& each : f.arrivals) {
        each.requests = each.answers = &silence;
        if (!ends) each.last_said = each.at + 1'000;
      }
      for (std::size_t i = 0; i < refused; ++i) {
        f.twist = [](AuditRecord& record) { record.op = static_cast<std::uint8_t>(HandshakeFailure::peer_limit); };
        f.take_count(1, AuditKind::handshakes, Op::hello, Status::ok);
      }
    };
  };
  accept("as many as it may", crowd(2, 0, false));
  object("links", "one too many", crowd(3, 0, false));
  EXPECT_THAT(objections_to(crowd(3, 0, true)), ::testing::Not(::testing::Contains("links"))) << "one after the other";
  object("links", "one too few", crowd(2, 1, false));
}

Write waited(std::vector<SeenWait> waits, const std::vector<SeenPause>& pauses = {}) {
  return [=](Forge& f) {
    f.context.links.backoff_min = milliseconds(50);
    f.context.links.backoff_max = seconds(10);
    f.context.pauses = pauses;
    f.waits = waits;
  };
}

TEST(CheckWaits, WantsThemLongerEachTimeNotTooLongAndNotInStep) {
  const auto wait = [](NodeId node, std::uint32_t failures, std::int64_t lasted_us, bool was_wanted = true) {
    return SeenWait{node, at(0), at(lasted_us / 1'000), failures, microseconds(lasted_us), was_wanted};
  };
  accept("that grow", waited({wait(1, 0, 30'000), wait(1, 1, 90'000), wait(1, 2, 130'000), wait(1, 30, 9'000'000), wait(2, 0, 31'000)}));
  object("waits", "too short at first", waited({wait(1, 0, 24'000)}));
  object("waits", "that do not grow", waited({wait(1, 0, 30'000), wait(1, 1, 31'000)}));
  object("waits", "beyond the longest", waited({wait(1, 30, 13'000'000)}));
  accept("with nothing to be called", waited({wait(1, 0, 13'000'000, false)}));
  accept("of a node that stood still", waited({wait(1, 0, 200'000)}, {{1, at(0), at(180)}}));
  object("waits", "thrice the same", waited({wait(1, 0, 50'000), wait(1, 0, 50'000), wait(1, 0, 50'000)}));
  accept("thrice the same, of a client that began anew", waited({wait(1, 0, 50'000), wait(1, 0, 50'000), [&] {
           SeenWait last = wait(1, 0, 50'000);
           last.incarnation = 1;
           return last;
         }()}));
  object("waits", "two clients in step", waited({wait(1, 0, 33'000), wait(1, 1, 77'000), wait(2, 0, 33'000), wait(2, 1, 77'000)}));
}

TEST(CheckBounds, ObjectsToConnectionsBeyondOrBelowTheirLimits) {
  const auto loaded = [](std::uint64_t SeenLoad::*what) {
    return [=](Forge& f) {
      SeenLoad load;
      load.*what = 1;
      f.loads.push_back(load);
    };
  };
  object("bounds", "one too many", loaded(&SeenLoad::one_too_many));
  object("bounds", "one too few", loaded(&SeenLoad::one_too_few));
  object("bounds", "one that has had its time", loaded(&SeenLoad::overdue));
}

}  // namespace
}  // namespace statefs::sim
