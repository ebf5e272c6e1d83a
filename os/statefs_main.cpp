// statefs: the command line of the remote store. Flags become options here; what a verb does is in verb_*.cpp.
#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <limits>

#include "core/key.h"
#include "os/offline_flags.h"
#include "os/problem.h"
#include "os/verbs.h"
#include "os/version.h"

namespace {

using namespace statefs::cli;

constexpr const char* overview =
    "Reads and writes the shared state of a device that runs dsoftbusd, over an authenticated stream.\n\n"
    "  statefs keygen phone.key                      make an identity; prints the public key to enrol\n"
    "  export STATEFS_CONNECT=127.0.0.1:7070 STATEFS_SERVER_KEY=... STATEFS_IDENTITY=phone.key\n"
    "  statefs put /state/shared/name 'a value'      or @FILE, or - for standard input\n"
    "  statefs get /state/shared/name\n"
    "  statefs get /state/shared/image --to image.bin\n"
    "  statefs ls /state/shared/ --long\n"
    "  statefs put --if-absent /state/shared/lock me\n"
    "  statefs put /state/shared/offset -- -5        after --, nothing is read as an option\n"
    "  statefs del /state/shared/name\n"
    "  statefs --local /run/dsoftbusd.sock get /state/shared/name     on the device itself, as its own user\n\n"
    "  statefs check state.img                       without a server: is the store whole?\n"
    "  statefs audit query state.img --key /state/shared/name    who wrote this?\n";
constexpr const char* statuses =
    "Exit status: 0 ok, 1 usage or local error, 2 not found, 3 denied (EPERM) or not enrolled, 4 revision conflict,\n"
    "5 outcome unknown, 6 overloaded, quota or no space, 7 audit unavailable, 8 integrity, 9 rolled back (--witness).\n";

// Decimal digits and nothing else: a sign, another base or a number that does not fit is a mistake, never another number.
CLI::Validator number(std::uint64_t min, std::uint64_t max) {
  const std::string range = std::to_string(min) + " to " + std::to_string(max);
  const auto judge = [min, max, range](const std::string& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_whole = error == std::errc{} && end == text.data() + text.size();
    const bool is_plain = text.size() == 1 || !text.starts_with('0');
    return is_whole && is_plain && value >= min && value <= max ? std::string()
                                                                : "'" + text + "' is no decimal number from " + range;
  };
  return CLI::Validator(judge, range);
}
CLI::Validator any_number() { return number(0, std::numeric_limits<std::uint64_t>::max()); }

std::string judge_bench_prefix(const std::string& text) {
  constexpr std::size_t digits = 10;  // that bench puts behind it
  if (!statefs::CanonicalPrefix::from(statefs::as_bytes(text)).ok() || text.size() + digits > statefs::limits::key_size_max)
    return "'" + text + "' is no prefix that ends in '/', as in /state/shared/, with room for a name behind it";
  return "";
}

void add_common(CLI::App& app, CommonOptions& common, std::string& output) {
  app.set_version_flag("--version", std::string("statefs ") + statefs::program_version);
  // Their variables are read by choose_door(): a flag of one door wins over a variable of the other.
  auto* connect = app.add_option("--connect", common.connect, "where dsoftbusd listens, as ADDRESS:PORT (Env:STATEFS_CONNECT)")
                      ->capture_default_str();
  app.add_option("--local", common.local, "the socket of a dsoftbusd on this device: no key, no identity (Env:STATEFS_LOCAL)")
      ->excludes(connect);
  app.add_option("--server-key", common.server_key, "public key of the server, 64 hex digits")->envname("STATEFS_SERVER_KEY");
  app.add_option("--identity", common.identity, "file with this device's private identity")->envname("STATEFS_IDENTITY");
  app.add_option("--timeout", common.timeout, "most time to wait for a connection or an answer, as 250ms, 5s or 2m")
      ->capture_default_str();
  app.add_option("--witness", common.witness,
                 "a file that keeps what servers called durable: exit 9, and nothing is asked, where a server has lost that "
                 "")
      ->envname("STATEFS_WITNESS");
  app.add_option("--output", output, "raw, text, json or hex (usual: raw for get, text for the others)")
      ->check(CLI::IsMember({"raw", "text", "json", "hex"}));
}

void choose_door(const CLI::App& app, CommonOptions& common) {
  if (app.count("--local") != 0 || app.count("--connect") != 0) return;
  if (const char* const local = std::getenv("STATEFS_LOCAL"); local != nullptr && *local != '\0') common.local = local;
  if (const char* const connect = std::getenv("STATEFS_CONNECT"); connect != nullptr && *connect != '\0') common.connect = connect;
}

Output output_of(const std::string& name) {
  if (name == "raw") return Output::raw;
  if (name == "text") return Output::text;
  if (name == "json") return Output::json;
  if (name == "hex") return Output::hex;
  return Output::usual;
}

struct Options {
  CommonOptions common;
  std::string output;
  std::string path;
  std::string key;
  PutOptions put;
  GetOptions get;
  DeleteOptions del;
  ListOptions list;
  PolicyOptions policy;
  OutcomeOptions outcome;
  std::string instance;
  BenchOptions bench;
  OfflineOptions offline;
};

void add_value_verbs(CLI::App& app, Options& options) {
  auto* put = app.add_subcommand("put", "store a value: put KEY VALUE | put KEY - | put KEY @FILE");
  put->add_option("KEY", options.put.key, "as in /state/shared/name")->required();
  put->add_option("VALUE", options.put.value, "the bytes themselves, - for standard input, @FILE for a file; large ones go in chunks")
      ->required();
  auto* revision = put->add_option("--if-revision", options.put.if_revision,
                                   "only if the key is at this revision (needs the get grant as well)")
                       ->check(any_number());
  put->add_flag("--if-absent", options.put.if_absent, "only if there is no such key")->excludes(revision);
  put->add_flag("--no-sync", options.put.no_sync, "do not wait until the value is durable at the server");

  auto* get = app.add_subcommand("get", "print a value: exactly its bytes, nothing added");
  get->add_option("KEY", options.get.key)->required();
  get->add_option("--to", options.get.to, "a file for the value, which is replaced only when all of it is there");

  auto* del = app.add_subcommand("del", "remove a key");
  del->add_option("KEY", options.del.key)->required();
  del->add_option("--if-revision", options.del.if_revision, "only if the key is at this revision")->check(any_number());
  del->add_flag("--no-sync", options.del.no_sync, "do not wait until the removal is durable at the server");

  auto* list = app.add_subcommand("ls", "list the keys under a prefix, in byte order");
  list->add_option("PREFIX", options.list.prefix, "ends in '/', as in /state/shared/")->required();
  list->add_option("--limit", options.list.limit, "at most this many; what is left is announced, never cut in silence (0: all)")
      ->check(any_number());
  list->add_option("--cursor", options.list.cursor, "go on after this key");
  list->add_flag("--long", options.list.details, "revision, size and key, separated by tabs");
}

void add_policy_verb(CLI::App& app, Options& options) {
  auto* policy = app.add_subcommand("policy", "look into a policy without a server");
  policy->require_subcommand(1);
  policy->fallthrough();
  auto* check =
      policy->add_subcommand("check", "say what a policy decides: prints OK, ACCESS_DENIED, INVALID_KEY or KEY_TOO_LONG");
  check->fallthrough();
  check->add_option("--policy", options.policy.policy, "policy file; without it, what every enrolled peer may do");
  check->add_option("--peer", options.policy.peer, "public key of the peer, or its alias; without it, a peer that the file does not name");
  check->add_option("--uid", options.policy.uid, "a program of the device itself, at the local door, by its uid")
      ->check(number(0, 4'294'967'294))
      ->excludes("--peer");
  check->add_flag("--owner", options.policy.owner, "--uid is the daemon's own user, who like root may use all of /state/ where no section names it");
  check->add_option("--peers", options.policy.peers, "peers file: whose key has which alias");
  check->add_option("--op", options.policy.op, "put, get, delete or list");
  auto* key = check->add_option("--key", options.policy.key, "the key, as text");
  check->add_option("--key-hex", options.policy.key_hex, "the key, as hex digits")->excludes(key);
  check->add_flag("--batch", options.policy.batch, "read lines OP<TAB>KEY_HEX from standard input, print one status for each");
}

void add_session_verbs(CLI::App& app, Options& options) {
  auto* outcome = app.add_subcommand("outcome", "what became of a put or del whose answer did not come (exit status 5 names all three)");
  outcome->add_option("INSTANCE", options.outcome.instance, "of the session, 32 hex digits")->required();
  outcome->add_option("SLOT", options.outcome.slot)->required()->check(number(0, 65535));
  outcome->add_option("SEQUENCE", options.outcome.sequence)->required()->check(any_number());
  auto* session = app.add_subcommand("session", "the sessions of a store, and the end of one");
  session->require_subcommand(1);
  session->fallthrough();
  auto* close = session->add_subcommand("close", "end it for good, whoever uses it: what has not arrived by then never runs; prints its slots");
  close->fallthrough();
  close->add_option("INSTANCE", options.instance, "32 hex digits")->required();
  add_session_list(*session, options.offline);
}

void add_bench_verb(CLI::App& app, Options& options) {
  auto* bench = app.add_subcommand("bench", "measure a running dsoftbusd: operations per second and how long they take");
  bench->add_option("OP", options.bench.op, "get or put")->required()->check(CLI::IsMember({"get", "put"}));
  bench->add_option("--connections", options.bench.connections)->check(number(1, 1000))->capture_default_str();
  bench->add_option("--pipeline", options.bench.pipeline, "requests in flight on each connection")
      ->check(number(1, 256))
      ->capture_default_str();
  bench->add_option("--value-size", options.bench.value_size)->check(number(0, 65536))->capture_default_str();
  bench->add_option("--seconds", options.bench.seconds)->check(number(1, 3600))->capture_default_str();
  bench->add_option("--keys", options.bench.keys, "different keys, taken at random")
      ->check(number(1, 1000000))
      ->capture_default_str();
  bench->add_option("--prefix", options.bench.prefix, "where the keys are")
      ->check(judge_bench_prefix, "ends in '/'")
      ->capture_default_str();
  bench->add_flag("--no-fill", options.bench.no_fill, "get: the keys are there from an earlier run");
  bench->add_flag("--json", options.bench.json, "one JSON object instead of a sentence");
}

int run(CLI::App& app, Options& options) {
  options.common.output = output_of(options.output);
  if (const auto status = run_offline(app, options.offline, options.common.output)) return *status;
  choose_door(app, options.common);
  if (app.got_subcommand("keygen")) return run_keygen(options.path, options.common.output);
  if (app.got_subcommand("put")) return run_put(options.common, options.put);
  if (app.got_subcommand("get")) return run_get(options.common, options.get);
  if (app.got_subcommand("del")) return run_delete(options.common, options.del);
  if (app.got_subcommand("ls")) return run_list(options.common, options.list);
  if (app.got_subcommand("sync")) return run_sync(options.common);
  if (app.got_subcommand("status")) return run_status(options.common);
  if (app.got_subcommand("outcome")) return run_outcome(options.common, options.outcome);
  if (app.got_subcommand("session")) return run_session_close(options.common, options.instance);
  if (app.got_subcommand("policy")) return run_policy_check(options.policy, options.common.output);
  options.bench.json = options.bench.json || options.common.output == Output::json;
  return run_bench(options.common, options.bench);
}

// The command as far as it was understood, whose --help is the one to read.
std::string command_of(const CLI::App& app) {
  std::string command = app.get_name();
  for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    command += " " + at->get_name();
  }
  return command;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app(overview, "statefs");
  app.footer(statuses);
  app.fallthrough();
  Options options;
  add_common(app, options.common, options.output);
  auto* keygen = app.add_subcommand("keygen", "write a new private identity (mode 0600) and print its public key");
  keygen->add_option("FILE", options.path, "must not exist yet")->required();
  add_value_verbs(app, options);
  app.add_subcommand("sync", "wait until everything this device was told is done is durable at the server");
  app.add_subcommand("status", "what the server says about itself and its store");
  add_session_verbs(app, options);
  add_policy_verb(app, options);
  add_offline_verbs(app, options.offline);
  add_bench_verb(app, options);
  app.require_subcommand(0, 1);  // one verb; none at all is told below, in better words
  for (auto* verb : app.get_subcommands({})) verb->fallthrough();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return fail({Exit::failed, statefs::printable(error.what()) + ": see '" + command_of(app) + " --help'"});
  }
  if (app.get_subcommands().empty())
    return fail({Exit::failed, "what to do is missing: put, get, ls, del ...: see 'statefs --help'"});
  return run(app, options);
}
