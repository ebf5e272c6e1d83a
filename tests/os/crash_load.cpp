#include "tests/os/crash_load.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "os/clock.h"
#include "tests/os/loopback_server.h"

namespace statefs::test {
namespace {

constexpr std::size_t in_flight_max = 8;  // below the slots of a session, so that none of them waits for one
constexpr std::size_t keys_per_chapter = 32;
constexpr Duration long_patience = seconds(120);  // far more than it takes

ClientConfig config_for(const PublicKey& server) {
  ClientConfig config;
  config.server = server;
  config.backoff_min = milliseconds(1);
  config.backoff_max = milliseconds(8);
  return config;
}

}  // namespace

CrashClient::CrashClient(const Suite& suite, const PublicKey& server, const Endpoint& endpoint, std::uint64_t seed,
                         std::uint8_t number)
    : number_(number),
      random_(seed, "client/" + std::to_string(number)),
      link_(suite, suite.import(test_secret(number)), config_for(server), endpoint, seconds(10)) {}

pollfd CrashClient::watched() const { return {link_.fd(), static_cast<short>(POLLIN | (link_.wants_write() ? POLLOUT : 0)), 0}; }

void CrashClient::start(LoadLog& log) {
  const Now now = read_clock();
  if (link_.client().wants_connection(now.monotonic)) link_.open(now);
  while (calling_ && now.monotonic >= next_call_ && waiting_.size() < in_flight_max) {
    call_by_itself(log);
    // Some come in a burst, most after a pause.
    next_call_ = now.monotonic + microseconds(random_.chance({1, 3}) ? 0 : static_cast<std::int64_t>(random_.below(1'500)));
  }
  link_.flush(now);
  if (std::exchange(ends_seen_, link_.ends()) != link_.ends()) answered_here_ = 0;
}

void CrashClient::service(int events, LoadLog& log) {
  link_.service((events & (POLLIN | POLLHUP | POLLERR)) != 0, (events & POLLOUT) != 0, read_clock());
  if (std::exchange(ends_seen_, link_.ends()) != link_.ends()) answered_here_ = 0;
  while (const auto completion = link_.client().take_completion()) completed(*completion, log);
  while (const auto lost = link_.client().take_lost()) {
    log.history.lost_writes.push_back({++log.clock, number_, lost->call, lost->index, lost->certain});
  }
}

std::size_t CrashClient::mutations_sent() const {
  return warm() && !link_.wants_write() && link_.client().output().empty() ? mutations_waiting_ : 0;
}

void CrashClient::call_by_itself(LoadLog& log) {
  const std::string key = "/state/shared/c" + std::to_string(chapter_) + "/k" + std::to_string(random_.below(keys_per_chapter));
  const std::uint64_t which = random_.below(32);
  if (which < 18) return put(key, log, random_.chance({1, 100}) ? microseconds(1) : long_patience);
  if (which < 20) return put(refused_folder + std::to_string(number_) + "." + std::to_string(value_count_), log, long_patience);
  if (which < 23) return call(DeleteRequest{{}, condition(), as_bytes(key)}, log, long_patience);
  if (which < 24 && hello()) return call(SyncRequest{hello()->epoch}, log, long_patience);
  call(GetRequest{std::nullopt, 0, static_cast<std::uint32_t>(limits::value_size_max), as_bytes(key)}, log, long_patience);
}

void CrashClient::put(const std::string& key, LoadLog& log, Duration patience) {
  std::string value = std::to_string(number_) + "." + std::to_string(++value_count_) + ".";
  value.resize(value.size() + random_.skewed(600), 'v');
  call(PutRequest{{}, condition(), as_bytes(key), static_cast<std::uint32_t>(value.size()), as_bytes(value), {}}, log, patience);
}

std::optional<std::uint64_t> CrashClient::condition() {
  if (!random_.chance({1, 5})) return std::nullopt;
  return random_.chance({1, 4}) ? 0 : last_revision_;
}

void CrashClient::call(const RequestBody& body, LoadLog& log, Duration patience) {
  const Time now = read_monotonic();
  sim::SeenCall seen;
  seen.node = number_;
  seen.called = ++log.clock;
  sim::fill_request(seen, body);
  const auto id = link_.client().submit(body, now + patience, now);
  STATEFS_CHECK(id.ok());
  seen.id = id.value();
  waiting_[seen.id] = log.history.calls.size();
  mutations_waiting_ += seen.is_mutation() ? 1 : 0;
  log.history.calls.push_back(std::move(seen));
}

void CrashClient::completed(const Completion& completion, LoadLog& log) {
  const auto found = waiting_.find(completion.call);
  if (found == waiting_.end()) {
    // Kept for the judge: it is a second completion of one call.
    for (sim::SeenCall& call : log.history.calls) {
      if (call.node == number_ && call.id == completion.call) call.completed_again = ++log.clock;
    }
    return;
  }
  sim::SeenCall& seen = log.history.calls[found->second];
  waiting_.erase(found);
  mutations_waiting_ -= seen.is_mutation() ? 1 : 0;
  seen.completed = ++log.clock;
  seen.result = completion.result;
  if (!seen.answered()) return;
  sim::fill_response(seen, completion.response);
  log.promised_index = std::max({log.promised_index, seen.head.index, seen.durable_index});
  if (seen.is_mutation()) ++answered_here_;
  if (seen.revision != 0) last_revision_ = seen.revision;
}

}  // namespace statefs::test
