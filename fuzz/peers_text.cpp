// PEERS TEXT: any bytes as a peers file. What parses renders and reads back the same; a refusal is one printable line.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/check.h"
#include "os/text/peers_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace statefs;
  const Result<std::vector<EnrolledPeer>, TextError> peers = parse_peers({reinterpret_cast<const char*>(data), size});
  if (!peers) {
    const std::string line = line_of(peers.error(), "peers");
    for (const char c : line) STATEFS_CHECK(c >= 0x20 && c < 0x7f);
    return 0;
  }
  const std::string rendered = render_peers(peers.value());
  const Result<std::vector<EnrolledPeer>, TextError> again = parse_peers(rendered);
  STATEFS_CHECK(again.ok());
  STATEFS_CHECK(again.value() == peers.value());
  PolicySource source;
  source.peers = peers.value();
  STATEFS_CHECK(Policy::create(source).ok());
  return 0;
}
