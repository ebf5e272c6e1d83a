// selftest-client: the flags and the marker lines of a device that proves a server; what is proved is in selftest.h.
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <string>
#include <vector>

#include "os/cli.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/identity.h"
#include "os/problem.h"
#include "os/selftest.h"
#include "os/text/text_values.h"
#include "os/version.h"

namespace {

using namespace statefs;

constexpr const char* overview =
    "Proves, through the client library, that a server keeps its promises to this device and to no other. Each check that held\n"
    "prints one line, 'SELFTEST: remote statefs NAME ok'; one that did not prints 'SELFTEST: NAME fail REASON', and ends it.\n\n"
    "  rw               PUT, GET back, LIST, SYNC, DELETE, GET refused NOT_FOUND\n"
    "  eperm            keys outside the grant are refused, each time\n"
    "  oversize         a byte over a limit is refused, the limit is taken\n"
    "  unauthenticated  no stranger is answered; needs --stranger-identity\n"
    "  chunks           the largest value, in and out in pieces over streams that are cut\n"
    "  retry            streams cut around a PUT: it ran once\n"
    "  flap             PUTs while somebody cuts the network, until a line 'stop' on standard input, at most for --seconds\n"
    "  persist          --rounds times: writes, until somebody cuts the server's power and it is back\n\n"
    "It writes under /state/shared/selftest/ and expects nothing there.\n";

struct Flags {
  cli::CommonOptions common;
  std::string stranger;
  std::string patience = "60s";
  unsigned seconds = 20, rounds = 5;
  std::vector<std::string> checks;
};

// Whoever waits for a marker reads a pipe or a console, so each is one write, at once.
void say(const std::string& line) {
  const std::string whole = "SELFTEST: " + line + "\n";
  (void)write_all(STDOUT_FILENO, as_bytes(whole));
}

int fail(const std::string& name, const selftest::Failure& failure) {
  say(name + " fail " + std::string(selftest::name_of(failure.kind)) + ": " + printable(failure.reason));
  return 1;
}

// Whether a line `stop` came on standard input; never waits for it. Who cuts a network knows when it is done, and has no other way in.
class StopLine {
 public:
  bool came() {
    pollfd watched{STDIN_FILENO, POLLIN, 0};
    while (!came_ && is_open_ && ::poll(&watched, 1, 0) == 1) {
      char read = 0;
      is_open_ = ::read(STDIN_FILENO, &read, 1) == 1;
      if (!is_open_) break;
      if (read != '\n' && read != '\r') {
        if (line_.size() < sizeof "stop") line_ += read;
        continue;
      }
      came_ = line_ == "stop";
      line_.clear();
    }
    return came_;
  }

 private:
  std::string line_;
  bool is_open_ = true, came_ = false;
};

int run_flap(const selftest::Subject& subject, const Flags& flags) {
  say("flap load");
  selftest::LoadCount count;
  StopLine stop;
  const Time until = read_monotonic() + seconds(flags.seconds);
  const auto is_over = [&] { return stop.came() || read_monotonic() >= until; };
  if (const auto failure = selftest::run_flap(subject, is_over, count)) return fail("flap", *failure);
  say("flap ok operations=" + std::to_string(count.operations) + " reconnects=" + std::to_string(count.reconnects));
  return 0;
}

int run_persist(const selftest::Subject& subject, const Flags& flags, Duration patience) {
  for (unsigned round = 1; round <= flags.rounds; ++round) {
    const std::string name = "persist round " + std::to_string(round);
    say(name + " load");
    selftest::LoadCount count;
    if (const auto failure = selftest::run_persist_round(subject, round, patience, count)) return fail(name, *failure);
    say(name + " ok operations=" + std::to_string(count.operations) + " synced=" + std::to_string(count.synced) +
        " lost=" + std::to_string(count.lost) + " unknown=" + std::to_string(count.unknown));
  }
  say("persist ok");
  return 0;
}

int run_check(const std::string& name, const selftest::Subject& subject, const Flags& flags, Duration patience) {
  using Check = selftest::Verdict (*)(const selftest::Subject&);
  constexpr std::pair<std::string_view, Check> checks[] = {{"rw", selftest::check_rw},
                                                           {"eperm", selftest::check_eperm},
                                                           {"oversize", selftest::check_oversize},
                                                           {"unauthenticated", selftest::check_unauthenticated},
                                                           {"chunks", selftest::check_chunks},
                                                           {"retry", selftest::check_retry}};
  if (name == "flap") return run_flap(subject, flags);
  if (name == "persist") return run_persist(subject, flags, patience);
  for (const auto& [known, check] : checks) {
    if (name != known) continue;
    const std::string full = "remote statefs " + name;
    if (const auto failure = check(subject)) return fail(full, *failure);
    say(full + " ok");
  }
  return 0;
}

void add_flags(CLI::App& app, Flags& flags) {
  app.set_version_flag("--version", std::string("selftest-client ") + program_version);
  app.add_option("--connect", flags.common.connect, "where dsoftbusd listens, as ADDRESS:PORT")->envname("STATEFS_CONNECT")->capture_default_str();
  app.add_option("--server-key", flags.common.server_key, "public key of the server, 64 hex digits")->envname("STATEFS_SERVER_KEY");
  app.add_option("--identity", flags.common.identity, "file with this device's private identity")->envname("STATEFS_IDENTITY");
  app.add_option("--stranger-identity", flags.stranger, "file with an identity that the server has not enrolled");
  app.add_option("--timeout", flags.common.timeout, "most time to wait for an answer, as 250ms, 5s or 2m")->capture_default_str();
  app.add_option("--patience", flags.patience, "most time to wait for the server to be there")->capture_default_str();
  app.add_option("--seconds", flags.seconds, "how long flap writes at most")->check(CLI::Range(1u, 600u))->capture_default_str();
  app.add_option("--rounds", flags.rounds, "how many power cuts persist waits for")->check(CLI::Range(1u, 100u))->capture_default_str();
  app.add_option("checks", flags.checks, "which, in this order (default: rw eperm oversize unauthenticated chunks retry)")
      ->check(CLI::IsMember({"rw", "eperm", "oversize", "unauthenticated", "chunks", "retry", "flap", "persist"}));
}

int refuse(const std::string& line) {
  complain("selftest-client", line);
  return 2;
}

int run(const Flags& flags) {
  const auto suite = make_crypto_suite();
  const auto target = cli::resolve(*suite, flags.common);
  if (!target) return refuse(target.error().line);
  const auto patience = duration_of_text(flags.patience);
  if (!patience) return refuse("--patience '" + printable(flags.patience) + "' is no time: write 250ms, 5s or 2m");
  const cli::Target& to = target.value();
  selftest::Subject subject{*suite, to.endpoint, to.server, to.identity, nullptr, to.timeout};
  if (!flags.stranger.empty()) {
    const auto stranger = load_identity(*suite, flags.stranger);
    if (!stranger) return refuse(stranger.error().line);
    subject.stranger = stranger.value().key;
  }
  if (const auto failure = selftest::reach(subject, *patience)) return fail("remote statefs", *failure);
  for (const std::string& name : flags.checks) {
    if (const int status = run_check(name, subject, flags, *patience); status != 0) return status;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app(overview, "selftest-client");
  app.footer("Exit status: 0 every check held, 1 one did not, 2 usage.");
  Flags flags;
  add_flags(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return refuse(printable(error.what()) + ": see 'selftest-client --help'");
  }
  if (flags.checks.empty()) flags.checks = {"rw", "eperm", "oversize", "unauthenticated", "chunks", "retry"};
  return run(flags);
}
