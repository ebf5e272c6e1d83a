// Clients of one store over real sockets, through a proxy that tears their streams: what they were told must have an order.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/search.h"
#include "tests/os/torn_run.h"

namespace statefs {
namespace {

using sim::Operation;
using Verdict = sim::KeySearch::Verdict;

// Of one run for all tests of a process.
const test::TornRun& recorded() {
  static const test::TornRun run = test::torn_run(4, 0);
  return run;
}
// The same keys, written by programs of the device and by peers of the network at once.
const test::TornRun& recorded_at_both_doors() {
  static const test::TornRun run = test::torn_run(2, 2);
  return run;
}

TEST(TornStreams, TellTheirClientsWhatSomeOrderExplains) { test::expect_explained(recorded(), 4); }

TEST(TornStreams, RunEachMutationOnceWhateverBecameOfItsAnswer) { test::expect_each_ran_once(recorded()); }

TEST(TornStreams, OfBothDoorsTellWhatOneOrderExplains) { test::expect_explained(recorded_at_both_doors(), 4); }

TEST(TornStreams, OfBothDoorsRunEachMutationOnce) { test::expect_each_ran_once(recorded_at_both_doors()); }

TEST(TornStreams, OfBothDoorsAreRecordedByTheKindOfWhoAsked) {
  std::size_t local = 0, remote = 0, conflicts = 0;
  for (const Bytes& encoded : recorded_at_both_doors().audit) {
    const auto record = decode_audit(encoded);
    ASSERT_TRUE(record.ok());
    if (record.value().kind != AuditKind::mutation) continue;
    conflicts += record.value().status == Status::revision_conflict ? 1 : 0;
    (record.value().peer.kind == PeerKind::local ? local : remote) += 1;
    EXPECT_NE(record.value().peer.kind, PeerKind::none);
  }
  EXPECT_GT(local, 200u);
  EXPECT_GT(remote, 200u);
  EXPECT_GT(conflicts, 20u) << "they never met";
}

// The same history with one answer bent, so that the test above is known to be able to fail.
TEST(TornStreams, GiveAHistoryInWhichOneWrongAnswerIsFound) {
  const std::vector<Operation> operations = sim::operations_of(recorded().history);
  const auto written = [](const Operation& each, const std::string& key) {
    return each.kind == Operation::Kind::put && each.result == Operation::Result::ok && each.key == key;
  };
  std::size_t bent_count = 0, named_count = 0;
  for (std::size_t read = operations.size(); read-- > 0 && bent_count < 8;) {
    const Operation& get = operations[read];
    if (get.kind != Operation::Kind::get || get.result != Operation::Result::ok) continue;
    // Two PUTs behind each other, both before the read: the value of the first of them is stale.
    const auto second = std::find_if(operations.begin(), operations.end(), [&](const Operation& each) {
      return written(each, get.key) && each.answered < get.called && std::any_of(operations.begin(), operations.end(), [&](const Operation& first) {
               return written(first, get.key) && first.answered < each.called;
             });
    });
    if (second == operations.end()) continue;
    const auto first = std::find_if(operations.begin(), operations.end(),
                                    [&](const Operation& each) { return written(each, get.key) && each.answered < second->called; });
    std::vector<Operation> bent = operations;
    bent[read].revision = first->revision;
    bent[read].value = first->value;
    const sim::SearchResult result = sim::search_order(bent);
    EXPECT_EQ(result.verdict, Verdict::violation) << describe(get) << " bent to " << describe(bent[read]);
    EXPECT_EQ(result.key, get.key);
    named_count += std::count(result.unplaced.begin(), result.unplaced.end(), read) != 0 ? 1 : 0;
    ++bent_count;
  }
  EXPECT_EQ(bent_count, 8u);
  EXPECT_GT(named_count, 4u) << "the read that is wrong should be among those that have no place";
}

}  // namespace
}  // namespace statefs
