#include "os/audit_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>

#include "core/memory_store.h"
#include "os/clock.h"
#include "tests/os/fake_journald.h"
#include "tests/os/temp_dir.h"

namespace statefs {
namespace {

using ::testing::HasSubstr;

class AuditFile : public ::testing::Test {
 protected:
  // Appends and commits `count` records of puts.
  void record(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string key = "/state/shared/k" + std::to_string(next_++);
      AuditRecord audit;
      audit.op = static_cast<std::uint8_t>(Op::put);
      audit.key = key;
      audit.key_size = static_cast<std::uint32_t>(key.size());
      Effect effect;
      effect.kind = Effect::Kind::put;
      effect.key = CanonicalKey::from(as_bytes(key)).value();
      ASSERT_TRUE(store_.append(audit, effect, {}).ok());
    }
    store_.submit(now());
  }
  // As a loop does it: again whenever the target says that there is something to do.
  void turn(AuditExport& audit, Now at) {
    audit.export_from(store_, at);
    pollfd watched{audit.fd(), POLLIN, 0};
    while (audit.fd() >= 0 && ::poll(&watched, 1, 200) == 1) audit.export_from(store_, at);
  }
  static Now now(Duration later = {}) { return {Time{1'000'000'000} + later, 0}; }
  static long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

  test::TempDir dir_;
  int next_ = 0;
  MemoryStore store_{MemoryStoreConfig{}, Now{Time{1}, 0}};
  Console console_{STDOUT_FILENO};
};

// Looks at what is there and takes nothing.
struct Counted final : AuditSink {
  bool take(std::uint64_t, ByteView, const Digest&) override { return ++count > 0; }
  std::size_t kept(std::size_t) override { return 0; }
  std::size_t count = 0;
};

// Limits the size of every file this process writes, as a full disk would; lifted when the test ends.
class FullDisk {
 public:
  explicit FullDisk(rlim_t size) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = size;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(AuditFile, HoldsOneLineForEachRecordAndIsNotForEverybody) {
  const mode_t mask = ::umask(022);
  auto audit = AuditExport::open(dir_.path("audit"), console_);
  ::umask(mask);
  ASSERT_TRUE(audit.ok());
  record(3);
  turn(audit.value(), now());
  EXPECT_EQ(lines(test::read_file(dir_.path("audit"))), 4);  // and the epoch
  struct stat info {};
  ASSERT_EQ(::stat(dir_.path("audit").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
  turn(audit.value(), now());
  EXPECT_EQ(lines(test::read_file(dir_.path("audit"))), 4) << "nothing twice";
}

TEST_F(AuditFile, IsAppendedToWhenItIsThere) {
  dir_.write("audit", "before\n");
  auto audit = AuditExport::open(dir_.path("audit"), console_);
  ASSERT_TRUE(audit.ok());
  record(1);
  turn(audit.value(), now());
  EXPECT_EQ(test::read_file(dir_.path("audit")).substr(0, 7), "before\n");
}

TEST_F(AuditFile, IsRefusedWhereItCannotBeAFile) {
  EXPECT_FALSE(AuditExport::open(dir_.path(""), console_).ok());
  EXPECT_FALSE(AuditExport::open(dir_.path("no/folder"), console_).ok());
  const auto device = AuditExport::open("/dev/full", console_);
  ASSERT_FALSE(device.ok());
  EXPECT_THAT(device.error().line, HasSubstr("not a regular file"));
}

TEST_F(AuditFile, AsksForAnotherTurnUntilTheStoreIsEmpty) {
  auto audit = AuditExport::open(dir_.path("audit"), console_);
  ASSERT_TRUE(audit.ok());
  record(5'000);
  turn(audit.value(), now());
  for (int i = 0; i < 100 && audit.value().deadline() != never; ++i) turn(audit.value(), now());
  EXPECT_EQ(lines(test::read_file(dir_.path("audit"))), 5'001);
}

// A record leaves the store when a power cut cannot take it any more, and nobody waits for that.
TEST_F(AuditFile, IsWrittenBesideWhoeverServesAndFreesTheStoreAfterwards) {
  auto audit = AuditExport::open(dir_.path("audit"), console_);
  ASSERT_TRUE(audit.ok());
  record(3);
  audit.value().export_from(store_, now());
  EXPECT_EQ(audit.value().deadline(), never) << "it says itself when it is done";
  pollfd watched{audit.value().fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&watched, 1, 10'000), 1);
  EXPECT_EQ(lines(test::read_file(dir_.path("audit"))), 4);
  Counted counted;
  (void)store_.export_audit(counted, 100);
  EXPECT_EQ(counted.count, 4u) << "nobody has been told yet that they are out";
  audit.value().export_from(store_, now());
  counted.count = 0;
  (void)store_.export_audit(counted, 100);
  EXPECT_EQ(counted.count, 0u);
  EXPECT_EQ(::poll(&watched, 1, 50), 0) << "and it is quiet";
}

TEST_F(AuditFile, GoesOnWithTheSameByteAfterAFullDisk) {
  auto audit = AuditExport::open(dir_.path("audit"), console_);
  ASSERT_TRUE(audit.ok());
  record(20);
  {
    const FullDisk full(3'000);  // in the middle of a line
    turn(audit.value(), now());
    EXPECT_EQ(test::read_file(dir_.path("audit")).size(), 3'000u);
    EXPECT_EQ(audit.value().deadline(), now(milliseconds(250)).monotonic);
    record(5);
    turn(audit.value(), now());
    turn(audit.value(), now(milliseconds(300)));
    EXPECT_EQ(test::read_file(dir_.path("audit")).size(), 3'000u);
  }
  turn(audit.value(), now(milliseconds(600)));
  EXPECT_EQ(audit.value().deadline(), never);
  const std::string text = test::read_file(dir_.path("audit"));
  EXPECT_EQ(lines(text), 26);
  for (int i = 0; i < 25; ++i) {
    const std::string key = "\"/state/shared/k" + std::to_string(i) + "\"";
    const auto first = text.find(key);
    ASSERT_NE(first, std::string::npos) << key;
    EXPECT_EQ(text.find(key, first + 1), std::string::npos) << key;
  }
}

TEST_F(AuditFile, StartsATornLineAgainInTheFileThatIsReopened) {
  auto audit = AuditExport::open(dir_.path("audit"), console_);
  ASSERT_TRUE(audit.ok());
  record(20);
  {
    const FullDisk full(3'000);
    turn(audit.value(), now());
  }
  ASSERT_EQ(std::rename(dir_.path("audit").c_str(), dir_.path("old").c_str()), 0);
  EXPECT_FALSE(audit.value().reopen().has_value());
  turn(audit.value(), now());
  const std::string old = test::read_file(dir_.path("old"));
  const std::string text = test::read_file(dir_.path("audit"));
  EXPECT_EQ(text.substr(0, 1), "{");
  EXPECT_EQ(lines(old) + lines(text), 21);
  EXPECT_EQ(text.back(), '\n');
}

TEST_F(AuditFile, KeepsTheOldFileWhereTheNewOneCannotBeOpened) {
  ASSERT_EQ(::mkdir(dir_.path("logs").c_str(), 0700), 0);
  auto audit = AuditExport::open(dir_.path("logs/audit"), console_);
  ASSERT_TRUE(audit.ok());
  ASSERT_EQ(std::rename(dir_.path("logs").c_str(), dir_.path("moved").c_str()), 0);
  EXPECT_TRUE(audit.value().reopen().has_value());
  record(1);
  turn(audit.value(), now());
  EXPECT_EQ(lines(test::read_file(dir_.path("moved/audit"))), 2);
}

TEST_F(AuditFile, SaysAtTheEndWhatItCouldNotWrite) {
  auto audit = AuditExport::open(dir_.path("audit"), console_);
  ASSERT_TRUE(audit.ok());
  record(20);
  const FullDisk full(100);
  const auto problem = audit.value().finish(store_, now());
  ASSERT_TRUE(problem.has_value());
  EXPECT_THAT(problem->line, HasSubstr("could not be written before the end"));
}

using AuditJournald = AuditFile;

TEST_F(AuditJournald, IsTriedSoonWhereItTakesSomeAndLessOftenWhereItTakesNone) {
  test::FakeJournald journald(dir_.path("journal"));
  auto audit = AuditExport::open("journald:" + dir_.path("journal"), console_);
  ASSERT_TRUE(audit.ok());
  record(5'000);
  audit.value().export_from(store_, now());
  EXPECT_EQ(audit.value().deadline(), now(milliseconds(2)).monotonic);
  audit.value().export_from(store_, now(milliseconds(2)));
  EXPECT_EQ(audit.value().deadline(), now(milliseconds(252)).monotonic);
}

TEST_F(AuditJournald, IsWaitedForAtTheEndAsLongAsItTakesSome) {
  test::FakeJournald journald(dir_.path("journal"));
  auto audit = AuditExport::open("journald:" + dir_.path("journal"), console_);
  ASSERT_TRUE(audit.ok());
  record(5'000);
  journald.start_reading();
  const auto problem = audit.value().finish(store_, now());
  EXPECT_FALSE(problem.has_value()) << problem->line;
  EXPECT_EQ(journald.take().size(), 5'001u);
  record(5'000);
  const Time begun = read_monotonic();
  EXPECT_TRUE(audit.value().finish(store_, now()).has_value()) << "nobody reads any more";
  EXPECT_LT(read_monotonic() - begun, seconds(5));
}

}  // namespace
}  // namespace statefs
