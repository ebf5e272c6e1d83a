#include "os/event_loop.h"

#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>

#include "core/check.h"
#include "os/clock.h"

namespace statefs {

Result<EventLoop, Problem> EventLoop::open() {
  Fd fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!fd.valid()) return Problem{"cannot make an event loop: " + errno_text(errno) + " (epoll_create1)"};
  return EventLoop(std::move(fd));
}

bool EventLoop::add(int fd, std::uint32_t events, EventTag tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return ::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void EventLoop::modify(int fd, std::uint32_t events, EventTag tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  STATEFS_CHECK(::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event) == 0);
}

std::span<const epoll_event> EventLoop::wait(Time deadline) {
  const int timeout_ms = deadline == never ? -1 : deadline.ns == 0 ? 0 : poll_timeout_ms(deadline, read_monotonic());
  const int count = ::epoll_wait(fd_.get(), events_.data(), static_cast<int>(events_.size()), timeout_ms);
  if (count < 0) {
    STATEFS_CHECK(errno == EINTR);
    return {};
  }
  return {events_.data(), static_cast<std::size_t>(count)};
}

Result<Signals, Problem> Signals::open(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : numbers) sigaddset(&set, number);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return Problem{"cannot block signals: " + errno_text(errno)};
  Fd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd.valid()) return Problem{"cannot receive signals: " + errno_text(errno) + " (signalfd)"};
  return Signals(std::move(fd));
}

int Signals::take() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return 0;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace statefs
