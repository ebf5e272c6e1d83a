#include "os/disk_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/disk_thread.h"
#include "tests/core/disk_asker.h"
#include "tests/os/full_disk.h"
#include "tests/os/temp_dir.h"

namespace statefs {
namespace {

using ::testing::HasSubstr;
using test::block_of;
using test::DiskAsker;

constexpr std::uint64_t file_size = 16 * disk_block_size;

class DiskFiles : public ::testing::Test {
 protected:
  std::string problem_of(const std::string& path, DiskAccess access) {
    const auto file = DiskFile::open(path, access, file_size);
    return file ? "(opened)" : file.error().line;
  }
  test::TempDir dir_;
};

TEST_F(DiskFiles, AreMadeWholeForTheirOwnerAndAllZero) {
  const std::string path = dir_.path("state");
  auto file = DiskFile::open(path, DiskAccess::create, file_size);
  ASSERT_TRUE(file.ok()) << file.error().line;
  EXPECT_TRUE(file.value().created());
  EXPECT_EQ(file.value().size(), file_size);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_GE(static_cast<std::uint64_t>(info.st_blocks) * 512, file_size) << "not preallocated";
  EXPECT_NE(::access((path + ".new").c_str(), F_OK), 0);
  ASSERT_TRUE(file.value().perform({DiskRequest::Kind::read, 1, 0, file_size, {}}));
  EXPECT_EQ(file.value().read_bytes().size(), file_size);
  for (const std::uint8_t byte : file.value().read_bytes()) ASSERT_EQ(byte, 0);
}

TEST_F(DiskFiles, AreMadeAlthoughAKillLeftAHalfMadeOne) {
  dir_.write("state.new", "half");
  auto file = DiskFile::open(dir_.path("state"), DiskAccess::create, file_size);
  ASSERT_TRUE(file.ok()) << file.error().line;
  EXPECT_EQ(file.value().size(), file_size);
}

TEST_F(DiskFiles, KeepTheirSizeWhenOpenedAgain) {
  const std::string path = dir_.write("state", std::string(3 * disk_block_size + 17, '\0'));
  auto file = DiskFile::open(path, DiskAccess::create, file_size);
  ASSERT_TRUE(file.ok()) << file.error().line;
  EXPECT_FALSE(file.value().created());
  EXPECT_EQ(file.value().size(), 3 * disk_block_size) << "whole blocks";
}

TEST_F(DiskFiles, ReadWhatWasWritten) {
  auto file = DiskFile::open(dir_.path("state"), DiskAccess::create, file_size);
  ASSERT_TRUE(file.ok());
  const BlockBuffer two = block_of(7, 2);
  ASSERT_TRUE(file.value().perform({DiskRequest::Kind::write, 1, 3 * disk_block_size, two.size(), two.bytes()}));
  ASSERT_TRUE(file.value().perform({DiskRequest::Kind::flush, 2, 0, 0, {}}));
  ASSERT_TRUE(file.value().perform({DiskRequest::Kind::read, 3, 2 * disk_block_size, 4 * disk_block_size, {}}));
  const ByteView read = file.value().read_bytes();
  for (std::size_t i = 0; i < read.size(); ++i) {
    ASSERT_EQ(read[i], i >= disk_block_size && i < 3 * disk_block_size ? 7 : 0) << i;
  }
}

TEST_F(DiskFiles, SayThatAReadBeyondTheEndFailed) {
  auto file = DiskFile::open(dir_.path("state"), DiskAccess::create, file_size);
  ASSERT_TRUE(file.ok());
  EXPECT_FALSE(file.value().perform({DiskRequest::Kind::read, 1, file_size - disk_block_size, 2 * disk_block_size, {}}));
  EXPECT_TRUE(file.value().read_bytes().empty());
}

TEST_F(DiskFiles, AreRefusedWithWhatIsWrong) {
  EXPECT_THAT(problem_of(dir_.path("none"), DiskAccess::existing), HasSubstr("no such file"));
  EXPECT_THAT(problem_of(dir_.path("none"), DiskAccess::read_only), HasSubstr("no such file"));
  EXPECT_THAT(problem_of(dir_.path("no/folder"), DiskAccess::create), HasSubstr("cannot be made"));
  EXPECT_THAT(problem_of(dir_.path(""), DiskAccess::read_only), HasSubstr("neither a regular file nor a block device"));
  EXPECT_THAT(problem_of("/dev/null", DiskAccess::existing), HasSubstr("neither a regular file nor a block device"));
}

TEST_F(DiskFiles, AreNotWrittenWhereSomebodyElseMay) {
  const std::string path = dir_.write("state", std::string(file_size, '\0'), 0666);
  EXPECT_THAT(problem_of(path, DiskAccess::create), HasSubstr("anybody may write to it (mode 0666): run 'chmod o-w"));
  EXPECT_THAT(problem_of(path, DiskAccess::existing), HasSubstr("anybody may write"));
  EXPECT_EQ(problem_of(path, DiskAccess::read_only), "(opened)") << "who only reads may look at anything";
  ASSERT_EQ(::chmod(path.c_str(), 0660), 0);
  EXPECT_EQ(problem_of(path, DiskAccess::create), "(opened)") << "a group is the operator's choice";
  if (::chown(path.c_str(), 12'345, 0) != 0) return;  // only root can give a file away
  EXPECT_THAT(problem_of(path, DiskAccess::create), HasSubstr("belongs to uid 12345"));
  EXPECT_EQ(problem_of(path, DiskAccess::read_only), "(opened)");
}

TEST_F(DiskFiles, AreNotWrittenThroughALink) {
  const std::string path = dir_.write("state", std::string(file_size, '\0'));
  ASSERT_EQ(::symlink(path.c_str(), dir_.path("link").c_str()), 0);
  ASSERT_EQ(::symlink(dir_.path("none").c_str(), dir_.path("dangling").c_str()), 0);
  ASSERT_EQ(::symlink("/dev/null", dir_.path("device").c_str()), 0);
  EXPECT_THAT(problem_of(dir_.path("link"), DiskAccess::create), HasSubstr("is a symbolic link: name the file itself"));
  EXPECT_THAT(problem_of(dir_.path("link"), DiskAccess::existing), HasSubstr("is a symbolic link"));
  EXPECT_THAT(problem_of(dir_.path("dangling"), DiskAccess::create), HasSubstr("is a symbolic link"));
  EXPECT_NE(::access(dir_.path("none").c_str(), F_OK), 0) << "a file was made where the link points to";
  EXPECT_THAT(problem_of(dir_.path("device"), DiskAccess::create), HasSubstr("neither a regular file nor a block device"));
  EXPECT_EQ(problem_of(dir_.path("link"), DiskAccess::read_only), "(opened)");
}

TEST_F(DiskFiles, HaveOneWriterOrManyReaders) {
  const std::string path = dir_.path("state");
  {
    const auto writer = DiskFile::open(path, DiskAccess::create, file_size);
    ASSERT_TRUE(writer.ok());
    EXPECT_THAT(problem_of(path, DiskAccess::create), HasSubstr("in use"));
    EXPECT_THAT(problem_of(path, DiskAccess::read_only), HasSubstr("in use"));
  }
  const auto reader = DiskFile::open(path, DiskAccess::read_only);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(problem_of(path, DiskAccess::read_only), "(opened)");
  EXPECT_THAT(problem_of(path, DiskAccess::existing), HasSubstr("in use"));
}

TEST_F(DiskFiles, OfAReaderRefuseToBeWritten) {
  { ASSERT_TRUE(DiskFile::open(dir_.path("state"), DiskAccess::create, file_size).ok()); }
  auto reader = DiskFile::open(dir_.path("state"), DiskAccess::read_only);
  ASSERT_TRUE(reader.ok());
  const BlockBuffer one = block_of(1);
  EXPECT_FALSE(reader.value().perform({DiskRequest::Kind::write, 1, 0, one.size(), one.bytes()}));
}

TEST_F(DiskFiles, OnAThreadReportEachRequestOnceAndInOrder) {
  auto file = DiskFile::open(dir_.path("state"), DiskAccess::create, file_size);
  ASSERT_TRUE(file.ok());
  auto disk = DiskThread::start(std::move(file.value()));
  ASSERT_TRUE(disk.ok());
  DiskAsker asker;
  const BlockBuffer one = block_of(1), two = block_of(2);
  for (int round = 0; round < 200; ++round) {
    asker.write(5, round % 2 == 0 ? one : two);
    if (round % 10 == 0) asker.flush();
    const std::uint64_t id = asker.read(5);
    if (round % 3 == 0) disk.value()->exchange(asker);
    if (round % 50 == 49) {
      disk.value()->run(asker);
      ASSERT_EQ(asker.read_bytes[id].size(), disk_block_size);
      EXPECT_EQ(asker.read_bytes[id][0], round % 2 == 0 ? 1 : 2);
    }
  }
  EXPECT_EQ(asker.done.size(), 420u);
  for (const auto& [id, ok] : asker.done) EXPECT_TRUE(ok) << id;
  EXPECT_FALSE(disk.value()->exchange(asker)) << "nothing is left";
}

TEST_F(DiskFiles, OnAThreadReportWhatFailed) {
  auto file = DiskFile::open(dir_.path("state"), DiskAccess::create, file_size);
  ASSERT_TRUE(file.ok());
  auto disk = DiskThread::start(std::move(file.value()));
  ASSERT_TRUE(disk.ok());
  DiskAsker asker;
  const std::uint64_t bad = asker.read(15, 2), good = asker.read(15, 1);
  disk.value()->run(asker);
  EXPECT_FALSE(asker.done.at(bad));
  EXPECT_TRUE(asker.done.at(good));
}

// What was written of it nobody knows, so what comes behind it must not go out any more; reads are another matter.
TEST_F(DiskFiles, OnAThreadWriteNothingAfterAWriteThatFailed) {
  auto file = DiskFile::open(dir_.path("state"), DiskAccess::create, file_size);
  ASSERT_TRUE(file.ok());
  auto disk = DiskThread::start(std::move(file.value()));
  ASSERT_TRUE(disk.ok());
  DiskAsker asker;
  const BlockBuffer one = block_of(1);
  const test::FullDisk full(8 * disk_block_size);
  const std::uint64_t first = asker.write(1, one), bad = asker.write(10, one), behind = asker.write(2, one), flush = asker.flush();
  const std::uint64_t read = asker.read(1, 2);
  disk.value()->run(asker);
  EXPECT_TRUE(asker.done.at(first));
  EXPECT_FALSE(asker.done.at(bad));
  EXPECT_FALSE(asker.done.at(behind));
  EXPECT_FALSE(asker.done.at(flush));
  ASSERT_TRUE(asker.done.at(read));
  EXPECT_EQ(asker.read_bytes[read][0], 1);
  EXPECT_EQ(asker.read_bytes[read][disk_block_size], 0) << "it was written all the same";
  const std::uint64_t later = asker.write(3, one);
  disk.value()->run(asker);
  EXPECT_FALSE(asker.done.at(later));
}

}  // namespace
}  // namespace statefs
