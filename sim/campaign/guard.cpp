#include "sim/campaign/guard.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace statefs::sim {

GuardEnd run_guarded(const std::function<int()>& work, std::uint32_t cpu_seconds) {
  // A status that was said before the end tells a program that returned it from a sanitizer that exits with it.
  const auto say = [&](int, int answers) {
    limit_cpu_seconds(cpu_seconds);
    const int status = work();
    const auto byte = static_cast<std::uint8_t>(status);
    if (!write_all(answers, {&byte, 1})) return EXIT_FAILURE;
    std::exit(status);
  };
  Child child(say, Child::Streams::inherited);
  if (!child.valid()) return {true, 0, {std::string("no process could be started: ") + std::strerror(errno), -1, true}};
  Bytes said;
  while (read_some(child.answers(), said)) {
  }
  GuardEnd ended{true, 0, child.wait()};
  if (said.size() == 1 && ended.end.status == said[0]) return {false, said[0], ended.end};
  return ended;
}

}  // namespace statefs::sim
