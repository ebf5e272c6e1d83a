// flap: PUTs while somebody else cuts the network. Each key has one in flight, on the condition of the revision that the one
// before was answered with: one that was lost or ran twice makes the next one, or itself, a REVISION_CONFLICT.
#include <unistd.h>

#include <map>
#include <vector>

#include "os/client_loop.h"
#include "os/clock.h"
#include "os/problem.h"
#include "os/selftest_calls.h"

namespace statefs::selftest {
namespace {

Verdict outcome_of(const Completion& completion, std::string_view what) {
  if (completion.result == CallResult::timed_out) return Failure{Kind::network, std::string(what) + ": no answer in time"};
  if (completion.result == CallResult::outcome_unknown) return Failure{Kind::exactly_once, std::string(what) + ": outcome unknown"};
  if (completion.response.status != Status::ok) return differs(Kind::exactly_once, what, completion.response.status, Status::ok);
  return std::nullopt;
}

}  // namespace

Verdict run_flap(const Subject& subject, const std::function<bool()>& is_over, LoadCount& count) {
  struct Counter {
    std::uint64_t revision = 0, puts = 0;
  };
  constexpr std::size_t keys = 4;
  constexpr unsigned pace_us = 10'000;  // between two PUTs: the console of a guest takes some 200 records a second
  const Duration patience{subject.timeout.ns * 6};
  ClientLoop loop(subject.suite, subject.identity, impatient_config(subject), subject.endpoint);
  std::vector<Counter> counters(keys);
  std::map<CallId, std::size_t> waiting;
  const auto key_at = [](std::size_t key) { return key_of("flap/" + std::to_string(key)); };
  const auto put = [&](std::size_t key) {
    const std::string name = key_at(key), value = std::to_string(counters[key].puts + 1);
    const Time now = read_monotonic();
    const auto call = loop.client().submit(put_of(name, as_bytes(value), counters[key].revision), now + patience, now);
    if (call) waiting[call.value()] = key;
    return call.ok();
  };
  for (std::size_t key = 0; key < keys; ++key) {
    if (!put(key)) return Failure{Kind::operation, "the client does not take a call"};
  }
  while (!waiting.empty()) {
    const auto completion = loop.next(patience + seconds(5));
    if (!completion) return Failure{Kind::network, "no answer in time"};
    const auto found = waiting.find(completion->call);
    if (found == waiting.end()) return Failure{Kind::exactly_once, "two answers to one call"};
    const std::size_t key = found->second;
    waiting.erase(found);
    if (auto failure = outcome_of(*completion, "PUT " + key_at(key))) return failure;
    const auto* answer = std::get_if<MutationResponse>(&completion->response.body);
    if (answer == nullptr || answer->revision <= counters[key].revision) return Failure{Kind::exactly_once, "a revision did not ascend"};
    counters[key] = {answer->revision, counters[key].puts + 1};
    ++count.operations;
    ::usleep(pace_us);
    if (!is_over() && !put(key)) return Failure{Kind::operation, "the client does not take a call"};
  }
  count.reconnects = loop.link().ends();
  if (loop.client().take_lost()) return Failure{Kind::exactly_once, "a write was reported as lost, and no server has ended"};
  Calls reader(subject);
  for (std::size_t key = 0; key < keys; ++key) {
    reader.expect_value(key_at(key), as_bytes(std::to_string(counters[key].puts)), counters[key].revision);
  }
  return reader.verdict();
}

}  // namespace statefs::selftest
