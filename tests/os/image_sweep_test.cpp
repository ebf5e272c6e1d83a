// Damage of every kind, as the verbs that look into an image meet it: never a crash, never an unreported loss, a status as documented.
// STATEFS_SWEEP_ALL: every byte of it, which takes minutes.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>

#include "core/check.h"
#include "os/fd.h"
#include "os/verbs_offline.h"
#include "tests/core/left_store.h"
#include "tests/core/sweep.h"

namespace statefs {
namespace {

using test::Left;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Said {
  int status = -1;
  std::string out;
  std::string err;
};

// A file in memory, by a name that every opener can use.
class MemoryFile {
 public:
  MemoryFile() : fd_(::memfd_create("image", MFD_CLOEXEC)) { STATEFS_CHECK(fd_.valid()); }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  void set(ByteView bytes) {
    STATEFS_CHECK(::ftruncate(fd_.get(), 0) == 0);
    STATEFS_CHECK(::pwrite(fd_.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  [[nodiscard]] bool empty() const { return ::lseek(fd_.get(), 0, SEEK_END) == 0; }
  void write(std::size_t at, ByteView bytes) {
    STATEFS_CHECK(::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at)) == static_cast<ssize_t>(bytes.size()));
  }
  std::string take() {
    std::string text(static_cast<std::size_t>(::lseek(fd_.get(), 0, SEEK_END)), '\0');
    STATEFS_CHECK(::pread(fd_.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    STATEFS_CHECK(::ftruncate(fd_.get(), 0) == 0);
    ::lseek(fd_.get(), 0, SEEK_SET);
    return text;
  }

 private:
  Fd fd_;
};

class ImageSweep : public ::testing::Test {
 protected:
  void SetUp() override { image_.set(left_.image); }

  // In this process, so that thousands take seconds: standard output and error are files meanwhile.
  template <typename Verb>
  Said run(Verb verb) {
    std::fflush(stdout);
    std::fflush(stderr);
    const Fd out(::dup(STDOUT_FILENO));
    const Fd err(::dup(STDERR_FILENO));
    ::dup2(out_.fd(), STDOUT_FILENO);
    ::dup2(err_.fd(), STDERR_FILENO);
    const int status = verb();
    std::fflush(stdout);
    std::fflush(stderr);
    ::dup2(out.get(), STDOUT_FILENO);
    ::dup2(err.get(), STDERR_FILENO);
    return {status, out_.take(), err_.take()};
  }
  Said check() {
    return run([&] { return cli::run_check(image_.path(), cli::Output::usual); });
  }
  Said dump() {
    return run([&] { return cli::run_dump(image_.path(), cli::Output::usual); });
  }
  Said sessions() {
    return run([&] { return cli::run_session_list(image_.path(), "", cli::Output::usual); });
  }
  Said verify(const std::string& head = "") {
    cli::AuditOptions options;
    options.sources = {image_.path()};
    options.head = head;
    return run([&] { return cli::run_audit_verify(options, cli::Output::usual); });
  }
  Said query() {
    cli::AuditOptions options;
    options.sources = {image_.path()};
    return run([&] { return cli::run_audit_query(options, cli::Output::usual); });
  }
  // How many records check says 'statefs audit query' reads; 0 where it says nothing of it.
  static long promised(const Said& checked) {
    const std::size_t safe = checked.out.find("safe to read: ");
    const std::string line = checked.out.substr(safe, checked.out.find('\n', safe) - safe);
    if (line.find("('statefs audit query')") == std::string::npos) return 0;
    const std::size_t end = line.find(" records after ");
    return std::stol(line.substr(line.find_last_of(" ", end - 1) + 1));
  }
  static long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }
  // Where a verb says that it is not whole: a reason in one line.
  static void expect_reason(const Said& said, const std::string& what) {
    ASSERT_EQ(said.status, 8) << what;
    ASSERT_GE(lines(said.err), 1) << what;
    ASSERT_THAT(said.err, StartsWith("statefs: ")) << what;
  }
  // All verbs agree: everything is there, or it is told.
  void expect_told(const std::string& what) {
    const Said checked = check();
    ASSERT_THAT(checked.out, StartsWith("/proc/self/fd/")) << what;
    const Said dumped = dump();
    const Said listed = sessions();
    const Said verified = verify();
    if (checked.status == 0) {
      ASSERT_EQ(dumped.status, 0) << what;
      // All but the id of the store: with both superblocks of another, of the same content here, it is that other.
      ASSERT_EQ(dumped.out.substr(dumped.out.find('\n')), dump_.substr(dump_.find('\n'))) << what;
      ASSERT_EQ(listed.status, 0) << what;
      ASSERT_EQ(listed.out, sessions_) << what;
      ASSERT_EQ(verified.status, 0) << what << verified.err;
      return;
    }
    ++damaged_;
    ASSERT_EQ(checked.status, 8) << what;
    ASSERT_THAT(checked.out, HasSubstr("safe to read: ")) << what;
    ASSERT_EQ(lines(query().out), promised(checked)) << what << checked.out;
    promised_ += promised(checked) > 0 ? 1 : 0;
    expect_reason(dumped, what);
    expect_reason(listed, what);
    // The log alone may be whole, and then it ends where it should; or it says what it is not. An empty file is one of no lines.
    if (image_.empty()) {
      ASSERT_THAT(verified.out, StartsWith("whole: 0 records ")) << what;
    } else if (verified.status == 0) {
      ASSERT_THAT(verified.out, HasSubstr(" to " + std::to_string(left_.last.index) + ":")) << what;
    } else {
      expect_reason(verified, what);
    }
  }

  const Left left_;
  MemoryFile image_;
  MemoryFile out_;
  MemoryFile err_;
  std::string dump_;
  std::string sessions_;
  std::size_t damaged_ = 0;
  std::size_t promised_ = 0;  // damaged, and records were safe

  void learn() {
    const Said checked = check();
    ASSERT_EQ(checked.status, 0) << checked.out << checked.err;
    dump_ = dump().out;
    sessions_ = sessions().out;
    ASSERT_GT(lines(dump_), 5);
    ASSERT_GT(lines(sessions_), 1);
  }
};

TEST_F(ImageSweep, EachByteThatMeansSomethingIsChangedInTurn) {
  learn();
  std::size_t changed = 0;
  const bool all = test::sweeps_all();
  for (std::size_t at = 0; at < left_.image.size(); ++at) {
    // Zeros behind what is written mean nothing: some of them. Beyond the head a byte of many stands for those beside it.
    const bool in_head = at < Extent::head_size;
    const bool used = left_.image[at] != 0 || (in_head && at % disk_block_size < 256);
    if (!all && (used ? !in_head && at % 13 != 0 : at % 1021 != 0)) continue;
    const std::uint8_t other = static_cast<std::uint8_t>(left_.image[at] ^ (1u << (at % 8)));
    image_.write(at, {&other, 1});
    expect_told("byte " + std::to_string(at));
    if (HasFatalFailure()) return;
    image_.write(at, ByteView(left_.image).subspan(at, 1));
    ++changed;
  }
  EXPECT_GT(changed, 1'000u);
  EXPECT_GT(promised_, 100u);
  EXPECT_GT(damaged_, 200u);
}

TEST_F(ImageSweep, ItIsCutAtEachSectorAndBesideIt) {
  learn();
  for (std::size_t sector = 0; sector < left_.image.size(); sector += disk_sector_size) {
    for (const std::size_t size : {sector, sector + 1, sector + disk_sector_size - 1}) {
      image_.set(ByteView(left_.image).first(size));
      expect_told("size " + std::to_string(size));
      ASSERT_EQ(check().status, 8) << size;
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(ImageSweep, TwoSectorsHaveChangedPlaces) {
  learn();
  const std::size_t count = left_.image.size() / disk_sector_size;
  const auto sector = [this](std::size_t number) { return ByteView(left_.image).subspan(number * disk_sector_size, disk_sector_size); };
  for (std::size_t one = 0; one < count; ++one) {
    for (std::size_t other = one + 1; other < count; other += 11) {
      if (std::equal(sector(one).begin(), sector(one).end(), sector(other).begin())) continue;
      image_.write(one * disk_sector_size, sector(other));
      image_.write(other * disk_sector_size, sector(one));
      expect_told(std::to_string(one) + " and " + std::to_string(other));
      if (HasFatalFailure()) return;
      image_.write(one * disk_sector_size, sector(one));
      image_.write(other * disk_sector_size, sector(other));
    }
  }
  EXPECT_GT(damaged_, 100u);
}

TEST_F(ImageSweep, ItsHeadIsOfAnotherStoreOrOlder) {
  learn();
  const Left another(0x66);
  for (const Bytes* const from : {&left_.earlier, &another.image}) {
    for (unsigned blocks = 1; blocks < 15; ++blocks) {
      if (from == &left_.earlier && (blocks & 9) == 9 && (blocks & 6) == 6) continue;  // the whole head
      image_.set(left_.image);
      for (std::size_t block = 0; block < 4; ++block) {
        if ((blocks >> block & 1) != 0) image_.write(block * disk_block_size, ByteView(*from).subspan(block * disk_block_size, disk_block_size));
      }
      expect_told("blocks " + std::to_string(blocks));
      if (HasFatalFailure()) return;
    }
  }
}

// With one byte of each mark nothing says how far the log must reach, but what is there is there.
TEST_F(ImageSweep, BothItsMarksAreDamaged) {
  const long all = lines(query().out);
  for (const std::uint32_t copy : {0u, 1u}) {
    const std::uint8_t other = left_.image[Extent::mark_offset(copy) + 5] ^ 1;
    image_.write(Extent::mark_offset(copy) + 5, {&other, 1});
  }
  const Said checked = check();
  EXPECT_EQ(checked.status, 8);
  const long safe = promised(checked);
  EXPECT_GT(safe, 0);
  EXPECT_EQ(lines(query().out), safe) << "of " << all;
  EXPECT_THAT(verify().out, StartsWith("damaged: " + std::to_string(safe) + " records "));
}

// The end of a young store's file is empty: without it, everything is there.
TEST_F(ImageSweep, ItsEmptyEndIsCutOff) {
  JournalConfig config = test::small_config();
  test::DiskModel disk(test::small_extent);
  const auto journal = test::open(disk, config, test::at_second(0));
  test::Workload workload(5);
  for (int i = 1; i <= 6; ++i) {
    ASSERT_EQ(workload.step(*journal), 0);
    journal->submit(test::at_second(i));
    test::settle(*journal, disk, test::at_second(i));
  }
  const long count = 1 + 6;  // with the epoch's
  image_.set(ByteView(disk.durable()).first(journal->extent().ring_offset() + 2 * disk_block_size));
  const Said checked = check();
  EXPECT_EQ(checked.status, 8);
  EXPECT_THAT(checked.out, HasSubstr("the file is shorter than the store"));
  EXPECT_THAT(checked.out, HasSubstr("safe to read: the state as it was after record "));
  EXPECT_EQ(promised(checked), count) << checked.out;
  EXPECT_EQ(lines(query().out), count);
  EXPECT_EQ(lines(dump().out) > 3, true);
}

// Whole in itself: only who was told a later head can see what it is.
TEST_F(ImageSweep, ItIsAnOlderCopy) {
  learn();
  const std::string head = [&] {
    const Said verified = verify();
    const std::string end = " to ";
    return verified.out.substr(verified.out.find(end) + end.size(), verified.out.size() - verified.out.find(end) - end.size() - 1);
  }();
  EXPECT_EQ(verify(head).status, 0);
  image_.set(left_.earlier);
  EXPECT_EQ(check().status, 0);
  EXPECT_EQ(dump().status, 0);
  EXPECT_NE(dump().out, dump_);
  EXPECT_EQ(verify().status, 0);
  const Said late = verify(head);
  EXPECT_EQ(late.status, 8);
  EXPECT_THAT(late.err, HasSubstr("this is an older copy, or its end was cut off"));
}

}  // namespace
}  // namespace statefs
