#include "tests/os/torn_run.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "os/client_link.h"
#include "os/clock.h"
#include "sim/search.h"
#include "tests/os/loopback_server.h"
#include "tests/os/temp_dir.h"

namespace statefs::test {
namespace {

using sim::History;
using sim::Operation;
using sim::SeenCall;

constexpr std::uint64_t seed = 20'240'607;
constexpr std::uint8_t first_lane = 10;
constexpr std::size_t in_flight_max = 3, hasty_per_lane = 10;
constexpr int cut_count_max = 150;
constexpr Duration patience = seconds(120);  // far more than it takes, so that a busy machine is no failure

// One client and its calls.
class Lane {
 public:
  // Without an identity it is one of the local door.
  Lane(const Suite& suite, std::shared_ptr<const DhKey> identity, const ClientConfig& config, const Endpoint& endpoint,
       std::uint8_t number)
      : number_(number), random_(seed, "lane/" + std::to_string(number)),
        link_(suite, std::move(identity), config, endpoint, seconds(10)) {}

  [[nodiscard]] bool done() const { return submitted_ == calls_per_lane && waiting_.empty(); }
  [[nodiscard]] pollfd watched() const { return {link_.fd(), static_cast<short>(POLLIN | (link_.wants_write() ? POLLOUT : 0)), 0}; }
  void start(TornRun& recording, sim::Place& clock) {
    const Now now = read_clock();
    if (link_.client().wants_connection(now.monotonic)) link_.open(now);
    while (submitted_ < calls_per_lane && waiting_.size() < in_flight_max) call(recording.history, clock, now.monotonic);
    link_.flush(now);
  }
  void service(int events, TornRun& recording, sim::Place& clock) {
    link_.service((events & (POLLIN | POLLHUP | POLLERR)) != 0, (events & POLLOUT) != 0, read_clock());
    while (const auto completion = link_.client().take_completion()) completed(*completion, recording.history, clock);
    while (link_.client().take_lost()) ++recording.lost;
  }

 private:
  void call(History& history, sim::Place& clock, Time now) {
    const std::string key = "/state/shared/k" + std::to_string(random_.below(3));
    std::string value = std::to_string(number_) + "." + std::to_string(++submitted_) + ".";
    value.resize(value.size() + random_.skewed(800), 'v');
    RequestBody body;
    const std::uint64_t which = random_.below(10);
    if (which < 5) {
      body = PutRequest{{}, condition(), as_bytes(key), static_cast<std::uint32_t>(value.size()), as_bytes(value), {}};
    } else if (which < 9) {
      body = GetRequest{std::nullopt, 0, static_cast<std::uint32_t>(limits::value_size_max), as_bytes(key)};
    } else {
      body = DeleteRequest{{}, condition(), as_bytes(key)};
    }
    // A call in haste is sent, where that is possible at once, and given up before its answer can be there.
    const bool hasty = hasty_ < hasty_per_lane && random_.chance({1, 8});
    hasty_ += hasty ? 1 : 0;
    SeenCall seen;
    seen.node = number_;
    seen.called = ++clock;
    sim::fill_request(seen, body);
    const auto id = link_.client().submit(body, now + (hasty ? microseconds(1) : patience), now);
    STATEFS_CHECK(id.ok());
    seen.id = id.value();
    waiting_[seen.id] = history.calls.size();
    history.calls.push_back(std::move(seen));
  }
  std::optional<std::uint64_t> condition() {
    if (!random_.chance({1, 4})) return std::nullopt;
    return random_.chance({1, 4}) ? 0 : last_revision_;
  }
  void completed(const Completion& completion, History& history, sim::Place& clock) {
    const auto found = waiting_.find(completion.call);
    ASSERT_NE(found, waiting_.end()) << "a second completion of one call";
    SeenCall& seen = history.calls[found->second];
    waiting_.erase(found);
    seen.completed = ++clock;
    seen.result = completion.result;
    if (!seen.answered()) return;
    sim::fill_response(seen, completion.response);
    if (seen.revision != 0) last_revision_ = seen.revision;
  }

  std::uint8_t number_;
  sim::RandomStream random_;
  ClientLink link_;
  std::map<CallId, std::size_t> waiting_;
  std::size_t submitted_ = 0, hasty_ = 0;
  std::uint64_t last_revision_ = 0;
};

void carry(std::vector<Lane>& lanes, TornRun& run) {
  sim::Place clock = 0;
  const Time deadline = read_monotonic() + patience;
  while (!std::all_of(lanes.begin(), lanes.end(), [](const Lane& lane) { return lane.done(); }) && read_monotonic() < deadline) {
    std::vector<pollfd> watched;
    for (Lane& lane : lanes) {
      lane.start(run, clock);
      watched.push_back(lane.watched());
    }
    ::poll(watched.data(), watched.size(), 1);
    for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i].service(watched[i].fd >= 0 ? watched[i].revents : 0, run, clock);
  }
}

}  // namespace

