// CONFIG TEXT: any bytes as a configuration. What is taken keeps the relations between limits; a refusal is one line.
#include <cstdint>
#include <string>

#include "core/check.h"
#include "os/text/config_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace statefs;
  const Result<ConfigText, TextError> config = parse_config({reinterpret_cast<const char*>(data), size});
  if (!config) {
    const std::string line = line_of(config.error(), "config");
    for (const char c : line) STATEFS_CHECK(c >= 0x20 && c < 0x7f);
    return 0;
  }
  const ServerLimits& taken = config.value().limits;
  STATEFS_CHECK(taken.connections_max <= limits::connections_max);
  STATEFS_CHECK(taken.connections_per_peer_max < taken.connections_max);
  STATEFS_CHECK(taken.half_open_max < taken.connections_max);
  STATEFS_CHECK(taken.handshakes_per_wakeup >= 1);
  STATEFS_CHECK(taken.output_size_max >= 2 * limits::frame_size_max);
  STATEFS_CHECK(taken.staging.value_size_max >= limits::value_size_max && taken.staging.value_size_max <= limits::total_value_size_ceiling);
  STATEFS_CHECK(taken.keepalive_interval.ns > 0 && taken.dead_peer_timeout.ns > 2 * taken.keepalive_interval.ns);
  return 0;
}
