// CHECK: a condition only a bug in this program can break. It is on in every build, release and fuzzing
// included, so that simulator and production are the same program.
//
// Never on anything a peer, a file, a disk or a clock can influence: bad input is a value (result.h).
#pragma once

namespace statefs {

// Prints one line (expression, file, line) to stderr and aborts.
[[noreturn]] void check_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace statefs

#define STATEFS_CHECK(condition)                                      \
  do {                                                                \
    if (__builtin_expect(!(condition), 0)) {                          \
      ::statefs::check_failed(#condition, __FILE__, __LINE__);        \
    }                                                                 \
  } while (false)
