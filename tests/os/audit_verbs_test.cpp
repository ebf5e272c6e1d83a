// What was recorded, from where it is kept: a state file beside its daemon, exported files, journald.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "os/clock.h"
#include "os/fd.h"
#include "tests/os/fake_journald.h"
#include "tests/os/programs.h"

namespace statefs {
namespace {

using test::Child;
using test::FakeJournald;
using test::lines_in;
using test::program;
using test::read_file;
using test::RunResult;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string field_of(const std::string& message, const std::string& name) {
  const std::size_t at = ("\n" + message).find("\n" + name + "=");
  if (at == std::string::npos) return "(none)";
  const std::size_t from = at + name.size() + 1;
  return message.substr(from, message.find('\n', from) - from);
}

class AuditPrograms : public test::Programs {
 protected:
  std::string image() const { return dir_.path("state.img"); }
  std::string lines_file() const { return dir_.path("audit.jsonl"); }
  void start_on_file() { start({"--state", image(), "--state-size", "64MiB"}); }
  void put(const std::string& key, const std::string& value, int status = 0) {
    const auto done = statefs({"put", "/state/shared/" + key, value});
    ASSERT_EQ(done.status, status) << done.err;
  }
  void end(Duration limit = seconds(20)) {
    daemon_->signal(SIGTERM);
    EXPECT_EQ(daemon_->wait(limit), 0) << daemon_->err();
  }
  // It waits for AuditExport::silence_max before it says so.
  [[nodiscard]] bool complains_of(const std::string& what) const {
    const Time deadline = read_monotonic() + seconds(20);
    while (daemon_->err().find(what) == std::string::npos && read_monotonic() < deadline) ::usleep(10'000);
    return daemon_->err().find(what) != std::string::npos;
  }
  static RunResult audit(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {program("statefs"), "audit"});
    return test::run(arguments);
  }
  // Again until it says what is wanted: a running daemon marks within a second what is durable.
  static RunResult audit_until(const std::vector<std::string>& arguments, const std::string& wanted) {
    RunResult result;
    for (int i = 0; i < 100; ++i) {
      result = audit(arguments);
      if (result.out.find(wanted) != std::string::npos) break;
      ::usleep(100'000);
    }
    return result;
  }
};

TEST_F(AuditPrograms, SayWhoWroteAKeyFromAStateFileBesideItsDaemonAndFromExportedLines) {
  start_on_file();
  put("a", "one");
  put("b", "two");
  ASSERT_EQ(statefs({"put", "--if-absent", "/state/shared/a", "x"}).status, 4);
  for (const std::string& source : {image(), lines_file()}) {
    const auto wrote =
        audit_until({"query", source, "--key", "/state/shared/a", "--status", "OK"}, "put allow OK /state/shared/a");
    ASSERT_EQ(wrote.status, 0) << wrote.err;
    EXPECT_EQ(lines_in(wrote.out), 1) << wrote.out;
    EXPECT_THAT(wrote.out, HasSubstr(" by phone "));
    EXPECT_THAT(wrote.out, HasSubstr(" revision 0->"));
    const auto refused = audit_until({"query", source, "--key", "/state/shared/a", "--status", "refused"}, "REVISION_CONFLICT");
    EXPECT_EQ(lines_in(refused.out), 1) << refused.out;
    const std::string revision = wrote.out.substr(0, wrote.out.find(' '));
    EXPECT_THAT(refused.out, HasSubstr(" revision " + revision + "->" + revision + " "));
    EXPECT_EQ(audit({"query", source, "--peer", "nobody"}).out, "");
    EXPECT_EQ(lines_in(audit({"query", source, "--peer", "phone", "--op", "put"}).out), 3);
    EXPECT_EQ(audit({"query", source, "--until", "1h"}).out, "");
    EXPECT_EQ(lines_in(audit({"query", source, "--since", "1h", "--op", "put"}).out), 3);
    const auto last = audit({"tail", source, "-n", "1", "--op", "put"});
    EXPECT_EQ(lines_in(last.out), 1) << last.out;
    EXPECT_THAT(last.out, HasSubstr("REVISION_CONFLICT"));
  }
  // The same records, the same bytes; and both together are each record once.
  const auto from_lines = audit({"export", lines_file()});
  const auto from_image = audit({"export", image()});
  EXPECT_EQ(from_lines.out, read_file(lines_file()));
  EXPECT_THAT(from_lines.out, StartsWith(from_image.out));
  EXPECT_EQ(audit({"export", lines_file(), image()}).out, from_lines.out);
  end();
  EXPECT_EQ(audit({"export", image()}).out, read_file(lines_file()));
}

TEST_F(AuditPrograms, VerifyTheChainAndNameTheFirstRecordThatBreaksIt) {
  start_on_file();
  put("a", "one");
  put("b", "two");
  end();
  const std::string older = read_file(image());
  start_on_file();
  put("c", "three");
  end();
  const std::string head = test::first_line(audit({"head", image()}).out);
  EXPECT_EQ(test::first_line(audit({"head", lines_file()}).out), head);
  for (const std::string& source : {image(), lines_file()}) {
    const auto whole = audit({"verify", source, "--head", head});
    EXPECT_EQ(whole.status, 0) << whole.err;
    EXPECT_THAT(whole.out, StartsWith("whole: "));
    EXPECT_THAT(whole.out, EndsWith(head + "\n"));
  }
  // An older copy is whole in itself; who was told a later head sees what it is.
  dir_.write("older.img", older, 0600);
  EXPECT_EQ(audit({"verify", dir_.path("older.img")}).status, 0);
  const auto late = audit({"verify", dir_.path("older.img"), "--head", head});
  EXPECT_EQ(late.status, 8);
  EXPECT_THAT(late.err, HasSubstr("this is an older copy, or its end was cut off"));
  std::string forged = head;
  forged.back() = forged.back() == '0' ? '1' : '0';
  EXPECT_EQ(audit({"verify", image(), "--head", forged}).status, 8);

  const std::string lines = read_file(lines_file());
  const std::size_t second = lines.find('\n') + 1;
  const std::size_t third = lines.find('\n', second) + 1;
  dir_.write("cut.jsonl", lines.substr(0, second) + lines.substr(third), 0600);
  const auto cut = audit({"verify", dir_.path("cut.jsonl")});
  EXPECT_EQ(cut.status, 8);
  EXPECT_THAT(cut.err, HasSubstr("does not follow record "));
  std::string changed = lines;
  const std::size_t at = changed.find("\"alias\":\"phone\"") + 9;
  changed[at] = 'g';
  dir_.write("changed.jsonl", changed, 0600);
  const auto other = audit({"verify", dir_.path("changed.jsonl")});
  EXPECT_EQ(other.status, 8);
  EXPECT_THAT(other.err,
              HasSubstr("changed.jsonl:" +
                        std::to_string(1 + std::count(changed.begin(), changed.begin() + static_cast<std::ptrdiff_t>(at), '\n')) +
                        ": was changed"));
  // A line that a crash cut, and that was written again: nothing is wrong.
  dir_.write("torn.jsonl", lines.substr(0, second + 40) + "\n" + lines.substr(second), 0600);
  EXPECT_EQ(audit({"verify", dir_.path("torn.jsonl")}).status, 0);
  // So are some before it, as the log knows only from where on an export may be missing; and it may be cut again.
  const std::string once = lines.substr(0, third + 40) + "\n", twice = once + lines.substr(third, 20) + "\n";
  for (const std::string& begun : {once, twice, once + lines.substr(second, third - second) + lines.substr(third, 20) + "\n"}) {
    dir_.write("torn.jsonl", begun + lines.substr(second), 0600);
    EXPECT_EQ(audit({"verify", dir_.path("torn.jsonl")}).status, 0);
    dir_.write("torn.jsonl", begun + lines.substr(second, third - second), 0600);
    const auto last = audit({"verify", dir_.path("torn.jsonl")});
    EXPECT_EQ(last.status, 0) << "the last line is being written, or was cut";
    dir_.write("torn.jsonl", begun + lines.substr(lines.find('\n', third) + 1), 0600);
    const auto missing = audit({"verify", dir_.path("torn.jsonl")});
    EXPECT_EQ(missing.status, 8);
    EXPECT_THAT(missing.err, HasSubstr("torn.jsonl:3: is no audit record"));
  }
  // The first that comes twice may be cut as well.
  dir_.write("torn.jsonl", once + lines.substr(second, 120) + "\n" + lines.substr(second), 0600);
  EXPECT_EQ(audit({"verify", dir_.path("torn.jsonl")}).status, 0);
  // What never comes whole was no record.
  const std::string half = lines.substr(second, 120);
  dir_.write("torn.jsonl", lines.substr(0, second) + half + "X\n" + half + "Y\n" + lines.substr(second), 0600);
  EXPECT_THAT(audit({"verify", dir_.path("torn.jsonl")}).err, HasSubstr("torn.jsonl:2: is no audit record"));

  // The image: the record itself, and a torn tail.
  std::string image_bytes = read_file(image());
  const std::size_t value = image_bytes.find("three");
  ASSERT_NE(value, std::string::npos);
  image_bytes[value] = 'T';
  dir_.write("bad.img", image_bytes, 0600);
  const auto bad = audit({"verify", dir_.path("bad.img")});
  EXPECT_EQ(bad.status, 8);
  EXPECT_THAT(bad.err, HasSubstr("is not whole"));
  EXPECT_THAT(bad.err, HasSubstr("damaged in the log"));
}

TEST_F(AuditPrograms, ExportFromACursorAndSayWhatIsMissing) {
  start_on_file();
  put("a", "one");
  end();
  const std::string all = audit({"export", image()}).out;
  const std::string head = test::first_line(audit({"head", image()}).out);
  const std::uint64_t last = std::stoull(head);
  EXPECT_EQ(audit({"export", image(), "--after", std::to_string(last)}).out, "");
  const std::string rest = audit({"export", image(), "--after", std::to_string(last - 1)}).out;
  EXPECT_EQ(lines_in(rest), 1);
  EXPECT_THAT(all, EndsWith(rest));
  const std::size_t second = all.find('\n', all.find('\n') + 1) + 1;
  dir_.write("late.jsonl", all.substr(second), 0600);
  const std::uint64_t first = std::stoull(all.substr(9));
  const auto gap = audit({"export", dir_.path("late.jsonl"), "--after", std::to_string(first)});
  EXPECT_EQ(gap.status, 8);
  EXPECT_THAT(gap.err, HasSubstr("are not there"));
  EXPECT_EQ(gap.out, all.substr(second)) << "what is there is given all the same";
}

TEST_F(AuditPrograms, FollowWhatIsRecorded) {
  start_on_file();
  put("a", "one");
  for (const std::string& source : {image(), lines_file()}) {
    Child tail({program("statefs"), "audit", "tail", source, "--follow", "--op", "put"}, dir_.path(""), "tail");
    const std::string key = "k" + std::to_string(source.size());
    put(key, "x");
    EXPECT_TRUE(tail.wait_for("/state/shared/" + key)) << tail.out() << tail.err();
    put(key, "y");
    EXPECT_TRUE(tail.wait_for("/state/shared/" + key + " revision 1099")) << tail.out() << tail.err();
    tail.signal(SIGTERM);
    tail.wait();
  }
}

TEST_F(AuditPrograms, RefuseWhatIsNoSource) {
  EXPECT_EQ(audit({"query", dir_.path("no")}).status, 1);
  dir_.write("text", "hello", 0600);
  EXPECT_EQ(audit({"query", dir_.path("text")}).status, 8);
  EXPECT_EQ(audit({"query", dir_.path("peers"), "--op", "putt"}).status, 1);
  EXPECT_EQ(audit({"query", dir_.path("peers"), "--since", "tomorrow"}).status, 1);
  EXPECT_EQ(audit({"verify", dir_.path("peers"), "--head", "17"}).status, 1);
  EXPECT_EQ(audit({}).status, 1);
}

TEST_F(AuditPrograms, GoToJournaldWithFieldsToSelectBy) {
  FakeJournald journald(dir_.path("journal"));
  auto arguments = daemon_arguments({"--state", image(), "--state-size", "64MiB"});
  *(std::find(arguments.begin(), arguments.end(), "--audit") + 1) = "journald:" + dir_.path("journal");
  daemon_ = std::make_unique<Child>(arguments, dir_.path(""), "daemon");
  ASSERT_TRUE(daemon_->wait_for("dsoftbusd: ready\n")) << daemon_->err();
  const std::string out = daemon_->out();
  const std::size_t at = out.find("listening on ") + 13;
  address_ = out.substr(at, out.find('\n', at) - at);
  put("a", "one");
  end();
  const auto messages = journald.take();
  const auto exported = audit({"export", image()});
  ASSERT_EQ(static_cast<long>(messages.size()), lines_in(exported.out));
  std::string records;
  for (const std::string& message : messages) {
    EXPECT_THAT(message, EndsWith("\n"));
    EXPECT_EQ(field_of(message, "SYSLOG_IDENTIFIER"), "dsoftbusd");
    EXPECT_THAT(field_of(message, "MESSAGE"), StartsWith("dsoftbusd: audit "));
    records += field_of(message, "STATEFS_RECORD") + "\n";
  }
  EXPECT_EQ(records, exported.out);
  const auto put_message =
      std::find_if(messages.begin(), messages.end(), [](const std::string& m) { return field_of(m, "STATEFS_OP") == "put"; });
  ASSERT_NE(put_message, messages.end());
  EXPECT_EQ(field_of(*put_message, "STATEFS_KEY"), "/state/shared/a");
  EXPECT_EQ(field_of(*put_message, "STATEFS_STATUS"), "OK");

  *(std::find(arguments.begin(), arguments.end(), "--audit") + 1) = "journald:" + dir_.path("nobody");
  expect_daemon_refuses(arguments, "audit to journald at " + dir_.path("nobody") + ": no such file or directory");
}

// An exporter that takes nothing: warnings, then no change that cannot be recorded; reads go on. It takes again: so do changes.
TEST_F(AuditPrograms, AreNeededForEveryChangeAndChangesGoOnWhenTheyAreTaken) {
  FakeJournald journald(dir_.path("journal"));
  auto arguments = daemon_arguments();
  *(std::find(arguments.begin(), arguments.end(), "--audit") + 1) = "journald:" + dir_.path("journal");
  daemon_ = std::make_unique<Child>(arguments, dir_.path(""), "daemon");
  ASSERT_TRUE(daemon_->wait_for("dsoftbusd: ready\n")) << daemon_->err();
  const std::string out = daemon_->out();
  const std::size_t at = out.find("listening on ") + 13;
  address_ = out.substr(at, out.find('\n', at) - at);
  put("a", "one");
  RunResult full;
  std::string held = "one";
  for (int i = 0; i < 60 && full.status != 7; ++i) {
    (void)statefs({"bench", "put", "--connections", "4", "--pipeline", "64", "--seconds", "1"});
    const std::string value = "try " + std::to_string(i);
    full = statefs({"put", "/state/shared/a", value});
    if (full.status == 0) held = value;
  }
  expect_refusal(full, 7, "AUDIT_UNAVAILABLE");
  EXPECT_EQ(statefs({"get", "/state/shared/a"}).out, held) << "what was refused changed nothing";
  const std::string told = daemon_->err();
  for (const std::string step : {"75", "90"}) {
    const std::string line = "the log is " + step + " % full";
    const std::size_t first = told.find(line);
    ASSERT_NE(first, std::string::npos) << told;
    EXPECT_EQ(told.find(line, first + 1), std::string::npos) << "once";
  }
  EXPECT_TRUE(complains_of("it takes no more bytes"));
  journald.start_reading();
  RunResult again;
  const Time deadline = read_monotonic() + seconds(20);
  do again = statefs({"put", "/state/shared/a", "three"});
  while (again.status == 7 && read_monotonic() < deadline);
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(statefs({"get", "/state/shared/a"}).out, "three");
  end(seconds(70));  // it ends well: all that is left is taken, as fast as it is read
  std::vector<std::string> records;
  for (const std::string& message : journald.take()) records.push_back(field_of(message, "STATEFS_RECORD"));
  // Every record from the first to the last, each after the one before.
  std::ofstream(dir_.path("all.jsonl")) << [&records] {
    std::string all;
    for (const std::string& record : records) all += record + "\n";
    return all;
  }();
  const auto verified = audit({"verify", dir_.path("all.jsonl")});
  EXPECT_EQ(verified.status, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("whole: " + std::to_string(records.size()) + " records"));
}

// A terminal or a pipe that is kept open and not read: the daemon goes on, and its markers come when somebody reads.
TEST_F(AuditPrograms, DoNotHoldTheDaemonWhereNobodyReadsItsConsole) {
  const std::string fifo = dir_.path("console");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const Fd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ASSERT_EQ(::fcntl(reader.get(), F_SETPIPE_SZ, 4096), 4096) << "a dozen lines fill it";
  auto arguments = daemon_arguments();
  *(std::find(arguments.begin(), arguments.end(), "--audit") + 1) = "-";
  std::string command = "exec";
  for (const std::string& each : arguments) command += " '" + each + "'";
  daemon_ =
      std::make_unique<Child>(std::vector<std::string>{"/bin/sh", "-c", command + " > '" + fifo + "'"}, dir_.path(""), "daemon");
  std::string read;
  const auto read_more = [&] {
    char buffer[4096];
    const ssize_t count = ::read(reader.get(), buffer, sizeof buffer);
    if (count > 0) read.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  };
  for (int i = 0; i < 2'000 && read.find("dsoftbusd: ready\n") == std::string::npos; ++i) {
    if (!read_more()) ::usleep(10'000);
  }
  const std::size_t at = read.find("listening on ") + 13;
  ASSERT_NE(read.find("dsoftbusd: ready\n"), std::string::npos) << daemon_->err();
  address_ = read.substr(at, read.find('\n', at) - at);
  // More lines than the pipe holds, and far fewer than the log.
  for (int i = 0; i < 40; ++i) put("a" + std::to_string(i), "one");
  EXPECT_TRUE(complains_of("audit -: cannot be written (it takes no more bytes)"));
  put("a", "one");
  EXPECT_EQ(statefs({"get", "/state/shared/a"}).out, "one");
  daemon_->signal(SIGHUP);
  EXPECT_EQ(statefs({"get", "/state/shared/a"}).out, "one");
  const Time deadline = read_monotonic() + seconds(60);
  while (read.find("\ndsoftbusd: policy loaded again\n") == std::string::npos && read_monotonic() < deadline) {
    if (!read_more()) ::usleep(1'000);
  }
  EXPECT_NE(read.find("\ndsoftbusd: policy loaded again\n"), std::string::npos) << "a line of its own";
}

}  // namespace
}  // namespace statefs
