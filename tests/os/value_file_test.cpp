// Where the bytes of a value go to, beside others who want the same name.
#include "os/value_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/os/temp_dir.h"

namespace statefs {
namespace {

using ::testing::HasSubstr;

class FileOutputs : public ::testing::Test {
 protected:
  std::string problem_of(const std::string& path) {
    const auto file = FileOutput::create(path);
    return file ? "(created)" : file.error().line;
  }
  static void write_whole(FileOutput& file, std::string_view text) {
    ASSERT_TRUE(file.begin(1, text.size()));
    ASSERT_TRUE(file.write(as_bytes(text)));
    const auto problem = file.finish();
    EXPECT_FALSE(problem.has_value()) << problem->line;
  }
  test::TempDir dir_;
  const std::string out_ = dir_.path("out");
  const std::string part_ = dir_.path("out.part");
};

TEST_F(FileOutputs, OfOneNameAreMadeOneAfterTheOther) {
  auto first = FileOutput::create(out_);
  ASSERT_TRUE(first.ok()) << first.error().line;
  ASSERT_TRUE(first.value().begin(1, 5));
  EXPECT_THAT(problem_of(out_), HasSubstr("out.part: another program is writing it"));
  EXPECT_EQ(::access(part_.c_str(), F_OK), 0) << "who was refused removes nothing";
  write_whole(first.value(), "first");
  auto second = FileOutput::create(out_);
  ASSERT_TRUE(second.ok()) << second.error().line;
  EXPECT_EQ(test::read_file(out_), "first");
  write_whole(second.value(), "second");
  EXPECT_EQ(test::read_file(out_), "second");
  EXPECT_NE(::access(part_.c_str(), F_OK), 0);
}

TEST_F(FileOutputs, TakeOverWhatAKillLeft) {
  dir_.write("out.part", "half of a much longer value");
  auto file = FileOutput::create(out_);
  ASSERT_TRUE(file.ok()) << file.error().line;
  write_whole(file.value(), "whole");
  EXPECT_EQ(test::read_file(out_), "whole");
}

TEST_F(FileOutputs, AreRefusedWhereSomethingElseHasTheNameOfThePart) {
  ASSERT_EQ(::mkfifo(part_.c_str(), 0600), 0);
  EXPECT_THAT(problem_of(out_), HasSubstr("out.part: is not a regular file"));
  ASSERT_EQ(::unlink(part_.c_str()), 0);

  const std::string precious = dir_.write("precious", "keep");
  ASSERT_EQ(::symlink(precious.c_str(), part_.c_str()), 0);
  EXPECT_THAT(problem_of(out_), HasSubstr("out.part: is a symbolic link"));
  ASSERT_EQ(::unlink(part_.c_str()), 0);
  ASSERT_EQ(::link(precious.c_str(), part_.c_str()), 0);
  EXPECT_THAT(problem_of(out_), HasSubstr("out.part: has another name"));
  ASSERT_EQ(::unlink(part_.c_str()), 0);
  EXPECT_EQ(test::read_file(precious), "keep");

  dir_.write("out.part", "");
  if (::chown(part_.c_str(), 12'345, 0) != 0) return;  // only root can give a file away
  EXPECT_THAT(problem_of(out_), HasSubstr("out.part: belongs to uid 12345"));
}

}  // namespace
}  // namespace statefs
