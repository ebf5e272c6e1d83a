#include "os/client_loop.h"

#include <poll.h>

#include <utility>

#include "os/clock.h"

namespace statefs {

void ClientLoop::run(Duration wait) {
  constexpr Duration nap = milliseconds(20);  // at most, between streams
  const Time until = read_monotonic() + wait;
  for (;;) {
    Now now = read_clock();
    if (link_.ends() == 0 || client().wants_connection(now.monotonic)) link_.open(now);
    link_.flush(now);
    if (!taken_) taken_ = client().take_completion();
    if (taken_ || now.monotonic >= until) return;
    const bool waiting = link_.fd() >= 0;
    Time wake = earlier_of(until, link_.deadline());
    if (!waiting) wake = earlier_of(wake, now.monotonic + nap);
    pollfd watched{link_.fd(), static_cast<short>(POLLIN | (link_.wants_write() ? POLLOUT : 0)), 0};
    const int count = ::poll(&watched, waiting ? 1 : 0, poll_timeout_ms(wake, now.monotonic));
    const int events = count > 0 ? watched.revents : 0;
    link_.service((events & (POLLIN | POLLHUP | POLLERR)) != 0, (events & POLLOUT) != 0, read_clock());
  }
}

std::optional<Completion> ClientLoop::next(Duration wait) {
  if (!taken_) run(wait);
  return std::exchange(taken_, std::nullopt);
}

}  // namespace statefs
