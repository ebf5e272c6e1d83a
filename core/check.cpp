#include "core/check.h"

#include <cstdio>
#include <cstdlib>

namespace statefs {

void check_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "statefs: check failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace statefs
