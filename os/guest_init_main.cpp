// guest-init: the first process of a guest that exists to run the programs of this tree on an unmodified kernel.
//
// It does the steps of the file /steps, a line each, words split at blanks:
//
//   module PATH                       loads a module of the kernel
//   address INTERFACE A.B.C.D BITS    gives an interface an address, and switches it on
//   start PROGRAM ARGUMENT...         a program that goes on beside the steps that follow
//   run PROGRAM ARGUMENT...           a program that is waited for
//   serve                             waits for a line `stop` on the console, or for a started program to end
//
// Then it ends what was started (SIGTERM), and powers off. Everything it says is a line `guest-init: ...`; what programs write it passes
// on to the same console, whole lines. What the console says is theirs while they are waited for, and it is not echoed. It refuses to
// be anything but process 1, because it ends by switching the machine off.
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "os/fd.h"
#include "os/file.h"
#include "os/problem.h"

namespace {

using statefs::errno_text;
using statefs::Fd;
using Words = std::vector<std::string>;

void say(const std::string& line) {
  const std::string whole = "guest-init: " + line + "\n";
  (void)statefs::write_all(STDOUT_FILENO, statefs::as_bytes(whole));
}

[[noreturn]] void power_off() {
  ::sync();
  say("power off");
  ::usleep(50'000);  // for the console to take it
  ::reboot(RB_POWER_OFF);
  ::_exit(1);
}

[[noreturn]] void fail(const std::string& reason) {
  say("fail " + reason);
  power_off();
}

void must(bool held, const std::string& what) {
  if (!held) fail(what + ": " + errno_text(errno));
}

// The kernel's own file systems, and the console for this process and those it starts.
void set_up() {
  const auto mount = [](const char* type, const char* where) {
    ::mkdir(where, 0755);
    ::mount(type, where, type, 0, nullptr);
  };
  mount("devtmpfs", "/dev");
  mount("proc", "/proc");
  mount("sysfs", "/sys");
  mount("tmpfs", "/tmp");
  const int console = ::open("/dev/console", O_RDWR | O_NOCTTY);
  if (console < 0) ::_exit(1);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(console, fd);
  if (console > 2) ::close(console);
  termios settings{};  // an echo would come in the middle of a line that is being written
  if (::tcgetattr(STDIN_FILENO, &settings) == 0) {
    settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &settings);
  }
}

void load_module(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  must(file.valid(), "module " + path);
  must(::syscall(SYS_finit_module, file.get(), "", 0) == 0 || errno == EEXIST, "module " + path);
}

sockaddr ipv4(in_addr_t address) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = address;
  sockaddr out{};
  std::memcpy(&out, &in, sizeof in);
  return out;
}

void set_address(const std::string& interface, const std::string& address, const std::string& prefix_bits) {
  const std::string what = "address " + interface;
  unsigned bits = 0;
  const auto parsed = std::from_chars(prefix_bits.data(), prefix_bits.data() + prefix_bits.size(), bits);
  in_addr host{};
  if (parsed.ec != std::errc{} || bits > 32 || ::inet_pton(AF_INET, address.c_str(), &host) != 1 || interface.size() >= IFNAMSIZ) {
    fail(what + ": is no INTERFACE A.B.C.D BITS");
  }
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  must(socket.valid(), what);
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_addr = ipv4(host.s_addr);
  must(::ioctl(socket.get(), SIOCSIFADDR, &request) == 0, what);
  request.ifr_netmask = ipv4(htonl(bits == 0 ? 0 : ~0u << (32 - bits)));
  must(::ioctl(socket.get(), SIOCSIFNETMASK, &request) == 0, what);
  must(::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0, what);
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  must(::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0, what);
}

