#include "sim/bench.h"

#include <algorithm>
#include <string>

#include "sim/stand_in_suite.h"

namespace statefs::sim {
namespace {

constexpr std::size_t value_size = 256;
constexpr std::uint32_t keys_per_client = 8;
constexpr Duration call_timeout = seconds(60);
constexpr Duration begin_time_max = seconds(60);
constexpr Duration start_interval = microseconds(1);  // between clients, so that each call is a wake-up of its own

enum : std::uint32_t { next_call = 300, empty = 301 };

std::unique_ptr<Suite> suite_of(const BenchOptions& options) {
  return options.real_crypto ? make_crypto_suite() : make_stand_in_suite();
}

}  // namespace

class Bench::Caller final : public CallUser, public Handler {
 public:
  Caller(World& world, Node& node, NodeId server, const BenchOptions& options)
      : schedule_(world.schedule()), options_(options), client_(world.add_client(node, server, *this)), value_(value_size, 'v'),
        operation_(node.id() % 2) {
    for (std::uint32_t i = 0; i < keys_per_client; ++i) {
      keys_.push_back("/state/shared/" + World::alias_of(node.id()) + "/k" + std::to_string(i));
    }
  }

  void start(Duration after) { plan(after); }
  [[nodiscard]] std::uint64_t count() const { return count_; }

  void completed(ClientProgram&, Completion completion) override {
    const bool absent = completion.response.status == Status::not_found;  // nobody wrote it yet
    STATEFS_CHECK(completion.result == CallResult::answered && (absent || completion.response.status == Status::ok));
    ++count_;
    if (options_.work == BenchOptions::Work::connects) return plan({});
    if (options_.pause.ns > 0) return plan(options_.pause);
    call();
  }

  void fire(std::uint32_t, std::uint64_t) override {
    if (options_.work == BenchOptions::Work::connects) {
      client_.crash();
      client_.restart();
    }
    call();
  }

 private:
  void plan(Duration after) { schedule_.at(schedule_.now() + after, {this, client_.node().id(), next_call, count_}); }

  void call() {
    const ByteView key = as_bytes(keys_[operation_ / 2 % keys_per_client]);
    const bool puts = operation_++ % 2 == 0 && options_.work == BenchOptions::Work::calls;
    RequestBody body = GetRequest{std::nullopt, 0, static_cast<std::uint32_t>(value_size), key};
    if (puts) body = PutRequest{{}, std::nullopt, key, static_cast<std::uint32_t>(value_size), value_, {}};
    STATEFS_CHECK(client_.submit(body, call_timeout).ok());
  }

  Schedule& schedule_;
  const BenchOptions& options_;
  ClientProgram& client_;
  std::vector<std::string> keys_;
  Bytes value_;
  std::uint64_t operation_;
  std::uint64_t count_ = 0;
};

Bench::Bench(const BenchOptions& options) : options_(options), world_(options.seed, Faults{}, suite_of(options)) {
  world_.trace().keep_entries(false);
  std::vector<std::vector<NodeId>> peers(options.server_count);
  for (std::uint32_t i = 0; i < options.client_count; ++i) peers[i % options.server_count].push_back(options.server_count + i);
  for (NodeId id = 0; id < options.server_count + options.client_count; ++id) world_.add_node();
  for (NodeId id = 0; id < options.server_count; ++id) {
    ServerProgramOptions server;
    server.policy = world_.enrol(peers[id]);
    server.crashable = options.crashable;
    world_.add_server(world_.node(id), server);
  }
  for (std::uint32_t i = 0; i < options.client_count; ++i) {
    callers_.push_back(std::make_unique<Caller>(world_, world_.node(options.server_count + i), i % options.server_count, options_));
    callers_.back()->start({start_interval.ns * (i + 1)});
  }
}

Bench::~Bench() = default;

void Bench::begin() {
  const Time end = world_.now() + begin_time_max;
  while (std::any_of(callers_.begin(), callers_.end(), [](const auto& each) { return each->count() == 0; })) {
    STATEFS_CHECK(world_.now() < end);
    run_for(milliseconds(1));
  }
}

void Bench::run_for(Duration duration) {
  const Time end = world_.now() + duration;
  for (; world_.schedule().next_time() <= end; ++event_count_) STATEFS_CHECK(world_.step());
  world_.schedule().pass_to(end);
}

std::uint64_t Bench::call_count() const {
  std::uint64_t count = 0;
  for (const auto& each : callers_) count += each->count();
  return count;
}

namespace {

class Again final : public Handler {
 public:
  Again(Schedule& schedule, RandomStream random) : schedule_(schedule), random_(random) { fire(empty, 0); }
  void fire(std::uint32_t kind, std::uint64_t argument) override {
    constexpr std::uint64_t pause_ns_max = 2'000'000;
    const auto pause = nanoseconds(static_cast<std::int64_t>(random_.between(1, pause_ns_max)));
    schedule_.at(schedule_.now() + pause, {this, 0, kind, argument});
  }

 private:
  Schedule& schedule_;
  RandomStream random_;
};

}  // namespace

RunDigest run_empty_events(std::uint64_t seed, std::uint32_t pending_count, std::uint64_t event_count) {
  RandomSource random(seed);
  Schedule schedule(random);
  std::vector<std::unique_ptr<Again>> events;
  for (std::uint32_t i = 0; i < pending_count; ++i) events.push_back(std::make_unique<Again>(schedule, random.stream(std::to_string(i))));
  for (std::uint64_t i = 0; i < event_count; ++i) STATEFS_CHECK(schedule.run_one());
  return schedule.digest();
}

}  // namespace statefs::sim
