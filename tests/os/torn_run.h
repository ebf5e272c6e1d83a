// TORN RUN: clients of one store over real sockets, through a proxy that tears their streams, and what they were told.
//
//   sim/search.h (is there an order that explains it) <- TORN RUN -> loopback_server.h, tearing_proxy.h
#pragma once

#include <cstddef>
#include <vector>

#include "sim/history.h"
#include "tests/os/tearing_proxy.h"

namespace statefs::test {

inline constexpr std::size_t calls_per_lane = 300;

// What was seen from outside, calls and their completions numbered in the order in which they happened.
struct TornRun {
  sim::History history;  // `node` of a call is its lane, from 10
  std::vector<Bytes> audit;
  int cuts = 0;
  std::uint64_t size_held_back = 0;
  std::size_t lost = 0;
};

// So many clients at the remote door, each with a key of its own, and so many at the local door, all of this process's uid.
// They write the same three keys, a quarter of it under a condition.
[[nodiscard]] TornRun torn_run(std::size_t remote_count, std::size_t local_count);

// Every call has its completion, some order explains them all, and enough was cut and left open to say so.
void expect_explained(const TornRun& run, std::size_t lane_count);
// Each mutation that was answered has one record, and one that was not has at most one.
void expect_each_ran_once(const TornRun& run);

}  // namespace statefs::test
