// EVENT LOOP: epoll, and the signals of the process as events beside the streams. One thread, no callbacks: the
// program waits, looks at what is ready, and hands it to the stream driver.
//
//   epoll_wait(2) -> EVENT LOOP -> stream_driver.h (sockets), dsoftbusd (signals)
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "core/result.h"
#include "core/time.h"
#include "os/fd.h"
#include "os/problem.h"

namespace statefs {

// What an event belongs to: a number that its registrant chose. Streams use their connection number.
using EventTag = std::uint64_t;

class EventLoop {
 public:
  [[nodiscard]] static Result<EventLoop, Problem> open();

  // `events` as for epoll_ctl(2). Closing the descriptor removes it. False where the kernel has no room for it.
  [[nodiscard]] bool add(int fd, std::uint32_t events, EventTag tag);
  void modify(int fd, std::uint32_t events, EventTag tag);

  // Waits until something is ready or the deadline has passed. The events are valid until the next wait.
  [[nodiscard]] std::span<const epoll_event> wait(Time deadline);

 private:
  static constexpr std::size_t events_per_wait = 512;
  explicit EventLoop(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
  std::array<epoll_event, events_per_wait> events_{};
};

// Signals blocked for the process and read from a descriptor instead (signalfd(2)). SIGPIPE and SIGXFSZ are
// ignored: what they tell is an errno of the write that caused them.
class Signals {
 public:
  [[nodiscard]] static Result<Signals, Problem> open(std::initializer_list<int> numbers);
  [[nodiscard]] int fd() const { return fd_.get(); }
  // The number of the next signal that arrived, or 0.
  [[nodiscard]] int take();

 private:
  explicit Signals(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace statefs
