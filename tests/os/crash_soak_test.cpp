// dsoftbusd killed at random moments under load: exactly once, nothing unrecorded, nothing lost that was promised.
//
// STATEFS_CRASH_KILLS and STATEFS_CRASH_SEED choose another run than the quick one; scripts/crash-soak sets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tests/os/crash_judge.h"

namespace statefs {
namespace {

using sim::SeenCall;
using test::CrashEvidence;
using test::CrashRun;
using test::CrashVerdict;
using test::ExportedRecord;
using ::testing::Contains;
using ::testing::HasSubstr;

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

test::CrashPlan plan() {
  test::CrashPlan plan;
  plan.seed = number_from("STATEFS_CRASH_SEED", 20'261'128);
  plan.kill_count = number_from("STATEFS_CRASH_KILLS", 20);
  plan.time_max = seconds(60 + 3 * static_cast<std::int64_t>(plan.kill_count));
  return plan;
}

TEST(CrashSoak, KillsTheDaemonInTheMiddleOfMutationsAndLosesNothingThatWasPromised) {
  const CrashRun run = run_crashes(plan());
  const CrashVerdict verdict = judge_crashes(run.evidence);
  const test::CrashFigures& figures = run.figures;
  const test::CrashCounts& counts = verdict.counts;
  std::printf(
      "seed=%llu kills=%zu in_flight=%zu before_ready=%zu sync=%zu commit=%zu cuts=%d calls=%zu judged=%zu steps=%llu open=%zu "
      "lost=%zu "
      "applied=%zu refused=%zu syncs=%zu heads=%zu records=%zu repeated=%zu torn=%zu seconds=%.1f\n",
      static_cast<unsigned long long>(plan().seed), figures.kills, figures.kills_in_flight, figures.kills_before_ready,
      figures.kills_by_mode[0], figures.kills_by_mode[1], figures.cuts, counts.calls, counts.judged,
      static_cast<unsigned long long>(counts.steps), counts.open, counts.lost, counts.applied, counts.refused, counts.syncs,
      counts.heads, counts.records, counts.repeated, counts.torn, figures.seconds);
  for (const std::string& objection : verdict.objections) ADD_FAILURE() << objection;
  EXPECT_EQ(figures.kills, plan().kill_count);
  // A few kills are too few for a proportion.
  const std::size_t percent = figures.kills >= 100 ? 80 : 50;
  EXPECT_GE(figures.kills_in_flight * 100, figures.kills * percent) << "too few of the kills had a mutation in flight";
  EXPECT_GT(figures.kills_by_mode[0], 0u);
  EXPECT_GT(figures.kills_by_mode[1], 0u);
  EXPECT_GT(figures.cuts, 0);
  EXPECT_GT(counts.lost, 0u) << "no write was lost: the search had no restart to explain";
  EXPECT_GT(counts.applied, 50 * figures.kills);
  EXPECT_GT(counts.refused, 5 * figures.kills);
  EXPECT_GT(counts.syncs, 0u);
}

bool was_lost(const test::LoadLog& log, const SeenCall& call) {
  const auto& lost = log.history.lost_writes;
  return std::any_of(lost.begin(), lost.end(),
                     [&](const sim::SeenLostWrite& each) { return each.node == call.node && each.call == call.id; });
}
// A call that was answered OK, and is or is not reported lost.
template <typename Log>
auto find_call(Log& log, Op op, bool is_lost) {
  auto& calls = log.history.calls;
  return std::find_if(calls.begin(), calls.end(), [&](const SeenCall& call) {
    return call.op == op && call.answered() && call.status == Status::ok && is_lost == was_lost(log, call);
  });
}

// A short run of which one thing at a time is bent, so that the test above is known to be able to fail.
class BentEvidence {
 public:
  // How much is lost depends on the machine: it goes on until a PUT was. PUTs and SYNCs that stay come with the end of a run.
  BentEvidence() {
    test::CrashPlan plan;
    plan.seed = 7;
    plan.kill_count = 5;
    plan.has_enough = [](const test::LoadLog& log) { return find_call(log, Op::put, true) != log.history.calls.end(); };
    run_ = run_crashes(plan);
  }
  [[nodiscard]] bool has_all_that_is_bent() {
    auto& log = run_.evidence.log;
    const auto end = log.history.calls.end();
    return find_call(log, Op::put, true) != end && find_call(log, Op::put, false) != end && find_call(log, Op::sync, false) != end;
  }
  [[nodiscard]] CrashVerdict as_it_is() const { return judge_crashes(run_.evidence); }

