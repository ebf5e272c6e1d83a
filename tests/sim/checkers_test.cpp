// Each check must object to the history that it is there for: one true history, broken in one place at a time.
#include "sim/checkers.h"

#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "tests/sim/trial.h"

namespace statefs::sim {
namespace {

const std::string root = "/state/shared/";

struct True {
  Trial trial;
  History history;
  CheckContext context;

  True() {
    EXPECT_EQ(trial.put(root + "a", "one").response.status, Status::ok);           // call 0
    EXPECT_EQ(trial.put(root + "b", "two").response.status, Status::ok);           // 1
    EXPECT_EQ(value_of(trial.get(root + "a")), "one");                             // 2
    EXPECT_EQ(trial.put(root + "a", "three").response.status, Status::ok);         // 3
    EXPECT_EQ(value_of(trial.get(root + "a")), "three");                           // 4
    EXPECT_EQ(trial.list(root).response.status, Status::ok);                       // 5
    EXPECT_EQ(trial.del(root + "b").response.status, Status::ok);                  // 6
    EXPECT_EQ(trial.get(root + "b").response.status, Status::not_found);           // 7
    EXPECT_EQ(trial.put("/state/other/a", "no").response.status, Status::access_denied);  // 8
    EXPECT_EQ(trial.get("/state/other/a").response.status, Status::access_denied);  // 9
    history = history_of(trial.world.trace());
    context.keys = {trial.world.public_key_of(0), trial.world.public_key_of(1)};
    context.servers[0].mac_key = ServerProgram::mac_key_of(trial.world.random(), 0);
    context.server_of[1] = 0;
    context.policies.emplace_back();
  }
  SeenRecord& record_of(std::size_t call) {
    for (SeenRecord& seen : history.records) {
      if (seen.record.index == history.calls[call].index) return seen;
    }
    ADD_FAILURE() << "no record of call " << call;
    return history.records.front();
  }
  [[nodiscard]] std::vector<std::string> objections() const {
    std::vector<std::string> names;
    for (const CheckResult& each : check(history, context)) {
      if (!each.failure.empty()) names.emplace_back(each.name);
    }
    return names;
  }
};

using Break = std::function<void(True&)>;

void expect_objection(const std::string& check_name, const std::string& what, const Break& break_it) {
  True broken;
  break_it(broken);
  EXPECT_THAT(broken.objections(), ::testing::Contains(check_name)) << what;
}

TEST(Checkers, FindNothingInATrueHistory) {
  const True told;
  EXPECT_THAT(told.objections(), ::testing::IsEmpty());
  for (const CheckResult& each : check(told.history, told.context)) EXPECT_GT(each.judged, 0u) << each.name;
}

TEST(Checkers, ObjectToACallWithoutCompletion) {
  expect_objection("completed", "no completion", [](True& t) { t.history.calls[4].completed = no_place; });
  expect_objection("completed", "unreadable", [](True& t) { t.history.unreadable = "noise"; });
}

TEST(Checkers, ObjectToABrokenChain) {
  expect_objection("chain", "hash", [](True& t) { t.record_of(3).record.previous[0] ^= 1; });
  expect_objection("chain", "gap", [](True& t) { t.history.records.erase(t.history.records.begin() + 3); });
}

TEST(Checkers, ObjectToRecordsThatDoNotFitTheCalls) {
  expect_objection("recorded", "record missing", [](True& t) {
    std::erase_if(t.history.records, [&](const SeenRecord& r) { return r.record.index == t.history.calls[3].index; });
  });
  expect_objection("recorded", "record twice", [](True& t) {
    SeenRecord again = t.record_of(3);
    again.record.index = 1;
    t.history.records.push_back(again);
  });
  expect_objection("recorded", "record of nobody's call", [](True& t) {
    t.history.calls.erase(t.history.calls.begin() + 3);
  });
  expect_objection("recorded", "other status", [](True& t) { t.record_of(8).record.status = Status::ok; });
  expect_objection("recorded", "other peer", [](True& t) { t.record_of(3).record.peer.key.bytes[0] ^= 1; });
  expect_objection("recorded", "other key", [](True& t) { t.history.calls[3].key = root + "b"; });
  expect_objection("recorded", "other value", [](True& t) { t.record_of(3).record.value_mac[0] ^= 1; });
  expect_objection("recorded", "other revision", [](True& t) { ++t.history.calls[3].revision; });
  expect_objection("recorded", "answered without a record", [](True& t) { t.history.calls[8].index = 0; });
  expect_objection("recorded", "answered before it was recorded", [](True& t) {
    t.history.calls[3].completed = t.history.calls[3].called;
  });
}

TEST(Checkers, LetAnOpenOutcomeBeEitherButNotTwice) {
  True told;
  told.history.calls[3].result = CallResult::outcome_unknown;
  EXPECT_THAT(told.objections(), ::testing::IsEmpty()) << "it ran";
  True twice;
  twice.history.calls[3].result = CallResult::outcome_unknown;
  SeenRecord again = twice.record_of(3);
  ++again.at;
  twice.history.records.push_back(again);
  EXPECT_THAT(twice.objections(), ::testing::Contains("recorded"));
  expect_objection("recorded", "ran though it timed out", [](True& t) { t.history.calls[3].result = CallResult::timed_out; });
}

TEST(Checkers, ObjectToVerdictsThatTheShadowPolicyDoesNotGive) {
  expect_objection("policy", "allowed outside", [](True& t) { t.history.calls[9].status = Status::not_found; });
  expect_objection("policy", "denied inside", [](True& t) { t.history.calls[4].status = Status::access_denied; });
  expect_objection("policy", "another refusal", [](True& t) { t.history.calls[9].status = Status::invalid_key; });
  expect_objection("policy", "a byte in a refusal", [](True& t) { t.history.calls[9].data = {1}; });
  expect_objection("policy", "a revision in a refusal", [](True& t) { t.history.calls[9].revision = 1; });
  expect_objection("policy", "lists what is outside", [](True& t) { t.history.calls[5].entries[0].key = "/state/other/a"; });
  expect_objection("policy", "effect outside", [](True& t) { t.record_of(8).record.status = Status::ok; });
}

TEST(Checkers, ObjectToAnswersThatFitNoMoment) {
  expect_objection("linearizable", "stale read", [](True& t) {
    t.history.calls[4].revision = t.history.calls[0].revision;
    t.history.calls[4].data = t.history.calls[2].data;
    t.history.calls[4].total_size = 3;
  });
  expect_objection("linearizable", "read of the future", [](True& t) {
    t.history.calls[2].revision = t.history.calls[3].revision;
    t.history.calls[2].data = t.history.calls[4].data;
    t.history.calls[2].total_size = 5;
  });
  expect_objection("linearizable", "another value", [](True& t) { t.history.calls[4].data[0] ^= 1; });
  expect_objection("linearizable", "not found though there", [](True& t) { t.history.calls[4].status = Status::not_found; });
  expect_objection("linearizable", "found though gone", [](True& t) { t.history.calls[7].status = Status::ok; });
  expect_objection("linearizable", "lists too little", [](True& t) { t.history.calls[5].entries.pop_back(); });
  expect_objection("linearizable", "says that there is more", [](True& t) { t.history.calls[5].has_more = true; });
  expect_objection("linearizable", "lists an old revision", [](True& t) { t.history.calls[5].entries[0].revision = t.history.calls[0].revision; });
  expect_objection("linearizable", "condition did not hold", [](True& t) { t.history.calls[3].condition = 5; });
  expect_objection("linearizable", "conflict though it held", [](True& t) {
    t.record_of(3).record.status = t.history.calls[3].status = Status::revision_conflict;
  });
  expect_objection("linearizable", "lost update", [](True& t) { t.record_of(3).record.old_revision = 0; });
  expect_objection("linearizable", "nothing to delete", [](True& t) {
    t.record_of(6).record.status = t.history.calls[6].status = Status::not_found;
  });
}

}  // namespace
}  // namespace statefs::sim
