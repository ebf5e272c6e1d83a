#include "sim/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/checks.h"
#include "sim/workload.h"
#include "tests/sim/trial.h"

namespace statefs::sim {
namespace {

using Kind = Operation::Kind;
using Result = Operation::Result;
using Loss = Operation::Loss;
using Verdict = KeySearch::Verdict;
using Operations = std::vector<Operation>;
using Revision = std::optional<std::uint64_t>;

Operation answered(Kind kind, Result result, Moment called, Moment at, Revision revision = {}) {
  Operation operation;
  operation.kind = kind;
  operation.result = result;
  operation.key = "/k";
  operation.called = called;
  operation.answered = at;
  operation.revision = revision;
  return operation;
}
Operation put(Moment called, Moment at, std::uint64_t revision, Revision expected = {}) {
  Operation operation = answered(Kind::put, Result::ok, called, at, revision);
  operation.value = 100 + revision;
  operation.expected = expected;
  return operation;
}
Operation got(Moment called, Moment at, std::uint64_t revision) {
  Operation operation = answered(Kind::get, Result::ok, called, at, revision);
  operation.value = 100 + revision;
  return operation;
}
Operation absent(Moment called, Moment at) { return answered(Kind::get, Result::not_found, called, at); }
Operation deleted(Moment called, Moment at) { return answered(Kind::del, Result::ok, called, at); }
Operation conflict(Moment called, Moment at, std::uint64_t expected, std::uint64_t present) {
  Operation operation = answered(Kind::put, Result::revision_conflict, called, at, present);
  operation.expected = expected;
  return operation;
}
Operation restart(Moment called, Moment at) { return answered(Kind::restart, Result::ok, called, at); }
// `revision`: what names its value, if it ever ran.
Operation open_put(Moment called, std::uint64_t revision) {
  Operation operation = put(called, 0, revision);
  operation.result = Result::open;
  operation.revision.reset();
  return operation;
}
Operation open_delete(Moment called) { return answered(Kind::del, Result::open, called, 0); }
Operation with(Loss loss, Operation operation) {
  operation.loss = loss;
  return operation;
}

void expect(Verdict verdict, const Operations& history, const std::string& what) {
  const SearchResult result = search_order(history);
  EXPECT_EQ(result.verdict, verdict) << what << ": " << describe(result, history);
}

TEST(Search, AcceptsWhatSomeOrderExplains) {
  expect(Verdict::ok, {}, "nothing");
  expect(Verdict::ok, {absent(1, 2), put(3, 4, 5), got(5, 6, 5), deleted(7, 8), absent(9, 10), put(11, 12, 9)}, "one after the other");
  expect(Verdict::ok, {put(1, 10, 1), absent(2, 3), got(4, 5, 1)}, "a PUT takes effect between two reads");
  expect(Verdict::ok, {put(1, 9, 2), put(2, 8, 1), got(10, 11, 2)}, "two PUTs at once, in the order of their revisions");
  expect(Verdict::ok, {put(1, 2, 1), put(3, 4, 2, 1), conflict(5, 6, 1, 2), conflict(7, 8, 0, 2)}, "conditions");
  expect(Verdict::ok, {put(1, 2, 1, 0), deleted(3, 4), conflict(5, 6, 1, 0), put(7, 8, 2, 0)}, "conditions on what is absent");
  expect(Verdict::ok, {put(1, 4, 1, 0), conflict(2, 3, 0, 1)}, "the one that is answered later was first");
}

TEST(Search, RefusesStaleReads) {
  expect(Verdict::violation, {put(1, 2, 1), put(3, 4, 2), got(5, 6, 1)}, "the value before");
  expect(Verdict::violation, {put(1, 2, 1), absent(3, 4)}, "absent after a PUT");
  expect(Verdict::violation, {put(1, 2, 1), deleted(3, 4), got(5, 6, 1)}, "present after a DELETE");
  expect(Verdict::violation, {put(1, 2, 1), put(3, 10, 2), got(4, 5, 2), got(6, 7, 1)}, "new, then old, while the PUT goes on");
  Operations keys{put(1, 2, 1), put(3, 4, 2), got(5, 6, 2), absent(7, 8)};
  keys[3].key = "/other";
  expect(Verdict::ok, keys, "another key");
}

TEST(Search, RefusesLostUpdates) {
  expect(Verdict::violation, {put(1, 2, 1), put(3, 8, 2, 1), put(4, 7, 3, 1)}, "two PUTs on the same condition");
  expect(Verdict::violation, {put(1, 8, 1, 0), put(2, 7, 2, 0)}, "two that must not find the key");
  expect(Verdict::violation, {put(1, 2, 1), put(3, 4, 2), conflict(5, 6, 9, 1)}, "a conflict with what was overwritten");
}

TEST(Search, RefusesAValueThatComesBack) {
  // A PUT that was carried out again behind another, under its first revision or under a new one.
  expect(Verdict::violation, {put(1, 2, 1), put(3, 4, 2), got(5, 6, 2), got(7, 8, 1)}, "under its revision");
  Operation again = got(7, 8, 3);
  again.value = 101;
  expect(Verdict::violation, {put(1, 2, 1), put(3, 4, 2), got(5, 6, 2), again}, "under a new revision");
  expect(Verdict::violation, {put(1, 2, 1), deleted(3, 4), absent(5, 6), got(7, 8, 1)}, "after a DELETE");
  expect(Verdict::violation, {put(1, 2, 1), deleted(3, 4), put(5, 6, 2), absent(7, 8)}, "a DELETE that ran again");
}

TEST(Search, RefusesConditionsThatWereJudgedWrongly) {
  expect(Verdict::violation, {put(1, 2, 1), conflict(3, 4, 1, 1)}, "a conflict although the condition held");
  expect(Verdict::violation, {conflict(1, 2, 0, 0)}, "a conflict although the key was absent");
  expect(Verdict::violation, {put(1, 2, 1), put(3, 4, 2, 7)}, "carried out although it did not hold");
  expect(Verdict::violation, {deleted(1, 2)}, "a DELETE of nothing");
  expect(Verdict::violation, {put(1, 2, 1), answered(Kind::del, Result::not_found, 3, 4)}, "not found although it was there");
  Operation changed = answered(Kind::get, Result::revision_conflict, 3, 4, 1);
  changed.expected = 1;
  expect(Verdict::violation, {put(1, 2, 1), changed}, "a GET of a revision that was there");
  changed.expected = 2;
  expect(Verdict::ok, {put(1, 2, 1), changed}, "a GET of one that was not");
}

TEST(Search, RefusesWhatNobodyWrote) {
  expect(Verdict::violation, {got(1, 2, 1)}, "a value of nobody");
  expect(Verdict::violation, {put(1, 2, 1), got(3, 4, 2)}, "a revision of nobody");
  Operation other = got(3, 4, 1);
  other.value = 7;
  expect(Verdict::violation, {put(1, 2, 1), other}, "another value under its revision");
  expect(Verdict::violation, {put(1, 2, 2), put(3, 4, 1)}, "a revision that falls");
  expect(Verdict::violation, {put(1, 2, 1), deleted(3, 4), put(5, 6, 1)}, "a revision used twice");
  expect(Verdict::violation, {got(1, 2, 1), put(3, 4, 1)}, "read before it was asked for");
}

TEST(Search, LetsOpenOperationsRunAnyTimeOrNever) {
  expect(Verdict::ok, {put(1, 2, 1), open_put(3, 2), got(4, 5, 1), got(6, 7, 2)}, "late");
  expect(Verdict::ok, {put(1, 2, 1), open_put(3, 2), got(4, 5, 1), got(6, 7, 1)}, "never");
  expect(Verdict::ok, {put(1, 2, 1), open_delete(3), got(4, 5, 1), absent(6, 7), put(8, 9, 2)}, "a DELETE, late");
  expect(Verdict::ok, {open_put(1, 1), deleted(2, 3)}, "a PUT that only a DELETE saw");
  expect(Verdict::ok, {open_put(1, 4), conflict(2, 3, 0, 4), got(4, 5, 4)}, "a revision that is first seen in a conflict");
  expect(Verdict::violation, {open_put(1, 1), got(2, 3, 1), deleted(4, 5), got(6, 7, 1)}, "twice");
  expect(Verdict::violation, {got(1, 2, 1), open_put(3, 1)}, "before its call");
  expect(Verdict::violation, {put(1, 2, 1), open_delete(3), absent(4, 5), got(6, 7, 1)}, "a DELETE that is undone");
  expect(Verdict::violation, {open_put(1, 1), got(2, 3, 1), put(4, 5, 2), got(6, 7, 1)}, "overwritten and back");
  Operation conditional = open_put(1, 2);
  conditional.expected = 9;
  expect(Verdict::violation, {put(2, 3, 1), conditional, got(4, 5, 2)}, "although its condition cannot have held");
}

TEST(Search, TellsOpenPutsApartByTheirValues) {
  expect(Verdict::violation, {open_put(1, 1), got(2, 3, 4)}, "another value than was asked for");
  Operation seen = got(2, 3, 9);
  seen.value = 101;
  expect(Verdict::ok, {open_put(1, 1), seen}, "whatever revision it got");
  expect(Verdict::violation, {put(1, 2, 9), open_put(3, 1), seen}, "but not one of another PUT");
  seen.called = 6, seen.answered = 7, seen.revision = 3;
  expect(Verdict::violation, {put(1, 2, 4), open_put(3, 1), seen}, "nor one below what was there");
}

TEST(Search, TakesLostWritesAwayAtARestart) {
  const Operations before{put(1, 2, 1), with(Loss::yes, put(3, 4, 2)), got(5, 6, 2), restart(7, 10)};
  const auto then = [&before](std::initializer_list<Operation> after) {
    Operations all = before;
    all.insert(all.end(), after);
    return all;
  };
  expect(Verdict::ok, then({got(11, 12, 1), put(13, 14, 3)}), "what was there before it");
  expect(Verdict::violation, then({got(11, 12, 2)}), "still there, though it was told lost");
  expect(Verdict::ok, then({got(8, 12, 2)}), "read before the restart");
  expect(Verdict::violation, then({absent(11, 12)}), "what was not lost is gone");
  expect(Verdict::violation, {put(1, 2, 1), with(Loss::yes, put(3, 4, 2)), got(5, 6, 1)}, "lost without a restart");
  expect(Verdict::violation, {with(Loss::yes, put(1, 2, 1)), put(3, 4, 2), restart(5, 6), got(7, 8, 2)}, "kept behind a lost one");
  // Sent again behind the restart that took its first run: both were there to be seen, each on its side.
  const Operations again{with(Loss::yes, open_put(1, 1)), got(2, 3, 1), restart(4, 5), put(1, 8, 2)};
  const auto and_then = [&again](Operation read) {
    Operations all = again;
    all.push_back(read);
    return all;
  };
  expect(Verdict::ok, and_then(got(9, 10, 2)), "run again");
  expect(Verdict::violation, and_then(got(9, 10, 1)), "the first run was kept");
  const Operations maybe{put(1, 2, 1), with(Loss::maybe, put(3, 4, 2)), open_delete(5), restart(7, 10)};
  for (const Operation& after : {got(11, 12, 1), got(11, 12, 2), absent(11, 12)}) {
    Operations all = maybe;
    all.push_back(after);
    expect(Verdict::ok, all, describe(after));
  }
}

TEST(Search, NamesTheKeyAndWhatHasNoPlace) {
  Operations history{put(1, 2, 1), put(3, 4, 2), got(5, 8, 1), got(6, 7, 2), got(9, 10, 2)};
  history.push_back(put(1, 2, 1));
  history.back().key = "/other";
  const SearchResult result = search_order(history);
  EXPECT_EQ(result.verdict, Verdict::violation);
  EXPECT_EQ(result.key, "/k");
  EXPECT_EQ(result.judged, 6u);
  EXPECT_THAT(result.placed, ::testing::ElementsAre(0, 1, 3));
  EXPECT_THAT(result.unplaced, ::testing::ElementsAre(2));
  EXPECT_THAT(describe(result, history), ::testing::HasSubstr("no place  get \"/k\" value=101 [5, 8) ok revision=1"));
}

// Many PUTs at once of which nobody was told the revision: the shape that a search is slow at.
TEST(Search, SaysUndecidedAndNeverOkWhenItsStepsAreUsedUp) {
  Operations history;
  for (std::uint64_t i = 1; i <= 24; ++i) {
    Operation each = answered(Kind::put, Result::ok, i, 100 + i);
    each.value = i;
    history.push_back(each);
  }
  history.push_back(deleted(200, 201));
  history.push_back(got(202, 203, 1));
  const SearchResult few = search_order(history, 5'000);
  EXPECT_EQ(few.verdict, Verdict::undecided) << describe(few, history);
  EXPECT_EQ(few.key, "/k");
  EXPECT_GE(few.steps, 5'000u);
  EXPECT_LT(few.steps, 5'100u);
  // A violation elsewhere is told all the same.
  history.push_back(deleted(1, 2));
  history.back().key = "/z";
  EXPECT_EQ(search_order(history, 5'000).key, "/z");
  EXPECT_EQ(search_order(history, 5'000).verdict, Verdict::violation);
  EXPECT_EQ(search_order(Operations{put(1, 2, 1)}, 0).verdict, Verdict::undecided);
}

TEST(Search, GoesThroughALongHistoryWithManyOpenOperations) {
  Operations history;
  std::uint64_t revision = 0;
  for (Moment at = 0; at < 20'000; at += 20) {
    history.push_back(put(at + 1, at + 8, ++revision));
    history.push_back(got(at + 2, at + 9, revision));
    if (at % 400 == 0) history.push_back(open_put(at + 3, 1'000'000 + at));
    if (at % 600 == 0) history.push_back(open_delete(at + 4));
    history.push_back(got(at + 11, at + 12, revision));
  }
  const SearchResult right = search_order(history);
  EXPECT_EQ(right.verdict, Verdict::ok) << describe(right, history);
  Operations wrong = history;
  wrong.back().revision = 900;
  wrong.back().value = 1'000;
  EXPECT_EQ(search_order(wrong).verdict, Verdict::violation);
}

// The calls of several clients on few keys over streams that break, as one world's trace tells them.
History history_of_a_world(World& world) {
  std::vector<std::unique_ptr<Workload>> workloads;
  world.add_node();
  ServerProgramOptions options;
  options.policy = world.enrol({1, 2, 3});
  world.add_server(world.node(0), options);
  WorkloadOptions work;
  work.operation_count = 80;
  work.in_flight_max = 3;
  work.key_count = 2;
  work.timeout = milliseconds(60);
  work.breaks = {1, 10};
  for (NodeId id = 1; id <= 3; ++id) {
    workloads.push_back(std::make_unique<Workload>(world.add_node(), work));
    workloads.back()->start(world.add_client(world.node(id), 0, *workloads.back()));
  }
  const auto done = [&] { return std::all_of(workloads.begin(), workloads.end(), [](const auto& each) { return each->done(); }); };
  EXPECT_TRUE(world.run_while_not(done, 3'000'000));
  return history_of(world.trace());
}

TEST(Search, AgreesWithTheTimelineOverWorlds) {
  std::size_t judged = 0, open = 0, objections = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Faults faults;
    faults.link.jitter = milliseconds(20);
    World world(seed, faults);
    History history = history_of_a_world(world);
    const Operations operations = operations_of(history);
    const SearchResult result = search_order(operations);
    EXPECT_EQ(result.verdict, Verdict::ok) << "seed " << seed << " " << describe(result, operations);
    judged += result.judged;
    open += operations.size() - result.judged;
    CheckContext context;  // without keys, so no record is known to be of a call
    context.servers[0] = {};
    context.policies.emplace_back();
    EXPECT_EQ(check_linearizable(Case(history, context, 0)).failure, "") << seed;
    // Bent in one place, the history is refused by the timeline wherever it is refused by the search.
    RandomStream random(seed, "bend");
    std::vector<std::size_t> reads;
    for (std::size_t i = 0; i < history.calls.size(); ++i) {
      const SeenCall& call = history.calls[i];
      if (call.op == Op::get && call.answered() && call.status == Status::ok && !call.condition) reads.push_back(i);
    }
    for (const std::size_t read : reads) {
      const SeenCall& other = history.calls[reads[random.below(reads.size())]];
      if (other.key != history.calls[read].key || other.revision == history.calls[read].revision) continue;
      History bent = history;
      SeenCall& call = bent.calls[read];
      call.revision = other.revision;
      call.data = other.data;
      call.total_size = other.total_size;
      const Operations seen = operations_of(bent);
      if (search_order(seen).verdict == Verdict::ok) continue;
      ++objections;
      EXPECT_NE(check_linearizable(Case(bent, context, 0)).failure, "") << "seed " << seed << " " << describe(search_order(seen), seen);
    }
  }
  EXPECT_GT(judged, 1'000u);
  EXPECT_GT(open, 20u);
  EXPECT_GT(objections, 20u);
}

}  // namespace
}  // namespace statefs::sim