  // Bends a copy, and expects what the judge says of it.
  template <typename Bend>
  void expect(const std::string& text, Bend bend) {
    bent_ = run_.evidence;
    bend(bent_);
    EXPECT_THAT(judge_crashes(bent_).objections, Contains(HasSubstr(text)));
  }
  SeenCall& call(Op op, bool is_lost) { return *find_call(bent_.log, op, is_lost); }  // in the copy
  ExportedRecord& record_of(const SeenCall& call) {
    const auto found = std::find_if(bent_.exported.begin(), bent_.exported.end(),
                                    [&](const ExportedRecord& each) { return each.record.index == call.index; });
    STATEFS_CHECK(found != bent_.exported.end());
    return *found;
  }

 private:
  CrashRun run_;
  CrashEvidence bent_;
};

TEST(CrashJudge, ObjectsToEvidenceOfWhichOneThingWasBent) {
  BentEvidence run;
  ASSERT_THAT(run.as_it_is().objections, ::testing::IsEmpty());
  ASSERT_TRUE(run.has_all_that_is_bent());
  const auto drop_record = [&](CrashEvidence& bent) {
    const std::uint64_t index = run.call(Op::put, false).index;
    std::erase_if(bent.exported, [&](const ExportedRecord& each) { return each.record.index == index; });
  };
  run.expect("answered OK and has 0 effects", drop_record);
  run.expect("a gap before", drop_record);
  run.expect("not what its hash says", [&](CrashEvidence&) { run.record_of(run.call(Op::put, false)).record.value_size += 1; });
  run.expect("has 2 records", [&](CrashEvidence& bent) {
    ExportedRecord again = run.record_of(run.call(Op::put, false));
    again.record.index = bent.exported.back().record.index + 1;
    bent.exported.push_back(again);
  });
  run.expect("answered OK and has 0 effects", [&](CrashEvidence& bent) {
    const SeenCall& call = run.call(Op::put, true);
    std::erase_if(bent.log.history.lost_writes,
                  [&](const sim::SeenLostWrite& lost) { return lost.node == call.node && lost.call == call.id; });
  });
  run.expect("was reported lost, and is in the audit", [&](CrashEvidence& bent) {
    const SeenCall& call = run.call(Op::put, false);
    bent.log.history.lost_writes.push_back({bent.log.clock, call.node, call.id, call.index, true});
  });
  run.expect("behind a SYNC that covers it", [&](CrashEvidence&) {
    const SeenCall& write = run.call(Op::put, true);
    SeenCall& sync = run.call(Op::sync, false);
    sync.node = write.node;
    sync.called = sync.completed = write.completed + 1;
  });
  run.expect("was durable before its answer was lost", [&](CrashEvidence& bent) {
    for (auto& [epoch, durability] : bent.epochs) durability = Durability::commit;
  });
  run.expect("was refused, and has an effect",
             [&](CrashEvidence&) { run.call(Op::put, false).status = Status::revision_conflict; });
  run.expect("is not in the chain", [&](CrashEvidence&) { run.call(Op::sync, false).head.hash[0] ^= 1; });
  run.expect("was told to be durable",
             [&](CrashEvidence& bent) { bent.images.back().promised_index = bent.images.back().last.index + 1; });
  run.expect("completed twice", [&](CrashEvidence& bent) { bent.log.history.calls.front().completed_again = bent.log.clock; });
  const auto change_last_read = [](CrashEvidence& bent) {
    SeenCall& last = bent.log.history.calls.back();
    ASSERT_EQ(last.op, Op::get);
    last.data.push_back('x');
    last.total_size += 1;
  };
  run.expect("no order explains", change_last_read);
  run.expect("in the end", change_last_read);
}

}  // namespace
}  // namespace statefs