TornRun torn_run(std::size_t remote_count, std::size_t local_count) {
  TornRun run;
  const TempDir folder;
  const auto suite = make_crypto_suite();
  LoopbackOptions options;
  for (std::uint8_t i = 0; i < remote_count; ++i) options.peers.push_back(test_secret(static_cast<std::uint8_t>(first_lane + i)));
  if (local_count > 0) options.local_path = folder.path("door.sock");
  LoopbackServer server(options);
  {
    TearingProxy proxy(server.endpoint(), seed, cut_count_max);
    std::optional<TearingProxy> local_proxy;
    if (local_count > 0) local_proxy.emplace(path_endpoint(options.local_path).value(), seed + 1, cut_count_max);
    ClientConfig config;
    config.server = server.key();
    config.backoff_min = milliseconds(1);
    config.backoff_max = milliseconds(4);
    std::vector<Lane> lanes;
    for (std::size_t i = 0; i < remote_count + local_count; ++i) {
      const auto number = static_cast<std::uint8_t>(first_lane + i);
      const bool local = i >= remote_count;
      lanes.emplace_back(*suite, local ? nullptr : suite->import(test_secret(number)), config,
                         local ? local_proxy->endpoint() : proxy.endpoint(), number);
    }
    carry(lanes, run);
    run.cuts = proxy.cuts() + (local_proxy ? local_proxy->cuts() : 0);
    run.size_held_back = proxy.size_held_back();
  }
  run.audit = server.stop();
  return run;
}

void expect_explained(const TornRun& run, std::size_t lane_count) {
  const std::vector<Operation> operations = sim::operations_of(run.history);
  const sim::SearchResult result = sim::search_order(operations);
  EXPECT_EQ(result.verdict, sim::KeySearch::Verdict::ok) << describe(result, operations);
  EXPECT_EQ(run.history.calls.size(), lane_count * calls_per_lane);
  for (const SeenCall& call : run.history.calls) EXPECT_NE(call.completed, sim::no_place);
  EXPECT_GT(result.judged, 600u);
  EXPECT_GT(operations.size() - result.judged, 0u) << "no operation was left open";
  EXPECT_GE(run.cuts, 50);
  EXPECT_GT(run.size_held_back, 0u);
  EXPECT_EQ(run.lost, 0u) << "a store that went on all the time lost an answered write";
  std::printf("%zu judged in %llu steps, %zu open, %d cuts\n", result.judged, static_cast<unsigned long long>(result.steps),
              operations.size() - result.judged, run.cuts);
}

// Each PUT has a value of its own, so its MAC names it; a DELETE is named by the index that it was answered.
void expect_each_ran_once(const TornRun& run) {
  HmacSha256 mac(test_secret(2));
  std::map<Digest, std::vector<AuditRecord>> puts;
  std::map<std::uint64_t, AuditRecord> deletes;
  for (const Bytes& encoded : run.audit) {
    const auto record = decode_audit(encoded);
    ASSERT_TRUE(record.ok());
    if (record.value().kind != AuditKind::mutation) continue;
    const bool is_put = record.value().op == static_cast<std::uint8_t>(Op::put);
    if (is_put) puts[record.value().value_mac].push_back(record.value());
    if (!is_put) deletes[record.value().index] = record.value();
  }
  std::size_t answered = 0, open = 0, answered_deletes = 0, open_deletes = 0;
  for (const SeenCall& call : run.history.calls) {
    if (!call.is_mutation()) continue;
    if (call.op == Op::del) {
      open_deletes += call.result == CallResult::outcome_unknown ? 1 : 0;
      if (!call.answered()) continue;
      ++answered_deletes;
      ASSERT_TRUE(deletes.contains(call.index)) << call.index;
      EXPECT_EQ(deletes[call.index].key, call.key);
      EXPECT_EQ(deletes[call.index].status, call.status);
      deletes.erase(call.index);
      continue;
    }
    const std::vector<AuditRecord> records = std::exchange(puts[mac.of(call.value)], {});
    if (call.answered()) {
      ++answered;
      ASSERT_EQ(records.size(), 1u) << "call " << call.id << " of " << call.node;
      EXPECT_EQ(records[0].index, call.index);
      EXPECT_EQ(records[0].status, call.status);
      EXPECT_EQ(records[0].key, call.key);
      EXPECT_TRUE(call.status != Status::ok || records[0].new_revision == call.revision) << call.revision;
    } else {
      open += call.result == CallResult::outcome_unknown ? 1 : 0;
      EXPECT_LE(records.size(), call.result == CallResult::outcome_unknown ? 1u : 0u) << "call " << call.id << " of " << call.node;
    }
  }
  for (const auto& [value, records] : puts) EXPECT_TRUE(records.empty()) << "a value of nobody, or one that was written twice";
  EXPECT_LE(deletes.size(), open_deletes) << "a DELETE of nobody, or one that ran twice";
  EXPECT_GT(answered, 200u);
  EXPECT_GT(answered_deletes, 30u);
  EXPECT_GT(open, 0u);
}

}  // namespace statefs::test
