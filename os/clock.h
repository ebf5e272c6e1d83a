// CLOCK: the two clocks of Linux as the `Now` that core is handed. Read once per wake-up.
//
//   clock_gettime(2) -> CLOCK -> stream_driver.h, client_stream.h, bench.h
#pragma once

#include "core/time.h"

namespace statefs {

[[nodiscard]] Now read_clock();
[[nodiscard]] Time read_monotonic();

// Milliseconds to hand to poll(2) or epoll_wait(2): rounded up so that a deadline has passed when they return;
// -1 for `never`, 0 for the past, at most one minute.
[[nodiscard]] int poll_timeout_ms(Time deadline, Time now);

}  // namespace statefs
