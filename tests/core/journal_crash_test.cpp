#include <gtest/gtest.h>

#include <set>

#include "tests/core/journal_run.h"

namespace statefs::test {
namespace {

Now at_second(std::int64_t second) { return {Time{1 + second * 1'000'000'000}, second}; }

// A journal at work on a disk, with what it held after each record, and what it has told as durable and as exported.
class Working {
 public:
  Working(const JournalConfig& config, std::uint64_t seed, std::size_t size = small_extent) : config_(config), workload_(seed), disk_(size) {
    disk_.before = [this](const DiskRequest&) { visit(); };
    history_[0] = {};
    journal_ = std::make_unique<Journal>(config_, size);
    settle_and_note();
  }

  void work(int steps) {
    for (int i = 0; i < steps; ++i) {
      if (workload_.step(*journal_) == 0) history_[journal_->status().last_index] = contents_of(*journal_);
      if (workload_.dice().below(4) == 0) settle_and_note();  // in the middle of a commit
      if (workload_.dice().below(commit_size) != 0) continue;
      ++second_;
      journal_->submit(at_second(second_));
      if (workload_.dice().below(4) == 0) journal_->request_flush(journal_->status().last_index);
      settle_and_note();
      if (workload_.dice().below(export_every) != 0) continue;
      journal_->export_audit(exported_, 1 + workload_.dice().below(export_count_max));
    }
  }
  // The machine stops with `image` on its disk, and starts again.
  void restart(Bytes image) {
    const std::uint64_t told = told_durable_;
    disk_ = DiskModel(std::move(image));
    disk_.before = [this](const DiskRequest&) { visit(); };
    journal_.reset();
    exported_ = {};
    ++config_.epoch_random;
    journal_ = std::make_unique<Journal>(config_, disk_.durable().size());
    settle_and_note();
    ASSERT_TRUE(journal_->ready());
    ASSERT_GE(journal_->report().last.index, told);
  }

  [[nodiscard]] DiskModel& disk() { return disk_; }
  [[nodiscard]] Journal& journal() { return *journal_; }
  std::size_t crash_count = 0;
  std::size_t request_count = 0;
  std::size_t read_only_count = 0;
  std::size_t sweep_every = 1;  // of the requests, how many are visited
  bool hurried = false;          // records come between any two requests
  std::size_t commit_size = 3;   // records, about
  std::size_t export_every = 3;  // of the commits, after how many an exporter comes
  std::size_t export_count_max = 12;

 private:
  void settle_and_note() {
    if (hurried && workload_.dice().below(8) != 0) {
      for (int i = 0; i < 2 && disk_.serve_one(*journal_); ++i) journal_->advance(at_second(second_));
    } else {
      settle(*journal_, disk_, at_second(second_));
    }
    note();
  }
  void note() {
    if (!journal_ || !journal_->ready()) return;
    told_durable_ = std::max(told_durable_, journal_->status().durable_index);
    told_epoch_ = std::max(told_epoch_, journal_->status().epoch);
    history_.try_emplace(journal_->status().last_index, contents_of(*journal_));
  }
  void visit() {
    // What was lost never was, once recovery knows it.
    const bool recovered = journal_ && journal_->report().found != Found::nothing_yet;
    if (recovered && !journal_->ready()) history_.erase(history_.upper_bound(journal_->report().last.index), history_.end());
    note();
    if (++request_count % sweep_every != 0 || testing::Test::HasFatalFailure()) return;
    disk_.each_crash([this](const Bytes& image, const std::string& what) {
      ++crash_count;
      if (!testing::Test::HasFatalFailure()) check(image, what);
    });
  }
  // What a crash has left opens, as what it held after some record that is not before the last told durable; and all that
  // was not exported is exported, in one chain, up to the record of a new epoch.
  void check(const Bytes& image, const std::string& what) {
    SCOPED_TRACE("request " + std::to_string(request_count) + ", " + what);
    DiskModel disk(image);
    const auto again = open(disk, config_, at_second(second_ + 10));
    const RecoveryReport& report = again->report();
    ASSERT_TRUE(again->ready()) << int(report.found) << " " << int(report.damage) << " at " << report.place;
    ASSERT_GE(report.last.index, told_durable_);
    // The record of an epoch changes nothing, and is seen here before its journal says that it is there.
    const auto then = std::prev(history_.upper_bound(report.last.index));
    ASSERT_TRUE(then->first == report.last.index || report.last.index == first_index_of(epoch_of(report.last.index))) << report.last.index;
    ASSERT_EQ(contents_of(*again), then->second) << report.last.index;
    Exported after;
    again->export_audit(after, 10'000);
    if (again->read_only()) {  // until the marks say what was exported
      ++read_only_count;
      ASSERT_EQ(again->status().epoch, epoch_of(report.last.index));
      ASSERT_FALSE(again->log_has_room());
      for (int second = 20; second < 24; ++second) settle(*again, disk, at_second(second_ + second));
      ASSERT_FALSE(again->read_only());
      again->export_audit(after, 10'000);
    }
    ASSERT_EQ(again->status().epoch, epoch_of(report.last.index) + 1);
    ASSERT_GT(again->status().epoch, told_epoch_);
    ASSERT_EQ(after.last.index, again->status().last_index);
    // An exporter may see a record again, but misses none.
    const auto next = history_.upper_bound(exported_.last.index);
    ASSERT_TRUE(exported_.count == 0 || next == history_.end() || after.first <= next->first || next->first > report.last.index) << after.first;
  }

  JournalConfig config_;
  Workload workload_;
  DiskModel disk_;
  std::unique_ptr<Journal> journal_;
  Exported exported_;
  std::map<std::uint64_t, Contents> history_;
  std::uint64_t told_durable_ = 0;
  std::uint64_t told_epoch_ = 0;
  std::int64_t second_ = 1;
};

TEST(JournalCrash, AtEveryRequestLosesNothingThatWasToldDurable) {
  Marks marks;
  JournalConfig config = small_config();
  config.marks = &marks;
  Working working(config, 1);
  working.work(150);
  EXPECT_GT(working.request_count, 150u);
  EXPECT_GT(working.crash_count, 1'000u);
  EXPECT_GE(marks.count(mark_named("journal.snapshot_done")), 2u);
  EXPECT_GT(marks.count(mark_named("recovery.cut")), 0u);
  EXPECT_GT(marks.count(mark_named("journal.mends_superblock")), 0u);
}

TEST(JournalCrash, AtEveryRequestInSyncMode) {
  Working working(small_config(Durability::sync), 2);
  working.work(80);
  EXPECT_GT(working.crash_count, 200u);
}

// The chunks of a snapshot complete only with the flushes of commits, so that the log is full before the snapshot is done.
TEST(JournalCrash, AtEveryRequestWithASlowSnapshot) {
  Marks marks;
  JournalConfig config = small_config();
  config.limits.audit_ring_size = 64 * 1024;
  config.limits.snapshot_chunk_size = 3'000;
  config.marks = &marks;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Working working(config, seed, small_extent + 2 * disk_block_size);  // the same ring; more of a slot is lost to small chunks
    const Extent extent = working.journal().extent();
    working.disk().slow = [extent](const DiskRequest& request) {
      return request.offset >= Extent::head_size && request.offset < extent.ring_offset();
    };
    working.hurried = true;
    working.commit_size = 6;
    working.export_every = 1;
    working.export_count_max = seed % 2 == 0 ? 4 : 200;
    working.sweep_every = 13;
    working.work(350);
    ASSERT_FALSE(HasFatalFailure()) << seed;
  }
  EXPECT_GT(marks.count(mark_named("store.log_full")), 0u);
  EXPECT_GT(marks.count(mark_named("journal.snapshot_waits")), 0u);
  EXPECT_GT(marks.count(mark_named("journal.snapshot_done")), 5u);
}

// Now it is the log itself that is full of what was not exported, and what an exporter frees is written over at once.
TEST(JournalCrash, AtEveryRequestWithASlowExporter) {
  Marks marks;
  JournalConfig config = small_config();
  config.limits.audit_ring_size = 64 * 1024;
  config.marks = &marks;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Working working(config, seed);
    working.export_every = 16;
    working.export_count_max = 64;
    working.sweep_every = 17;
    working.work(350);
    ASSERT_FALSE(HasFatalFailure()) << seed;
  }
  EXPECT_GT(marks.count(mark_named("store.log_full")), 0u);
  EXPECT_GT(marks.count(mark_named("journal.marks_for_room")), 0u);
}

// The memory of what is not exported is full, then all of it is exported at once, and new records come before a mark tells of that: a
// crash there leaves more in the log behind the older mark than that memory is for.
TEST(JournalCrash, AtEveryRequestWithAFullMemoryThatIsExportedAtOnce) {
  Marks marks;
  JournalConfig config = small_config();
  config.limits.audit_ring_size = 2 * config.limits.reserve_size + 2'000;
  config.marks = &marks;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Working working(config, seed);
    working.commit_size = 16;
    working.export_every = 2;
    working.export_count_max = 10'000;
    working.sweep_every = 3;
    working.work(400);
    ASSERT_FALSE(HasFatalFailure()) << seed;
  }
  EXPECT_GT(marks.count(mark_named("store.log_full")), 0u);
}

// Crash upon crash, each time in the middle of what came after the one before.
TEST(JournalCrash, InsideRecoveryAndAgain) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    JournalConfig config = small_config();
    config.direct = seed % 2 == 0;
    Working working(config, seed);
    working.sweep_every = 23;
    for (int life = 0; life < 6; ++life) {
      working.work(15 + static_cast<int>(seed) % 30);
      std::vector<Bytes> images;
      working.disk().each_crash([&](const Bytes& image, const std::string&) { images.push_back(image); });
      working.restart(images[(seed * 7 + static_cast<std::uint64_t>(life)) % images.size()]);
      ASSERT_FALSE(HasFatalFailure()) << seed;
    }
  }
}

}  // namespace
}  // namespace statefs::test
