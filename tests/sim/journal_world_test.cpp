// Servers whose store is a journal on a disk: a crash at each of its requests, an error in each, and what a restart finds.
#include <gtest/gtest.h>

#include "sim/episode.h"
#include "sim/run.h"

namespace statefs::sim {
namespace {

Plan journal_plan(bool commits) {
  Plan plan;
  plan.seed = 1;
  plan.stand_in_cipher = true;
  plan.store.journals = 1;
  plan.store.commits = commits;
  plan.store.flush_interval = milliseconds(3);
  plan.store.flush_delay = milliseconds(2);
  plan.store.request_time = microseconds(500);
  plan.store.audit_ring_size = 2 * limits::audit_reserve_size;
  plan.store.value_bytes_max = 4'000;
  plan.store.keys_max = 8;
  plan.limits.sessions_per_key = 2;
  plan.workload.operation_count = 12;
  plan.workload.key_count = 2;
  plan.workload.value_size_max = 300;
  plan.workload.timeout = seconds(5);
  plan.workload.outside = {0, 1};
  plan.calm_operations = 1;
  return plan;
}

std::uint64_t request_count(const Plan& plan) {
  Episode episode(plan, nullptr);
  episode.work();
  return episode.cast().servers.front()->journal()->disk().request_count();
}

TEST(JournalWorld, ServesWhatItDidBesideAStoreInMemory) {
  const RunReport report = run(journal_plan(false));
  EXPECT_TRUE(report.ok()) << verdict_line(1, report);
  EXPECT_GT(report.marks.count(mark_named("journal.formats")), 0u);
}

// Values that end a block take a log to where an old record follows its end, and a crash there finds nothing of it.
TEST(JournalWorld, SurvivesACrashWhereAnOldRecordFollowsTheEndOfTheLog) {
  Plan plan = journal_plan(true);
  plan.limits.staging.value_size_max = limits::value_size_max;
  plan.store.value_bytes_max = 60'000;
  plan.workload.filling = {1, 1};
  plan.workload.operation_count = 100;
  plan.workload.put = 1;
  plan.workload.get = plan.workload.del = plan.workload.list = plan.workload.sync = 0;
  plan.workload.conditional = {0, 1};
  Incident crash;
  crash.kind = IncidentKind::edge_crash;
  crash.event = 2;
  crash.lasts = milliseconds(20);
  plan.incidents = {crash};
  const RunReport report = run(plan);
  EXPECT_TRUE(report.ok()) << verdict_line(1, report);
  EXPECT_EQ(report.applied[FaultKind::disk_crash], 1u);
}

// What a crash at that request of the disk catches.
Disk::Unflushed caught_by(Plan plan, const Incident& crash) {
  plan.incidents = {crash};
  plan.incidents.front().amount = -1;  // counts what is under way too
  Episode episode(plan, nullptr);
  episode.work();
  return episode.cast().servers.front()->journal()->disk().caught_by_crash();
}

// What no flush covers is lost, kept, kept in part as drawn, there but for one write, for each of them, or one sector of it alone is
// there, for each of those.
TEST(JournalWorld, SurvivesACrashAtEachRequestOfItsDiskWhateverIsLeft) {
  std::uint64_t crashes = 0, torn = 0, missing = 0;
  for (const bool commits : {false, true}) {
    Plan plan = journal_plan(commits);
    const std::uint64_t requests = request_count(plan);
    ASSERT_GT(requests, 20u);
    Incident crash;
    crash.kind = IncidentKind::disk_crash;
    crash.lasts = milliseconds(20);
    for (crash.event = 1; crash.event <= requests; ++crash.event) {
      const Disk::Unflushed caught = caught_by(plan, crash);
      std::vector<std::int64_t> all{0, 1'000, 6};
      for (std::uint64_t i = 0; i < caught.sectors; ++i) all.push_back(-1 - static_cast<std::int64_t>(i));
      for (std::uint64_t i = 0; i < caught.writes; ++i) all.push_back(-1'000 - static_cast<std::int64_t>(i));
      torn += caught.sectors;
      missing += caught.writes;
      for (const std::int64_t left : all) {
        crash.amount = left;
        plan.incidents = {crash};
        const RunReport report = run(plan);
        crashes += report.applied[FaultKind::disk_crash];
        ASSERT_TRUE(report.ok()) << verdict_line(1, report) << "\n" << print(plan);
      }
    }
  }
  EXPECT_GT(torn, 800u);
  EXPECT_GT(missing, 90u);
  EXPECT_GT(crashes, torn + missing);
}

TEST(JournalWorld, EndsAndComesBackWhereAnyRequestFails) {
  std::uint64_t errors = 0;
  for (const bool direct : {false, true}) {
    Plan plan = journal_plan(false);
    plan.store.direct = direct;
    Incident error;
    error.kind = IncidentKind::disk_error;
    for (std::int64_t at = 0; at < 60; at += 3) {
      for (error.amount = 0; error.amount < 3; ++error.amount) {
        error.at = Time{at * 1'000'000};
        plan.incidents = {error};
        const RunReport report = run(plan);
        ASSERT_TRUE(report.ok()) << verdict_line(1, report) << "\n" << print(plan);
        for (const FaultKind kind : {FaultKind::disk_read_error, FaultKind::disk_write_error, FaultKind::disk_flush_error}) {
          errors += report.applied[kind];
        }
      }
    }
  }
  EXPECT_GT(errors, 40u);
}

// Damage is mended from the other copy or refused; nobody is served out of it.
TEST(JournalWorld, NeverServesOutOfADamagedStore) {
  Plan plan = journal_plan(true);
  plan.workload.pause_max = milliseconds(200);
  Incident rot;
  rot.kind = IncidentKind::disk_rot;
  rot.at = Time{1'500'000'000};
  rot.lasts = milliseconds(20);
  std::uint64_t refused = 0, mended = 0;
  for (rot.amount = 1; rot.amount <= 60; ++rot.amount) {
    plan.incidents = {rot};
    const RunReport report = run(plan);
    ASSERT_TRUE(report.ok()) << verdict_line(1, report) << "\n" << print(plan);
    ASSERT_EQ(report.applied[FaultKind::disk_rot], 1u);
    const bool refuses = report.marks.count(mark_named("journal.refuses")) > 0;
    ++(refuses ? refused : mended);
  }
  EXPECT_GT(refused, 10u);
  EXPECT_GT(mended, 10u);
}

// A write that goes elsewhere is found out, by the store or by the clients that were told.
TEST(JournalWorld, NeverLosesAStrayWriteInSilence) {
  Plan plan = journal_plan(false);
  plan.workload.pause_max = milliseconds(200);
  plan.workload.operation_count = 30;
  plan.workload.value_size_max = 9'000;  // blocks that are not written again
  plan.store.value_bytes_max = 40'000;
  Incident stray, crash;
  stray.kind = IncidentKind::disk_misdirect;
  crash.kind = IncidentKind::power_loss;
  crash.lasts = milliseconds(20);
  std::uint64_t strays = 0, found_out = 0;
  for (std::int64_t at = 300; at < 1'500; at += 10) {
    plan.seed = static_cast<std::uint64_t>(at);
    stray.at = Time{at * 1'000'000};
    crash.at = stray.at + milliseconds(400);
    plan.incidents = {stray, crash};
    const RunReport report = run(plan);
    ASSERT_TRUE(report.ok()) << verdict_line(1, report) << "\n" << print(plan);
    strays += report.applied[FaultKind::disk_misdirected];
    found_out += report.marks.count(mark_named("journal.refuses")) + report.marks.count(mark_named("rejoin.rolled_back")) > 0 ? 1 : 0;
  }
  EXPECT_GT(strays, 10u);
  EXPECT_GT(found_out, 1u);  // most are written again before the crash, or land where nothing is
}

TEST(JournalWorld, TellsClientsOfAnOlderCopyOfTheDisk) {
  Plan plan = journal_plan(true);
  plan.workload.pause_max = milliseconds(100);
  Incident swap;
  swap.kind = IncidentKind::disk_swap;
  swap.lasts = milliseconds(200);
  std::uint64_t swaps = 0, rollbacks = 0;
  for (std::int64_t at = 50; at < 500; at += 25) {
    swap.at = Time{at * 1'000'000};
    plan.incidents = {swap};
    const RunReport report = run(plan);
    ASSERT_TRUE(report.ok()) << verdict_line(1, report) << "\n" << print(plan);
    swaps += report.applied[FaultKind::disk_swap];
    rollbacks += report.marks.count(mark_named("rejoin.rolled_back"));
  }
  EXPECT_GT(swaps, 10u);
  EXPECT_GT(rollbacks, 5u);
}

}  // namespace
}  // namespace statefs::sim