std::string name_of(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

// Programs that were started and have not ended. What they write comes through here, standard output and standard error each for itself,
// so that lines stay whole on a console that takes bytes slowly and has more than one writer.
class Programs {
 public:
  pid_t start(const Words& arguments) {
    Program program;
    program.name = name_of(arguments.front());
    std::array<Fd, 2> into;
    for (std::size_t i = 0; i < into.size(); ++i) {
      int ends[2];
      must(::pipe2(ends, O_CLOEXEC) == 0, "pipe");
      program.outputs[i].from = Fd(ends[0]);
      into[i] = Fd(ends[1]);
    }
    const pid_t pid = ::fork();
    must(pid >= 0, "fork");
    if (pid == 0) execute(arguments, into[0].get(), into[1].get());
    running_.emplace(pid, std::move(program));
    return pid;
  }
  [[nodiscard]] bool is_running(pid_t pid) const { return running_.contains(pid); }
  // Waits until a program writes or ends, or until there is something to read on `console` where one is given; passes on whole lines,
  // and reports who ended. True where one did.
  bool attend(pollfd* console = nullptr) {
    std::vector<pollfd> watched;
    for (const auto& [pid, program] : running_) {
      for (const Output& output : program.outputs) watched.push_back({output.from.get(), POLLIN, 0});  // a negative one is passed over
    }
    if (console != nullptr) watched.push_back(*console);
    if (::poll(watched.data(), watched.size(), -1) <= 0) return false;
    if (console != nullptr) console->revents = watched.back().revents;
    bool ended = false;
    std::size_t position = 0;
    for (auto it = running_.begin(); it != running_.end();) {
      bool is_over = true;
      for (Output& output : it->second.outputs) {
        if (watched[position++].revents != 0) pass_on(output);
        is_over = is_over && !output.from.valid();
      }
      if (is_over) report_end(it->first, it->second.name);
      ended = ended || is_over;
      it = is_over ? running_.erase(it) : std::next(it);
    }
    return ended;
  }
  void end_all() {
    for (const auto& [pid, program] : running_) ::kill(pid, SIGTERM);
    while (!running_.empty()) attend();
  }

 private:
  static constexpr std::size_t line_size_max = 64 * 1024;
  struct Output {
    Fd from;           // none where it was closed: the program has ended, or is about to
    std::string line;  // has begun
  };
  struct Program {
    std::string name;
    std::array<Output, 2> outputs;
  };

  static void pass_on(Output& output) {
    char bytes[4096];
    const ssize_t count = ::read(output.from.get(), bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) return;
    if (count > 0) output.line.append(bytes, static_cast<std::size_t>(count));
    if (count <= 0 && !output.line.empty()) output.line += '\n';
    const bool is_endless = output.line.size() > line_size_max;
    const std::size_t whole = is_endless ? output.line.size() : output.line.rfind('\n') + 1;  // 0: no line is whole
    (void)statefs::write_all(STDOUT_FILENO, statefs::as_bytes(std::string_view(output.line).substr(0, whole)));
    output.line.erase(0, whole);
    if (count <= 0) output.from = Fd();
  }
  static void report_end(pid_t pid, const std::string& name) {
    int status = 0;
    must(::waitpid(pid, &status, 0) == pid, "wait for " + name);
    say(name + " ended " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
  }
  [[noreturn]] static void execute(const Words& arguments, int output, int errors) {
    ::signal(SIGPIPE, SIG_DFL);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(errors, STDERR_FILENO);
    std::vector<char*> argv;
    for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    char* const environment[] = {nullptr};
    ::execve(argv.front(), argv.data(), environment);
    say("fail " + arguments.front() + ": " + errno_text(errno));
    ::_exit(127);
  }
  std::map<pid_t, Program> running_;
};

// Returns when the console says `stop`, or when a program has ended that should have gone on.
void serve(Programs& programs) {
  std::string line;
  for (;;) {
    pollfd console{STDIN_FILENO, POLLIN, 0};
    if (programs.attend(&console)) return;
    if (console.revents == 0) continue;
    char read[64];
    const ssize_t count = ::read(STDIN_FILENO, read, sizeof read);
    for (ssize_t i = 0; i < count; ++i) {
      if (read[i] != '\n' && read[i] != '\r') {
        line += read[i];
      } else if (line == "stop") {
        return;
      } else {
        line.clear();
      }
    }
  }
}

void perform(const Words& words, Programs& programs) {
  const std::string& verb = words.front();
  const Words rest(words.begin() + 1, words.end());
  if (verb == "module" && rest.size() == 1) return load_module(rest[0]);
  if (verb == "address" && rest.size() == 3) return set_address(rest[0], rest[1], rest[2]);
  if (verb == "serve" && rest.empty()) return serve(programs);
  if (verb == "start" && !rest.empty()) {
    programs.start(rest);
    return;
  }
  if (verb == "run" && !rest.empty()) {
    const pid_t pid = programs.start(rest);
    while (programs.is_running(pid)) programs.attend();
    return;
  }
  fail("no step: " + verb);
}

}  // namespace

int main() {
  if (::getpid() != 1) {
    statefs::complain("guest-init", "is the first process of a guest (docs/QEMU.md), and of nothing else");
    return 2;
  }
  set_up();
  say("up");
  const auto steps = statefs::read_text_file("steps", "/steps", 64 * 1024);
  if (!steps) fail(steps.error().line);
  Programs programs;
  std::istringstream lines(steps.value());
  for (std::string line; std::getline(lines, line);) {
    std::istringstream split(line);
    Words words;
    for (std::string word; split >> word;) words.push_back(word);
    if (!words.empty()) perform(words, programs);
  }
  programs.end_all();
  power_off();
}
