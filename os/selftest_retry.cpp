// retry: streams cut around a PUT that carries a condition. Run twice, it would meet its own revision and be refused.
#include <unistd.h>

#include "os/client_loop.h"
#include "os/clock.h"
#include "os/selftest_calls.h"

namespace statefs::selftest {
namespace {

constexpr int rounds = 9;

enum class Cut { before_it_is_sent, when_it_is_sent, when_it_was_answered };

// One PUT with its stream cut once on the way; the completion, or what was wrong.
Verdict put_and_cut(ClientLoop& loop, const PutRequest& request, Cut cut, Duration timeout, MutationResponse& answer) {
  const Time now = read_monotonic();
  // A stream with a session to it, so that there is something to be cut.
  for (const Time until = now + timeout; !loop.client().ready() && read_monotonic() < until;) loop.run(milliseconds(5));
  if (!loop.client().ready()) return Failure{Kind::network, "no connection in time"};
  loop.run(milliseconds(50));  // and time to get back into its session
  const std::uint64_t ends = loop.link().ends();
  const auto call = loop.client().submit(request, now + timeout, now);
  if (!call) return Failure{Kind::operation, "the client does not take a call"};
  if (cut != Cut::before_it_is_sent) loop.link().flush(read_clock());
  if (cut == Cut::when_it_was_answered) ::usleep(50'000);  // the answer waits in the socket, unread
  loop.link().close(read_clock());
  if (loop.link().ends() == ends) return Failure{Kind::operation, "the stream was not cut"};
  const auto completion = loop.next(timeout);
  if (!completion || completion->result == CallResult::timed_out) return Failure{Kind::network, "no answer in time"};
  if (completion->call != call.value()) return Failure{Kind::exactly_once, "an answer to another call"};
  if (completion->result == CallResult::outcome_unknown) return Failure{Kind::exactly_once, "outcome unknown"};
  if (completion->response.status != Status::ok) return differs(Kind::exactly_once, "PUT after a cut", completion->response.status, Status::ok);
  const auto* said = std::get_if<MutationResponse>(&completion->response.body);
  if (said == nullptr) return Failure{Kind::operation, "PUT after a cut: an answer of another kind"};
  answer = *said;
  return std::nullopt;
}

}  // namespace

Verdict check_retry(const Subject& subject) {
  ClientConfig config;
  config.server = subject.server;
  config.connect_timeout = config.handshake_timeout = subject.timeout;
  ClientLoop loop(subject.suite, subject.identity, config, subject.endpoint);
  Calls reader(subject);
  const std::string key = key_of("retry");
  std::uint64_t revision = 0, index = 0;  // the key is not there yet
  for (int round = 0; round < rounds; ++round) {
    const std::string value = "round " + std::to_string(round);
    const auto cut = static_cast<Cut>(round % 3);
    MutationResponse answer;
    const PutRequest request = put_of(key, as_bytes(value), revision);
    if (auto failure = put_and_cut(loop, request, cut, Duration{subject.timeout.ns * 4}, answer)) return failure;
    if (answer.index <= index || answer.revision <= revision) return Failure{Kind::exactly_once, "index or revision did not ascend"};
    index = answer.index;
    revision = answer.revision;
    reader.expect_value(key, as_bytes(value), revision);
    if (reader.failed()) return reader.verdict();
  }
  if (loop.client().take_lost()) return Failure{Kind::exactly_once, "a write was reported as lost, and no server has ended"};
  reader.expect(delete_of(key, revision), "DELETE", Status::ok, Kind::exactly_once);
  return reader.verdict();
}

}  // namespace statefs::selftest
