#include "os/console.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/check.h"
#include "os/clock.h"
#include "os/fill_watch.h"

namespace statefs {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The two ends of what a console may be: what a reader keeps and does not read.
struct Ends {
  Fd reader;
  Fd writer;
};
Ends pipe_ends() {
  int ends[2];
  STATEFS_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}
Ends socket_ends() {
  int ends[2];
  STATEFS_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}
Ends terminal_ends() {
  Fd reader(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  STATEFS_CHECK(reader.valid() && ::grantpt(reader.get()) == 0 && ::unlockpt(reader.get()) == 0);
  char name[64];
  STATEFS_CHECK(::ptsname_r(reader.get(), name, sizeof name) == 0);
  Fd writer(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  return {std::move(reader), std::move(writer)};
}

std::string read_some(const Fd& fd) {
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  std::string out;
  char buffer[65536];
  for (ssize_t count = 0; (count = ::read(fd.get(), buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<std::size_t>(count));
  std::erase(out, '\r');  // of a terminal
  return out;
}

TEST(Console, NeverWaitsForAReaderAndMixesNoLines) {
  for (const auto& make : {pipe_ends, socket_ends, terminal_ends}) {
    const Ends ends = make();
    Console console(ends.writer.get());
    const std::string line(99, 'a');
    std::string lines;
    std::vector<std::size_t> at;
    for (int i = 0; i < 20'000; ++i) {
      lines += line + "\n";
      at.push_back(lines.size());
    }
    const std::size_t taken = console.write(lines, at);
    EXPECT_GT(taken, 0u);
    EXPECT_LT(taken, at.size()) << "more than any of them holds";
    EXPECT_EQ(console.error(), 0);
    console.say("a marker");
    EXPECT_FALSE(console.idle());
    EXPECT_EQ(console.write(lines, at), 0u) << "not before the marker";
    std::string read;
    for (int i = 0; i < 100 && !console.idle(); ++i) {
      read += read_some(ends.reader);
      console.flush(read_clock());
    }
    EXPECT_TRUE(console.idle());
    EXPECT_EQ(console.deadline(), never);
    read += read_some(ends.reader);
    EXPECT_EQ(read.size(), taken * 100 + 9);
    EXPECT_THAT(read, EndsWith("a\na marker\n"));
  }
}

TEST(Console, LeavesTheFlagsOfItsParentsDescriptorAsTheyWere) {
  const Ends ends = pipe_ends();
  const int before = ::fcntl(ends.writer.get(), F_GETFL);
  Console console(ends.writer.get());
  console.say("x");
  EXPECT_EQ(::fcntl(ends.writer.get(), F_GETFL), before);
}

TEST(Console, SaysHowManyLinesFoundNoRoom) {
  const Ends ends = pipe_ends();
  Console console(ends.writer.get());
  const std::string line(999, 'm');
  for (int i = 0; i < 200; ++i) console.say(line);  // a pipe has 64 KiB, and the queue as much
  std::string read;
  for (int i = 0; i < 100 && !console.idle(); ++i) {
    read += read_some(ends.reader);
    console.flush(read_clock());
  }
  read += read_some(ends.reader);
  const auto told = read.size() / 1000;
  EXPECT_LT(told, 200u);
  EXPECT_GT(told, 100u);
  EXPECT_THAT(read, EndsWith("dsoftbusd: " + std::to_string(200 - told) + " lines found no room here and are lost\n"));
  console.say("again");
  EXPECT_EQ(read_some(ends.reader), "again\n");
}

TEST(Console, ForgetsWhatNobodyIsLeftToRead) {
  ::signal(SIGPIPE, SIG_IGN);
  Ends ends = pipe_ends();
  Console console(ends.writer.get());
  ends.reader.reset();
  console.say("x");
  EXPECT_TRUE(console.idle());
}

TEST(FillWatch, SaysEachStepOncePerCrossing) {
  FillWatch watch;
  EXPECT_FALSE(watch.passed(74).has_value());
  EXPECT_EQ(watch.passed(75), 75u);
  EXPECT_FALSE(watch.passed(80).has_value());
  EXPECT_FALSE(watch.passed(71).has_value());
  EXPECT_FALSE(watch.passed(76).has_value()) << "it was not far enough below";
  EXPECT_EQ(watch.passed(95), 90u);
  EXPECT_FALSE(watch.passed(100).has_value());
  EXPECT_FALSE(watch.passed(84).has_value());
  EXPECT_EQ(watch.passed(90), 90u);
  EXPECT_FALSE(watch.passed(10).has_value());
  EXPECT_EQ(watch.passed(99), 90u) << "both at once: the higher is said";
}

}  // namespace
}  // namespace statefs
