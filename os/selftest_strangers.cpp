// unauthenticated: who is not enrolled, who looks for another server, and who says nothing of a handshake.
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "os/clock.h"
#include "os/entropy.h"
#include "os/selftest_calls.h"

namespace statefs::selftest {
namespace {

// A stream of its own with this identity and server: it must end as `wanted`, and its PUT must not have been answered.
Verdict expect_refused(const Subject& subject, std::string_view who, StreamFailure wanted) {
  ClientConfig config;
  config.server = subject.server;
  config.handshake_timeout = subject.timeout;
  ClientStream stream(subject.suite, subject.identity, config, subject.endpoint, subject.timeout);
  const std::string key = key_of("stranger");
  const auto called = stream.call(put_of(key, as_bytes(std::string_view("let me in"))));
  if (called) return Failure{Kind::authentication, std::string(who) + ": was answered"};
  if (called.error() == wanted) return std::nullopt;
  return Failure{Kind::authentication, std::string(who) + ": refused for another reason: " + explain(called.error()).reason};
}

// Waits for one event of a socket.
bool wait_for(int fd, short events, Time until) {
  pollfd watched{fd, events, 0};
  return ::poll(&watched, 1, poll_timeout_ms(until, read_monotonic())) > 0;
}

// A PUT as plain bytes, without a handshake: the server says nothing and ends the stream.
Verdict expect_silence(const Subject& subject) {
  const Time until = read_monotonic() + subject.timeout;
  auto opened = start_connect(subject.endpoint);
  if (!opened) return Failure{Kind::network, "plain bytes: cannot connect: " + errno_text(opened.error())};
  const Fd stream = std::move(opened).value();
  if (!wait_for(stream.get(), POLLOUT, until) || connect_error(stream) != 0) return Failure{Kind::network, "plain bytes: cannot connect"};
  const std::string key = key_of("stranger");
  Bytes plain;
  encode_request({1, put_of(key, as_bytes(std::string_view("let me in")))}, plain);
  if (::send(stream.get(), plain.data(), plain.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(plain.size())) {
    return Failure{Kind::network, "plain bytes: were not taken"};
  }
  ::shutdown(stream.get(), SHUT_WR);
  char answer[16];
  for (;;) {
    if (!wait_for(stream.get(), POLLIN, until)) return Failure{Kind::authentication, "plain bytes: the stream was not ended in time"};
    const ssize_t count = ::recv(stream.get(), answer, sizeof answer, MSG_DONTWAIT);
    if (count > 0) return Failure{Kind::authentication, "plain bytes: were answered"};
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) return std::nullopt;
  }
}

}  // namespace

Verdict check_unauthenticated(const Subject& subject) {
  if (subject.stranger == nullptr) return Failure{Kind::authentication, "no --stranger-identity was given"};
  Subject stranger = subject;
  stranger.identity = subject.stranger;
  if (auto failure = expect_refused(stranger, "a key that is not enrolled", StreamFailure::not_enrolled)) return failure;
  Subject elsewhere = subject;
  elsewhere.server = subject.suite.import(random_secret())->public_key();
  if (auto failure = expect_refused(elsewhere, "a key that is not the server's", StreamFailure::not_accepted)) return failure;
  if (auto failure = expect_silence(subject)) return failure;
  Calls calls(subject);
  calls.expect_absent(key_of("stranger"), Kind::authentication);
  return calls.verdict();
}

}  // namespace statefs::selftest
