// dsoftbusd: the daemon's flags and its configuration file; what it does with them is in daemon.cpp.
#include <CLI/CLI.hpp>

#include "os/daemon.h"
#include "os/policy_files.h"
#include "os/problem.h"
#include "os/text/text_values.h"
#include "os/version.h"

namespace {

using statefs::DaemonOptions;

constexpr const char* overview =
    "Serves the shared state of this device to enrolled peers over authenticated streams: nothing outside the policy,\n"
    "every change recorded.\n\n"
    "  statefs keygen device.key                        the identity of this device; prints its public key\n"
    "  echo 'PUBLIC_KEY_OF_PHONE phone' > peers         who may connect\n"
    "  dsoftbusd --listen 127.0.0.1:7070 --identity device.key --peers peers --state state.img --audit audit.jsonl\n\n"
    "It prints 'dsoftbusd: ready' when it listens. SIGTERM ends it when the streams are drained; SIGHUP reads peers and\n"
    "policy again and opens the audit file again.\n";

int refuse(const statefs::Problem& problem) {
  statefs::complain("dsoftbusd", problem.line);
  return 1;
}

// Flags as given; what is not given may come from the configuration file, and then from the defaults.
struct Flags {
  std::string config;
  std::string state_size, durability;  // as written
  DaemonOptions options;
};

void add_flags(CLI::App& app, Flags& flags) {
  DaemonOptions& options = flags.options;
  app.set_version_flag("--version", std::string("dsoftbusd ") + statefs::program_version);
  app.add_option("--listen", options.listen, "ADDRESS:PORT, a literal address; port 0 lets the kernel choose")
      ->capture_default_str();
  app.add_option("--local", options.local, "path of a unix socket for this device's own programs, known by their uid (default: none)");
  app.add_option("--identity", options.identity, "file with this device's private identity (mode 0600)");
  app.add_option("--peers", options.peers, "file with the enrolled peers: 64 hex digits and an optional alias to a line");
  app.add_option("--policy", options.policy, "policy file; without it each peer may use /state/shared/");
  app.add_option("--state", options.state, "file or block device that keeps the state, or memory: state that ends with the process")
      ->capture_default_str();
  app.add_option("--state-size", flags.state_size, "size of a state file that has to be made (default: 256MiB)");
  app.add_option("--durability", flags.durability, "sync: a PUT is answered once it is in the log, SYNC makes it durable;\n"
                                                   "commit: every answer waits until it is durable (default: sync)");
  app.add_option("--audit", options.audit, "file to append JSON lines to, - for console lines on standard output, or journald")
      ->capture_default_str();
  app.add_option("--config", flags.config, "file with the same keys; a flag wins over it");
}

std::optional<statefs::Problem> read_written(Flags& flags) {
  if (!flags.state_size.empty()) {
    const auto size = statefs::size_of_text(flags.state_size);
    if (!size || *size < statefs::disk_block_size) {
      return statefs::Problem{"--state-size " + statefs::printable(flags.state_size) + ": is no size: write bytes, or 64MiB, 1GiB"};
    }
    flags.options.state_size = *size;
  }
  if (!flags.durability.empty()) {
    const auto durability = statefs::durability_of_text(flags.durability);
    if (!durability) return statefs::Problem{"--durability " + statefs::printable(flags.durability) + ": say sync or commit"};
    flags.options.durability = *durability;
  }
  return std::nullopt;
}

// A flag that was not given takes what the configuration file says.
std::optional<statefs::Problem> add_config(const CLI::App& app, Flags& flags) {
  if (flags.config.empty()) return std::nullopt;
  const auto loaded = statefs::load_config(flags.config);
  if (!loaded) return loaded.error();
  const statefs::ConfigText& config = loaded.value();
  const auto take = [&app](const char* flag, const std::optional<std::string>& from, std::string& to) {
    if (from && app.count(flag) == 0) to = *from;
  };
  take("--listen", config.listen, flags.options.listen);
  take("--local", config.local, flags.options.local);
  take("--identity", config.identity, flags.options.identity);
  take("--peers", config.peers, flags.options.peers);
  take("--policy", config.policy, flags.options.policy);
  take("--state", config.state, flags.options.state);
  take("--audit", config.audit, flags.options.audit);
  if (config.state_size && flags.state_size.empty()) flags.options.state_size = *config.state_size;
  if (config.durability && flags.durability.empty()) flags.options.durability = *config.durability;
  flags.options.store = config.store;
  flags.options.sessions_per_key = config.sessions_per_key;
  flags.options.limits = config.limits;
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(overview, "dsoftbusd");
  Flags flags;
  add_flags(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return refuse({statefs::printable(error.what()) + ": see 'dsoftbusd --help'"});
  }
  if (const auto problem = read_written(flags)) return refuse(*problem);
  if (const auto problem = add_config(app, flags)) return refuse(*problem);
  auto daemon = statefs::Daemon::open(flags.options);
  if (!daemon) return refuse(daemon.error());
  return daemon.value()->run();
}
