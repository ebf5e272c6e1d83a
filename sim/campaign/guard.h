// GUARD: runs one piece of work in a child process, so that a crash of it is told as a bug that was found.
//
//   main.h (a seed, a scenario, a script) -> GUARD -> child.h
//
// The work prints as it likes, on the streams of this process. The child ends like a program, so a sanitizer that looks
// for leaks at its end is heard too.
#pragma once

#include <cstdint>
#include <functional>

#include "sim/campaign/child.h"

namespace statefs::sim {

struct GuardEnd {
  bool crashed = false;
  int status = 0;  // what the work returned, where it did not crash
  ChildEnd end;    // of the child
};

// `cpu_seconds`: as much as the work may use, zero: no bound.
[[nodiscard]] GuardEnd run_guarded(const std::function<int()>& work, std::uint32_t cpu_seconds);

}  // namespace statefs::sim
