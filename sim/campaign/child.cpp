#include "sim/campaign/child.h"

#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace statefs::sim {
namespace {

struct Pipe {
  Descriptor read, write;
};

bool open(Pipe& pipe) {
  int ends[2];
  if (::pipe(ends) != 0) return false;
  pipe.read = Descriptor(ends[0]);
  pipe.write = Descriptor(ends[1]);
  return true;
}

// A child holds its own ends alone. Those of its siblings would keep their pipes open when this process ends.
void close_others(int keep, int keep_too) {
  const auto first = static_cast<unsigned>(std::min(keep, keep_too));
  const auto second = static_cast<unsigned>(std::max(keep, keep_too));
  constexpr unsigned lowest = STDERR_FILENO + 1;
  if (first > lowest) ::close_range(lowest, first - 1, 0);
  if (second > first + 1) ::close_range(first + 1, second - 1, 0);
  ::close_range(second + 1, ~0U, 0);
}

bool is_from_outside(int signal) {
  return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

void Descriptor::close() {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

Child::Child(const Work& work, Streams streams) {
  Pipe commands, answers, output;
  if (!open(commands) || !open(answers) || (streams == Streams::captured && !open(output))) return;
  std::fflush(nullptr);  // else the child would write again what is still in the buffers
  const pid_t pid = ::fork();
  if (pid < 0) return;
  if (pid == 0) {
    commands.write.close();
    answers.read.close();
    std::signal(SIGPIPE, SIG_DFL);
    if (streams == Streams::captured) {
      ::dup2(output.write.number(), STDOUT_FILENO);
      ::dup2(output.write.number(), STDERR_FILENO);
      output.read.close();
      output.write.close();
    }
    close_others(commands.read.number(), answers.write.number());
    const int status = work(commands.read.number(), answers.write.number());
    std::fflush(nullptr);
    ::_exit(status);
  }
  pid_ = Pid(pid);
  commands_ = std::move(commands.write);
  answers_ = std::move(answers.read);
  output_ = std::move(output.read);
}

Child& Child::operator=(Child&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = std::move(other.pid_);
    commands_ = std::move(other.commands_);
    answers_ = std::move(other.answers_);
    output_ = std::move(other.output_);
  }
  return *this;
}

bool Child::send(ByteView bytes) const { return write_all(commands_.number(), bytes); }

ChildEnd Child::wait() {
  commands_.close();
  answers_.close();
  output_.close();
  int state = 0;
  pid_t ended = -1;
  do {
    ended = ::waitpid(pid_.value, &state, 0);
  } while (ended < 0 && errno == EINTR);
  pid_.value = -1;
  if (ended < 0) return {"nobody knows how: " + std::string(std::strerror(errno)), -1, true};
  if (WIFEXITED(state)) return {"exit status " + std::to_string(WEXITSTATUS(state)), WEXITSTATUS(state), false};
  const int signal = WTERMSIG(state);
  std::string text = "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  if (signal == SIGPROF) text += ", out of CPU time";
  return {std::move(text), -1, is_from_outside(signal)};
}

void Child::end() {
  if (!valid()) return;
  ::kill(pid_.value, SIGKILL);
  (void)wait();
}

bool read_some(int from, Bytes& to) {
  std::uint8_t buffer[16 * 1024];
  ssize_t size = 0;
  do {
    size = ::read(from, buffer, sizeof buffer);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return false;
  to.insert(to.end(), buffer, buffer + size);
  return true;
}

bool write_all(int to, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(to, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return true;
}

bool is_terminal(std::FILE* file) { return ::isatty(::fileno(file)) == 1; }

void limit_cpu_seconds(std::uint32_t seconds) {
  itimerval timer{};
  timer.it_value.tv_sec = static_cast<decltype(timer.it_value.tv_sec)>(seconds);
  ::setitimer(ITIMER_PROF, &timer, nullptr);
}

}  // namespace statefs::sim
