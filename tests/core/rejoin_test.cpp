#include "core/rejoin.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/limits.h"

namespace statefs {
namespace {

// A client's half whose server answers as each test says.
class RejoinTest : public testing::Test {
 protected:
  RejoinTest() : table_(limits::slots_per_session) {}

  void connect(std::uint64_t epoch) {
    rejoin_.disconnected();
    SessionInstance random{};
    random[0] = ++connections_;
    rejoin_.connected(random);
    rejoin_.greeted({}, epoch);
  }
  std::optional<Op> next() {
    now_ = now_ + seconds(1);
    request_ = rejoin_.next(now_);
    if (!request_) return std::nullopt;
    return op_of(*request_);
  }
  void answer(Status status, ResponseBody body) {
    const Response response{1, static_cast<std::uint8_t>(op_of(*request_)), status, std::move(body)};
    ASSERT_EQ(rejoin_.answered(response, now_, fates_), Rejoin::Progress::ok);
  }
  void answer_session() { answer(Status::ok, SessionResponse{session_, 0, rejoin_.generation(), table_}); }
  void join() {
    ASSERT_EQ(next(), Op::open);
    answer_session();
    ASSERT_TRUE(rejoin_.joined());
  }
  // Two writes at once, answered: on slots 0 and 1.
  void write_two() {
    (void)ledger_.take(1);
    (void)ledger_.take(2);
    ledger_.consumed(0, 101, true);
    ledger_.consumed(1, 102, true);
  }
  // The second is lost with an unsynced suffix, and the session closed.
  void close_behind() {
    connect(2);
    table_[0] = {1, 101, 0, Status::ok};
    ASSERT_EQ(next(), Op::resume);
    answer_session();
    ASSERT_EQ(next(), Op::close);
    answer_session();
    EXPECT_EQ(ledger_.take_lost(), (LostWrite{2, 102, true}));
    EXPECT_FALSE(ledger_.take_lost().has_value());
  }

  void close_a_session_that_is_behind() {
    connect(1);
    join();
    write_two();
    close_behind();
  }

  Marks marks_;
  Ledger ledger_{marks_};
  Rejoin rejoin_{ledger_, marks_};
  Time now_{1};
  std::uint8_t connections_ = 0;
  std::uint64_t session_ = 7;
  std::vector<SlotState> table_;
  std::optional<RequestBody> request_;
  std::vector<Fate> fates_;
};

TEST_F(RejoinTest, LeavesAClosedSessionOnceAHeadCoversWhatIsLeftOfIt) {
  close_a_session_that_is_behind();
  ASSERT_EQ(next(), Op::sync);
  EXPECT_EQ(std::get<SyncRequest>(*request_).epoch, 2u);
  answer(Status::overloaded, SyncResponse{});
  ASSERT_EQ(next(), Op::sync) << "again";
  answer(Status::ok, SyncResponse{2, 103, 0, AuditHead{103, {}}});
  EXPECT_TRUE(ledger_.idle());
  ASSERT_EQ(next(), Op::open);
}

TEST_F(RejoinTest, ReportsAWriteOfAClosedSessionThatARollbackTookBeforeAHeadCoveredIt) {
  close_a_session_that_is_behind();
  ASSERT_EQ(next(), Op::sync);
  // The stream breaks, and the store is put back to before the write: the session is live there.
  connect(3);
  ASSERT_EQ(next(), Op::resume);
  table_[0] = {};
  answer_session();
  ASSERT_EQ(next(), Op::close);
  answer_session();
  EXPECT_EQ(ledger_.take_lost(), (LostWrite{1, 101, true}));
  ASSERT_EQ(next(), Op::open);
}

TEST_F(RejoinTest, AsksAboutAClosedSessionWhoseWritesNoHeadCovered) {
  close_a_session_that_is_behind();
  ASSERT_EQ(next(), Op::sync);
  connect(3);
  ASSERT_EQ(next(), Op::resume);
  answer(Status::session_unknown, SessionResponse{});
  ASSERT_EQ(next(), Op::outcome);
  EXPECT_EQ(std::get<OutcomeRequest>(*request_).slot, 0u);
  OutcomeResponse applied;
  applied.outcome = Outcome::applied;
  applied.index = 101;
  answer(Status::ok, applied);
  ASSERT_EQ(next(), Op::sync) << "nor does OUTCOME bring a head";
  answer(Status::ok, SyncResponse{3, 301, 0, AuditHead{301, {}}});
  ASSERT_EQ(next(), Op::open);
  EXPECT_FALSE(ledger_.take_lost().has_value());
}

TEST_F(RejoinTest, ReportsWhatNoHeadCoversWhereTheWholeHistoryIsAnother) {
  close_a_session_that_is_behind();
  connect(3);
  EXPECT_TRUE(rejoin_.abandon().empty());
  EXPECT_EQ(ledger_.take_lost(), (LostWrite{1, 101, false}));
  ASSERT_EQ(next(), Op::open);
}

TEST_F(RejoinTest, EndsWithAServerWhoseSyncIsBehindWhatItsTableSaid) {
  close_a_session_that_is_behind();
  ASSERT_EQ(next(), Op::sync);
  const Response behind{1, static_cast<std::uint8_t>(Op::sync), Status::ok, SyncResponse{2, 100, 0, AuditHead{100, {}}}};
  EXPECT_EQ(rejoin_.answered(behind, now_, fates_), Rejoin::Progress::impossible);
}

}  // namespace
}  // namespace statefs
