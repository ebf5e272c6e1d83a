#include "tests/os/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/check.h"
#include "os/clock.h"
#include "os/fd.h"
#include "tests/os/temp_dir.h"

namespace statefs::test {
namespace {

int shell_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const auto& string : strings) out.push_back(const_cast<char*>(string.c_str()));
  out.push_back(nullptr);
  return out;
}

pid_t spawn(const std::vector<std::string>& arguments, const std::vector<std::string>& environment, int in, int out, int err) {
  std::vector<std::string> all = environment;
  all.emplace_back("PATH=/usr/bin:/bin");
  // Sanitizers are told by the environment how to report; the child is the same program and wants the same.
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) all.push_back(std::string(name) + "=" + value);
  }
  auto argv = pointers(arguments);
  auto envp = pointers(all);
  const pid_t pid = ::fork();
  STATEFS_CHECK(pid >= 0);
  if (pid == 0) {
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  return pid;
}

struct Pipe {
  Pipe() {
    int ends[2];
    STATEFS_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
    read = Fd(ends[0]);
    write = Fd(ends[1]);
  }
  Fd read;
  Fd write;
};

// Moves what can be moved; an end that is done is closed.
void pump(pollfd& watched, Fd& fd, std::string& text) {
  char buffer[65536];
  if ((watched.revents & (POLLIN | POLLHUP | POLLERR)) == 0) return;
  const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
  if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) fd.reset();
}

void feed(Fd& fd, const std::string& input, std::size_t& sent) {
  const std::size_t size = std::min<std::size_t>(input.size() - sent, 4096);
  const ssize_t count = size == 0 ? 0 : ::write(fd.get(), input.data() + sent, size);
  if (count > 0) sent += static_cast<std::size_t>(count);
  if (sent == input.size() || (count < 0 && errno != EAGAIN && errno != EINTR)) fd.reset();
}

}  // namespace

std::string program(const std::string& name) { return std::string(STATEFS_BIN_DIR) + "/" + name; }

RunResult run(const std::vector<std::string>& arguments, const std::string& input, const std::vector<std::string>& environment,
              Duration limit) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe in;
  Pipe out;
  Pipe err;
  const pid_t pid = spawn(arguments, environment, in.read.get(), out.write.get(), err.write.get());
  in.read.reset();
  out.write.reset();
  err.write.reset();
  RunResult result;
  std::size_t sent = 0;
  const Time deadline = read_monotonic() + limit;
  while (out.read.valid() || err.read.valid()) {
    pollfd watched[3] = {{in.write.get(), POLLOUT, 0}, {out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}};
    const Time now = read_monotonic();
    if (now >= deadline || ::poll(watched, 3, poll_timeout_ms(deadline, now)) == 0) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      result.err += "\n(killed by the test: it took too long)";
      return result;
    }
    if (in.write.valid() && (watched[0].revents != 0)) feed(in.write, input, sent);
    if (out.read.valid()) pump(watched[1], out.read, result.out);
    if (err.read.valid()) pump(watched[2], err.read, result.err);
  }
  int status = 0;
  STATEFS_CHECK(::waitpid(pid, &status, 0) == pid);
  result.status = shell_status(status);
  return result;
}

Child::Child(const std::vector<std::string>& arguments, const std::string& folder, const std::string& name)
    : out_path_(folder + "/" + name + ".out"), err_path_(folder + "/" + name + ".err") {
  const Fd in(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd out(::open(out_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  const Fd err(::open(err_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  STATEFS_CHECK(in.valid() && out.valid() && err.valid());
  pid_ = spawn(arguments, {}, in.get(), out.get(), err.get());
}

Child::~Child() {
  if (running()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

std::string Child::out() const { return read_file(out_path_); }
std::string Child::err() const { return read_file(err_path_); }

bool Child::wait_for(const std::string& text, Duration limit) {
  const Time deadline = read_monotonic() + limit;
  for (;;) {
    const bool alive = running();  // asked first: what it printed before it ended counts
    if (out().find(text) != std::string::npos) return true;
    if (!alive || read_monotonic() >= deadline) return false;
    ::poll(nullptr, 0, 5);
  }
}

void Child::signal(int number) const { ::kill(pid_, number); }

bool Child::running() {
  if (ended_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  ended_ = true;
  status_ = shell_status(status);
  return false;
}

int Child::wait(Duration limit) {
  const Time deadline = read_monotonic() + limit;
  while (running()) {
    if (read_monotonic() >= deadline) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      ended_ = true;
      return status_;
    }
    ::poll(nullptr, 0, 5);
  }
  return status_;
}

}  // namespace statefs::test
