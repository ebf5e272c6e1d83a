#include "os/audit_export.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "core/check.h"
#include "core/memory_store.h"
#include "os/clock.h"
#include "tests/os/fake_journald.h"
#include "tests/os/full_disk.h"
#include "tests/os/temp_dir.h"

namespace statefs {
namespace {

using test::FullDisk;
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

TEST_F(AuditFile, IsRefusedWhereSomebodyElseMayWriteToIt) {
  const auto problem_of = [this](const std::string& path) {
    const auto audit = AuditExport::open(path, console_);
    return audit.ok() ? std::string("(opened)") : audit.error().line;
  };
  const std::string path = dir_.write("audit", "", 0666);
  EXPECT_THAT(problem_of(path), HasSubstr("anybody may write to it (mode 0666): run 'chmod o-w"));
  ASSERT_EQ(::chmod(path.c_str(), 0660), 0);
  EXPECT_EQ(problem_of(path), "(opened)");
  ASSERT_EQ(::symlink(path.c_str(), dir_.path("link").c_str()), 0);
  EXPECT_THAT(problem_of(dir_.path("link")), HasSubstr("is a symbolic link: name the file itself"));
  ASSERT_EQ(::symlink(dir_.path("none").c_str(), dir_.path("dangling").c_str()), 0);
  EXPECT_THAT(problem_of(dir_.path("dangling")), HasSubstr("is a symbolic link"));
  EXPECT_NE(::access(dir_.path("none").c_str(), F_OK), 0);
  if (::chown(path.c_str(), 12'345, 0) != 0) return;  // only root can give a file away
  EXPECT_THAT(problem_of(path), HasSubstr("belongs to uid 12345"));
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

// The whole lines of a file; a line that was cut, and then written anew behind it, is the only one that may not be whole.
std::vector<std::string> whole_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::string cut;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    const std::string line = text.substr(at, text.find('\n', at) - at);
    EXPECT_EQ(line.substr(0, 1), "{") << "at byte " << at;
    EXPECT_TRUE(line.starts_with(cut)) << cut << " and then " << line;
    cut = line.ends_with('}') ? "" : line;
    if (cut.empty()) lines.push_back(line);
    if (::testing::Test::HasFailure()) break;
  }
  EXPECT_EQ(cut, "");
  EXPECT_TRUE(text.ends_with('\n'));
  return lines;
}

// The rest of a line is on its way when the signal comes: nobody else may put anything in between.
TEST_F(AuditFile, LosesNoRecordToAHangupWhileTheRestOfItsLineIsWritten) {
  for (int round = 0; round < 3; ++round) {
    const std::string path = dir_.path("audit" + std::to_string(round));
    auto audit = AuditExport::open(path, console_);
    ASSERT_TRUE(audit.ok());
    const int first = next_;
    record(3'000);
    {
      const FullDisk full(3'000);
      turn(audit.value(), now());
    }
    ASSERT_NE(test::read_file(path).back(), '\n');
    audit.value().export_from(store_, now(milliseconds(300)));
    ::usleep(1'000);  // it makes lines of them now
    (void)audit.value().reopen();
    turn(audit.value(), now(milliseconds(600)));
    const auto lines = whole_lines(test::read_file(path));
    const int others = round == 0 ? 1 : 0;  // the epoch
    ASSERT_EQ(static_cast<int>(lines.size()), next_ - first + others);
    for (int i = first; i < next_; ++i) {
      const std::string& line = lines[static_cast<std::size_t>(i - first + others)];
      ASSERT_NE(line.find("\"/state/shared/k" + std::to_string(i) + "\""), std::string::npos) << line;
    }
  }
}

TEST_F(AuditFile, GetsNoEmptyLineFromHangupsWhileItIsWritten) {
  auto audit = AuditExport::open(dir_.path("audit"), console_);
  ASSERT_TRUE(audit.ok());
  for (int round = 0; round < 40; ++round) {
    record(1'000);
    audit.value().export_from(store_, now());
    pollfd watched{audit.value().fd(), POLLIN, 0};
    for (int i = 0; ::poll(&watched, 1, 0) == 0 && i < 5'000; ++i) (void)audit.value().reopen();
    audit.value().export_from(store_, now());
  }
  turn(audit.value(), now());
  EXPECT_EQ(whole_lines(test::read_file(dir_.path("audit"))).size(), 40'001u);
}

TEST_F(AuditFile, KeepsTheOldFileWhereTheNewOneCannotBeOpened) {
  ASSERT_EQ(::mkdir(dir_.path("logs").c_str(), 0700), 0);
  auto audit = AuditExport::open(dir_.path("logs/audit"), console_);
  ASSERT_TRUE(audit.ok());
  ASSERT_EQ(std::rename(dir_.path("logs").c_str(), dir_.path("moved").c_str()), 0);
  ::testing::internal::CaptureStderr();
  EXPECT_FALSE(audit.value().reopen().has_value()) << "it is opened beside whoever serves";
  turn(audit.value(), now());
  record(1);
  turn(audit.value(), now());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "dsoftbusd: not reopened: audit file " + dir_.path("logs/audit") + ": no such file or directory\n");
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

// A pipe that holds a dozen lines.
class AuditConsole : public AuditFile {
 protected:
  AuditConsole() {
    int ends[2];
    STATEFS_CHECK(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    reader_ = Fd(ends[0]);
    writer_ = Fd(ends[1]);
    STATEFS_CHECK(::fcntl(writer_.get(), F_SETPIPE_SZ, 4096) == 4096);
    console_of_pipe_.emplace(writer_.get());
  }
  void read_some(std::size_t size) {
    std::string some(size, 0);
    const ssize_t count = ::read(reader_.get(), some.data(), some.size());
    if (count > 0) read_.append(some, 0, static_cast<std::size_t>(count));
  }

  Fd reader_;
  Fd writer_;
  std::optional<Console> console_of_pipe_;
  std::string read_;
};

TEST_F(AuditConsole, SaysNothingOfAReaderThatIsSlowAndCutsNoLine) {
  auto audit = AuditExport::open("-", *console_of_pipe_);
  ASSERT_TRUE(audit.ok());
  record(100);
  ::testing::internal::CaptureStderr();
  Duration later{};
  for (; later < seconds(60) && (audit.value().deadline() != never || later.ns == 0 || !console_of_pipe_->idle()); later = later + milliseconds(2)) {
    if (later.ns % milliseconds(100).ns == 0) read_some(777);  // slower than any turn, and never at the end of a line
    if (audit.value().deadline() <= now(later).monotonic || later.ns == 0) audit.value().export_from(store_, now(later));
    if (!console_of_pipe_->idle()) console_of_pipe_->flush(now(later));
  }
  for (int i = 0; i < 100; ++i) read_some(65'536);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(lines(read_), 101);
  for (std::size_t at = 0; at < read_.size(); at = read_.find('\n', at) + 1) ASSERT_EQ(read_.substr(at, 16), "dsoftbusd: audit");
}

TEST_F(AuditConsole, ComplainsOnceOfOneThatTakesNothingForAsLongAsIsNamed) {
  auto audit = AuditExport::open("-", *console_of_pipe_);
  ASSERT_TRUE(audit.ok());
  record(100);
  const auto told_by = [&](Duration later) {
    ::testing::internal::CaptureStderr();
    audit.value().export_from(store_, now(later));
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(told_by({}), "");
  ASSERT_FALSE(console_of_pipe_->idle()) << "in the middle of a line";
  EXPECT_EQ(audit.value().deadline(), now(milliseconds(2)).monotonic);
  EXPECT_EQ(told_by(milliseconds(2)), "") << "nothing was taken for 2 ms";
  EXPECT_EQ(told_by(AuditExport::silence_max + milliseconds(1)), "");
  const Duration after = AuditExport::silence_max + milliseconds(2) + milliseconds(250);
  EXPECT_THAT(told_by(after), HasSubstr("audit -: cannot be written (it takes no more bytes): records are kept"));
  EXPECT_EQ(told_by(after + seconds(1)), "") << "once";
  read_some(65'536);
  EXPECT_EQ(told_by(after + seconds(2)), "");
  EXPECT_EQ(told_by(after + seconds(10)), "") << "once, until it has taken all";
  for (int i = 0; i < 100 && audit.value().deadline() != never; ++i) {
    read_some(65'536);
    audit.value().export_from(store_, audit.value().deadline() == Time{} ? now(after + seconds(10)) : Now{audit.value().deadline(), 0});
  }
  ASSERT_EQ(audit.value().deadline(), never);
  record(100);
  EXPECT_EQ(told_by(after + seconds(100)), "");
  EXPECT_EQ(told_by(after + seconds(101)), "");
  EXPECT_THAT(told_by(after + seconds(104)), HasSubstr("takes no more bytes")) << "another time";
}

}  // namespace
}  // namespace statefs
