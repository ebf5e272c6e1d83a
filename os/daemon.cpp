#include "os/daemon.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <utility>

#include "os/clock.h"
#include "os/endpoint.h"
#include "os/entropy.h"
#include "os/file.h"
#include "os/policy_files.h"

namespace statefs {
namespace {

constexpr EventTag signal_tag = StreamDriver::own_tags_end - 1;
constexpr EventTag disk_tag = signal_tag - 1;
constexpr EventTag audit_tag = disk_tag - 1;
constexpr rlim_t descriptors_besides_streams = 64;

// As many descriptors as the server may have connections, or as many as this process may have: accepting pauses then.
void raise_descriptor_limit(std::size_t connections_max) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = connections_max + descriptors_besides_streams;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// The key of the value MACs in audit records: of this node, and of no use for anything else.
SecretKey derive_mac_key(const SecretKey& secret) {
  const Digest derived = HmacSha256(secret).of(as_bytes("dsoftbus/remote-statefs/1 value mac"));
  return SecretKey(derived);
}

StateFileOptions state_options(const DaemonOptions& options) {
  StateFileOptions out;
  out.path = options.state;
  out.size = options.state_size;
  out.durability = options.durability;
  out.store = options.store;
  out.value_size_max = options.limits.staging.value_size_max;
  out.sessions_per_key = options.sessions_per_key;
  return out;
}

// What the store will hold, before there is one: quotas that do not fit it are found before anything is made.
Result<StateRoom, Problem> room_of(const DaemonOptions& options) {
  if (options.state != "memory") return judge_room(state_options(options));
  StateRoom room;
  room.limits.value_bytes_max = options.store.value_bytes.value_or(limits::store_value_bytes_default);
  room.limits.keys_max = options.store.keys.value_or(limits::store_keys_default);
  room.sessions_per_key = options.sessions_per_key.value_or(room.sessions_per_key);
  return room;
}

Result<Policy, Problem> read_policy(const DaemonOptions& options, const Quota& store) {
  std::optional<std::uint32_t> own_uid;
  if (!options.local.empty()) own_uid = ::geteuid();
  return load_policy(options.peers, options.policy, store, own_uid);
}

// Quotas may not fit since the store has less than is usual.
std::string with_cause(const std::string& line, const std::string& lowered) { return lowered.empty() ? line : line + " (" + lowered + ")"; }

}  // namespace

Result<std::unique_ptr<Daemon>, Problem> Daemon::open(const DaemonOptions& options) {
  if (options.identity.empty()) return Problem{"no identity: give --identity FILE; 'statefs keygen FILE' makes one"};
  if (options.peers.empty())
    return Problem{"no peers: give --peers FILE with the public key of each enrolled peer, 64 hex digits to a line"};
  const auto endpoint = parse_endpoint(options.listen);
  if (!endpoint) return Problem{"--listen " + endpoint.error().line};
  auto suite = make_crypto_suite();
  const auto identity = load_identity(*suite, options.identity);
  if (!identity) return identity.error();
  auto room = room_of(options);
  if (!room) return room.error();
  auto policy = read_policy(options, room.value().store());
  if (!policy) return Problem{with_cause(policy.error().line, room.value().lowered)};
  const auto local_path = options.local.empty() ? Result<Endpoint, Problem>(Endpoint{}) : path_endpoint(options.local);
  if (!local_path) return Problem{"--local " + local_path.error().line};
  auto console = std::make_unique<Console>(STDOUT_FILENO);
  auto audit = AuditExport::open(options.audit, *console);
  if (!audit) return audit.error();
  auto signals = Signals::open({SIGTERM, SIGINT, SIGHUP});
  if (!signals) return signals.error();
  auto loop = EventLoop::open();
  if (!loop) return loop.error();
  raise_descriptor_limit(options.limits.connections_max + (options.local.empty() ? 0 : options.limits.local_connections_max));
  auto listener = listen_on(endpoint.value());
  if (!listener) return listener.error();
  std::unique_ptr<Daemon> daemon(new Daemon(options, std::move(suite), std::move(loop).value(), std::move(signals).value(),
                                            std::move(console), std::move(audit).value()));
  daemon->store_room_ = room.value().store();
  daemon->options_.limits.sessions_per_key = room.value().sessions_per_key;
  daemon->lowered_ = std::move(room).value().lowered;
  if (!options.local.empty()) {
    auto local = LocalSocket::listen(options.local);
    if (!local) return local.error();
    daemon->local_.emplace(std::move(local).value());
  }
  if (auto problem = daemon->open_store(identity.value())) return std::move(*problem);
  daemon->serve_with(identity.value(), std::move(policy).value(), std::move(listener).value());
  return daemon;
}

std::optional<Problem> Daemon::open_store(const Identity& identity) {
  if (options_.state != "memory") {
    // What was promised is asked for, whatever is at the path by now.
    StateFileOptions options = state_options(options_);
    options.store = {store_room_.value_bytes, store_room_.keys};
    options.sessions_per_key = options_.limits.sessions_per_key;
    auto state = StateFile::open(options, identity.key->public_key());
    if (!state) return state.error();
    state_file_ = std::move(state).value();
    store_ = &state_file_->store();
    STATEFS_CHECK(loop_.add(state_file_->fd(), EPOLLIN, disk_tag));
    return std::nullopt;
  }
  MemoryStoreConfig config;
  config.id = random_bytes<16>();
  // What is gone with the process must not be taken for what comes after it: no SYNC of an old epoch may succeed.
  // Below 2^13, so that a revision fits the 53 bits that readers of JSON keep.
  config.epoch = 1 + load_le<std::uint32_t>(random_bytes<4>().data()) % ((1u << 13) - 1);
  config.node = identity.key->public_key();
  config.value_bytes_max = store_room_.value_bytes;
  config.keys_max = store_room_.keys;
  config.durability = options_.durability;
  memory_ = std::make_unique<MemoryStore>(config, read_clock());
  store_ = memory_.get();
  return std::nullopt;
}

void Daemon::serve_with(const Identity& identity, Policy policy, Fd listener) {
  address_ = to_text(local_endpoint(listener));
  server_ = std::make_unique<Server>(*suite_, ServerKeys{identity.key, derive_mac_key(identity.secret)}, std::move(policy), *store_,
                                     options_.limits);
  STATEFS_CHECK(loop_.add(signals_.fd(), EPOLLIN, signal_tag));
  STATEFS_CHECK(audit_.fd() < 0 || loop_.add(audit_.fd(), EPOLLIN, audit_tag));
  driver_ = std::make_unique<StreamDriver>(loop_, *server_, *store_, audit_, std::move(listener));
  if (local_) driver_->open_local_door(local_->take_listener());
}

int Daemon::run() {
  if (damaged())
    complain("dsoftbusd", state_file_->found());
  else if (state_file_ != nullptr)
    say(state_file_->found());
  if (!lowered_.empty() && !damaged()) say(lowered_);
  server_->advance(read_clock());  // a store that is damaged fails the server before there is a connection that this would close
  say("listening on " + address_);
  if (local_) say("local door at " + printable(local_->path()));
  say(damaged() ? "damaged: every request is answered IO_ERROR" : "ready");
  bool at_once = true;  // the records of the start are to be exported, or the disk moved and the store has not advanced since
  while (!stop_at_once_ && !(stopping_ && server_->connection_count() == 0)) {
    const auto events = loop_.wait(at_once ? Time{0} : earlier_of(driver_->deadline(), console_->deadline()));
    const Now now = read_clock();
    for (const epoll_event& event : events) {
      if (event.data.u64 == signal_tag) {
        handle_signals(now);
      } else if (event.data.u64 != disk_tag && event.data.u64 != audit_tag) {
        driver_->ready(event);
      }
    }
    if (state_file_ != nullptr) state_file_->exchange();
    driver_->turn(now);
    at_once = state_file_ != nullptr && state_file_->exchange();  // what this turn committed is on its way
    tell_trouble();
    if (!served_) announce_first_service();
    if (!console_->idle()) console_->flush(now);
  }
  return finish();
}

void Daemon::announce_first_service() {
  if (!server_->has_served()) return;
  served_ = true;
  say("remote statefs served");
}

void Daemon::tell_trouble() {
  if (store_->status().failed) {
    if (damaged() || std::exchange(failure_told_, true)) return;
    return complain(
        "dsoftbusd",
        "the state has failed: every request is answered IO_ERROR; find out why, then restart, which recovers what is durable");
  }
  if (const auto step = fill_watch_.passed(store_->fill_percent())) {
    complain("dsoftbusd", "the log is " + std::to_string(*step) +
                              " % full: at 100 % changes are refused (AUDIT_UNAVAILABLE) until the audit is exported to " +
                              printable(options_.audit));
  }
}

void Daemon::handle_signals(Now now) {
  while (const int number = signals_.take()) {
    if (number == SIGHUP) {
      reload(now);
    } else if (stopping_) {
      stop_at_once_ = true;
    } else {
      stopping_ = true;
      say("stopping");
      driver_->stop_listening();
      local_.reset();
      server_->shutdown(now);
    }
  }
}

void Daemon::reload(Now now) {
  if (const auto problem = audit_.reopen()) complain("dsoftbusd", "not reopened: " + problem->line);
  auto policy = read_policy(options_, store_room_);
  if (!policy) return complain("dsoftbusd", "the policy in force stays: " + with_cause(policy.error().line, lowered_));
  server_->reload(std::move(policy).value(), now);
  say("policy loaded again");
}

int Daemon::finish() {
  const Now now = read_clock();
  driver_->close_all(now);
  server_->advance(now);
  if (damaged()) {
    say("stopped");
    console_->drain(seconds(1));
    return 1;
  }
  const End end = put_away(now);
  if (end == End::not_durable) {
    complain("dsoftbusd", "the state has failed: what was not durable is lost; a restart recovers the rest");
    return 1;
  }
  if (end == End::whole) say("stopped");
  console_->drain(seconds(1));
  return end == End::whole ? 0 : 1;
}

// What was only counted becomes records, what is recorded durable, what is durable exported, and what is exported marked so: that makes
// room for the numbers that a full log did not take before.
Daemon::End Daemon::put_away(Now now) {
  for (std::size_t before = std::numeric_limits<std::size_t>::max();;) {
    const std::size_t left = server_->record_counts(now);
    const bool durable = state_file_ == nullptr || state_file_->settle(now);
    const auto problem = audit_.finish(*store_, now);
    if (problem) complain("dsoftbusd", problem->line);
    if (!durable || (state_file_ != nullptr && !state_file_->settle(now))) return End::not_durable;
    if (problem) return End::not_exported;
    if (left == 0) return End::whole;
    if (left >= before) {
      complain("dsoftbusd", "the log has no room for " + std::to_string(left) + " numbers of refusals: they are lost");
      return End::not_exported;
    }
    before = left;
  }
}

}  // namespace statefs
