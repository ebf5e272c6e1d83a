#include "sim/campaign/attempt.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "sim/campaign/child.h"

namespace statefs::sim {

AttemptEnd attempt(const Plan& plan, const SeedRunOptions& options, std::uint32_t cpu_seconds) {
  const auto work = [&](int, int answers) {
    limit_cpu_seconds(cpu_seconds);
    const SeedResult result = run_plan(plan, options);
    Bytes said;
    Writer writer(said);
    writer.u64(result.events);
    writer.bytes(as_bytes(result.failed_check()));
    if (!write_all(answers, said)) return EXIT_FAILURE;
    std::exit(EXIT_SUCCESS);  // as a program ends, for a sanitizer that looks at its end
  };
  Child child(work, Child::Streams::captured);
  if (!child.valid()) return {{}, 0, std::string("no process could be started: ") + std::strerror(errno)};
  Bytes said, output;
  while (read_some(child.output(), output)) output.clear();
  while (read_some(child.answers(), said)) {
  }
  const ChildEnd end = child.wait();
  if (end.outside) return {{}, 0, end.text};
  if (end.status != EXIT_SUCCESS) return {std::string(crash_check), 0, {}};
  Reader reader(said);
  const std::uint64_t events = reader.u64();
  return {std::string(as_text(reader.rest())), events, {}};
}

}  // namespace statefs::sim
