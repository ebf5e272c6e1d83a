#include "tests/os/crash_run.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>

#include "core/recovery.h"
#include "os/clock.h"
#include "os/disk_file.h"
#include "os/hex.h"
#include "os/identity.h"
#include "tests/os/child.h"
#include "tests/os/loopback_server.h"
#include "tests/os/tearing_proxy.h"
#include "tests/os/temp_dir.h"

namespace statefs::test {
namespace {

constexpr std::uint8_t direct_count = 4, torn_count = 2, first_number = 10;
constexpr std::size_t kills_per_chapter = 4;
constexpr int uncounted_cuts = 1'000'000;  // streams are torn to the end
constexpr Duration start_time_max = seconds(30), settle_time_max = seconds(60);

// An address of this process alone, so that its port is free again after every kill.
std::string own_address() {
  const auto pid = static_cast<unsigned>(::getpid());
  return "127." + std::to_string(1 + pid / 62'500 % 250) + "." + std::to_string(pid / 250 % 250) + "." +
         std::to_string(1 + pid % 250);
}

class Runner {
 public:
  explicit Runner(const CrashPlan& plan) : plan_(plan), random_(plan.seed, "kills") {}

  CrashRun go() {
    prepare();
    const Time begun = read_monotonic();
    for (std::size_t kill = 0; wants_another(kill) && sound(); ++kill) {
      if (read_monotonic() - begun > plan_.time_max) fail("time is up after " + std::to_string(kill) + " kills");
      if (kill > 0 && kill % 25 == 0) std::fprintf(stderr, "%zu kills, %zu calls\n", kill, log().history.calls.size());
      for (auto& client : clients_) client->set_chapter(kill / kills_per_chapter);
      live_and_die();
    }
    if (sound()) settle();
    run_.figures.cuts = proxy_ == nullptr ? 0 : proxy_->cuts();
    run_.figures.seconds = static_cast<double>((read_monotonic() - begun).ns) / 1e9;
    return std::move(run_);
  }

 private:
  LoadLog& log() { return run_.evidence.log; }
  [[nodiscard]] bool wants_another(std::size_t kills) {
    if (kills < plan_.kill_count) return true;
    return plan_.has_enough && kills < plan_.kill_count_max && !plan_.has_enough(log());
  }
  [[nodiscard]] bool sound() const { return run_.evidence.trouble.empty(); }
  void fail(const std::string& what) {
    if (sound()) run_.evidence.trouble = what;
  }

  void prepare() {
    const std::string key_file = dir_.path("server.key");
    STATEFS_CHECK(create_identity(*suite_, key_file).ok());
    const Identity identity = load_identity(*suite_, key_file).value();
    server_ = identity.key->public_key();
    // As the daemon derives it.
    run_.evidence.mac_key = SecretKey(HmacSha256(identity.secret).of(as_bytes("dsoftbus/remote-statefs/1 value mac")));
    std::string peers;
    for (std::uint8_t i = 0; i < direct_count + torn_count; ++i) {
      peers += to_hex(suite_->import(test_secret(first_number + i))->public_key().bytes) + " peer-" + std::to_string(i) + "\n";
    }
    dir_.write("peers", peers, 0644);
  }

  // Starts the daemon, on the port that it had before.
  void start(Durability durability) {
    const std::string port = address_.empty() ? "0" : address_.substr(address_.rfind(':') + 1);
    daemon_ = std::make_unique<Child>(
        std::vector<std::string>{program("dsoftbusd"), "--listen", own_address() + ":" + port, "--identity",
                                 dir_.path("server.key"), "--peers", dir_.path("peers"), "--audit", dir_.path("audit.jsonl"),
                                 "--state", dir_.path("state.img"), "--state-size", "64MiB", "--durability",
                                 durability == Durability::sync ? "sync" : "commit"},
        dir_.path(""), "daemon");
  }
  bool is_ready(Durability durability) {
    const std::string out = daemon_->out();
    if (out.find("dsoftbusd: ready\n") == std::string::npos) return false;
    const std::string at = "listening on ", epoch = ", epoch ";
    if (address_.empty())
      connect_to(out.substr(out.find(at) + at.size(), out.find('\n', out.find(at)) - out.find(at) - at.size()));
    run_.evidence.epochs[std::strtoull(out.c_str() + out.find(epoch) + epoch.size(), nullptr, 10)] = durability;
    was_ready_ = true;
    return true;
  }
  void connect_to(const std::string& address) {
    address_ = address;
    const Endpoint daemon = parse_endpoint(address).value();
    proxy_ = std::make_unique<TearingProxy>(daemon, plan_.seed, uncounted_cuts);
    for (std::uint8_t i = 0; i < direct_count + torn_count; ++i) {
      const Endpoint& endpoint = i < direct_count ? daemon : proxy_->endpoint();
      clients_.push_back(std::make_unique<CrashClient>(*suite_, server_, endpoint, plan_.seed, first_number + i));
    }
  }

  // Lets the clients work once, for half a millisecond at most.
  void serve(Time until) {
    std::vector<pollfd> watched;
    for (auto& client : clients_) {
      client->start(log());
      watched.push_back(client->watched());
    }
    const std::int64_t wait_ns = std::clamp<std::int64_t>((until - read_monotonic()).ns, 0, microseconds(500).ns);
    const timespec wait{0, static_cast<long>(wait_ns)};
    ::ppoll(watched.data(), watched.size(), &wait, nullptr);
    for (std::size_t i = 0; i < clients_.size(); ++i) clients_[i]->service(watched[i].fd >= 0 ? watched[i].revents : 0, log());
  }
  template <typename Condition>
  bool serve_until(Condition condition, Duration limit) {
    const Time deadline = read_monotonic() + limit;
    while (!condition()) {
      if (read_monotonic() >= deadline) return false;
      serve(deadline);
    }
    return true;
  }
  void serve_for(Duration time) {
    const Time end = read_monotonic() + time;
    while (read_monotonic() < end) serve(end);
  }

  void live_and_die() {
    const Durability durability = random_.chance({1, 2}) ? Durability::sync : Durability::commit;
    start(durability);
    // Some die while they recover, or before anybody could have said much.
    const bool early = was_ready_ && random_.chance({1, 12});
    bool ready = false;
    if (early) {
      serve_for(microseconds(static_cast<std::int64_t>(random_.below(25'000))));
      ready = is_ready(durability);
    } else {
      if (!await_ready(durability)) return;
      ready = true;
      const bool warm = serve_until(
          [&] { return std::all_of(clients_.begin(), clients_.begin() + direct_count, [](auto& each) { return each->warm(); }); },
          start_time_max);
      if (!warm) return fail("a client had no mutation answered within half a minute");
      // Most are short; one in ten is long enough for a flush in the background.
      const std::uint64_t kind = random_.below(10);
      serve_for(microseconds(static_cast<std::int64_t>(random_.below(kind == 0 ? 1'300'000 : kind < 3 ? 200'000 : 40'000))));
    }
    kill(durability, ready);
  }
  bool await_ready(Durability durability) {
    const Time deadline = read_monotonic() + start_time_max;
    Time look{};
    while (daemon_->running() && read_monotonic() < deadline) {
      if (read_monotonic() >= look) {
        if (is_ready(durability)) return true;
        look = read_monotonic() + milliseconds(2);
      }
      if (clients_.empty()) ::usleep(2000);
      serve(look);
    }
    fail("the daemon did not get ready: " + daemon_->err() + daemon_->out());
    return false;
  }

  void kill(Durability durability, bool ready) {
    for (auto& client : clients_) client->start(log());
    const bool in_flight = std::any_of(clients_.begin(), clients_.end(), [](auto& each) { return each->mutations_sent() > 0; });
    if (random_.chance({1, 2})) ::usleep(static_cast<useconds_t>(random_.below(150)));
    sim::Operation restart;
    restart.kind = sim::Operation::Kind::restart;
    restart.result = sim::Operation::Result::ok;
    restart.called = ++log().clock;
    daemon_->signal(SIGKILL);
    const int status = daemon_->wait();
    if (status != 128 + SIGKILL) fail("the daemon ended by itself, status " + std::to_string(status) + ": " + daemon_->err());
    restart.answered = ++log().clock;
    run_.evidence.restarts.push_back(restart);
    ++run_.figures.kills;
    run_.figures.kills_in_flight += in_flight ? 1 : 0;
    run_.figures.kills_before_ready += ready ? 0 : 1;
    if (ready) ++run_.figures.kills_by_mode[durability == Durability::commit ? 1 : 0];
    if (was_ready_) read_image();
  }

  void read_image() {
    auto file = DiskFile::open(dir_.path("state.img"), DiskAccess::read_only);
    if (!file) return fail(file.error().line);
    RecoveryConfig config;
    config.node = server_;
    config.look.emplace();  // whatever the daemon's limits were
    Recovery recovery(config, file.value().size());
    while (!recovery.done()) {
      const auto request = recovery.next_request();
      STATEFS_CHECK(request.has_value());
      const bool ok = file.value().perform(*request);
      recovery.completed(request->id, ok, file.value().read_bytes());
    }
    const RecoveryReport& report = recovery.report();
    run_.evidence.images.push_back({report.found == Found::recovered, report.last, report.cut_size, log().promised_index});
  }

  // One more life, in which everybody learns what became of everything, and a clean end.
  void settle() {
    start(Durability::sync);
    if (!await_ready(Durability::sync)) return;
    for (auto& client : clients_) client->stop_calling();
    if (!await_idle()) return;
    for (auto& client : clients_) client->put("/state/shared/end", log(), settle_time_max);
    if (!await_idle()) return;
    for (auto& client : clients_) client->call(SyncRequest{client->hello()->epoch}, log(), settle_time_max);
    if (!await_idle()) return;
    std::vector<std::string> keys;
    for (const sim::SeenCall& call : log().history.calls) {
      if (call.op == Op::put && !call.key.starts_with(refused_folder)) keys.push_back(call.key);
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    for (const std::string& key : keys) {
      clients_[0]->call(GetRequest{std::nullopt, 0, static_cast<std::uint32_t>(limits::value_size_max), as_bytes(key)}, log(),
                        settle_time_max);
      if (!await_idle()) return;
    }
    daemon_->signal(SIGTERM);
    if (const int status = daemon_->wait(); status != 0)
      return fail("the clean end had status " + std::to_string(status) + ": " + daemon_->err());
    read_image();
    auto exported = parse_export(read_file(dir_.path("audit.jsonl")));
    if (!exported) return fail("the audit file: " + exported.error());
    run_.evidence.exported = std::move(exported).value();
  }
  bool await_idle() {
    const bool idle = serve_until(
        [&] { return std::all_of(clients_.begin(), clients_.end(), [](auto& each) { return each->idle(); }); }, settle_time_max);
    if (!idle) fail("a client had a call left when all should have been answered");
    return idle;
  }

  CrashPlan plan_;
  sim::RandomStream random_;
  TempDir dir_;
  std::unique_ptr<Suite> suite_ = make_crypto_suite();
  PublicKey server_;
  std::string address_;
  bool was_ready_ = false;
  std::unique_ptr<Child> daemon_;
  std::unique_ptr<TearingProxy> proxy_;
  std::vector<std::unique_ptr<CrashClient>> clients_;
  CrashRun run_;
};

}  // namespace

CrashRun run_crashes(const CrashPlan& plan) { return Runner(plan).go(); }

}  // namespace statefs::test
