// POLICY TEXT: any bytes as a policy file. What parses renders, reads back the same, and where it makes a policy, that
// policy's own text makes the same one.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/check.h"
#include "os/text/policy_text.h"
#include "os/text/toml_tree.h"

namespace {

using namespace statefs;

// Enrols whom the file names, so that it is about its rules and not about its peers.
std::vector<EnrolledPeer> peers_of(const PolicyText& text) {
  std::vector<EnrolledPeer> peers{{PublicKey{}, "default"}};
  for (const PolicyText::Entry& entry : text.entries) {
    PublicKey made;
    made.bytes[0] = static_cast<std::uint8_t>(peers.size());
    peers.push_back({entry.key.value_or(made), entry.alias});
  }
  return peers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Result<PolicyText, TextError> text = parse_policy(bytes);
  if (!text) {
    const std::string line = line_of(text.error(), "policy");
    for (const char c : line) STATEFS_CHECK(c >= 0x20 && c < 0x7f);
    return 0;
  }
  const std::string rendered = render_policy(text.value());
  if (rendered.size() > text_limits::toml_size_max) return 0;
  const Result<PolicyText, TextError> again = parse_policy(rendered);
  STATEFS_CHECK(again.ok());
  STATEFS_CHECK(render_policy(again.value()) == rendered);

  const std::vector<EnrolledPeer> peers = peers_of(text.value());
  const Quota store{1u << 30, 1u << 20};
  const std::uint32_t owners[] = {0, 1000};
  const Result<Policy, TextError> policy = build_policy(text.value(), peers, store, owners);
  if (!policy) return 0;
  const std::string canonical = policy.value().text();
  if (canonical.size() > text_limits::toml_size_max) return 0;
  const Result<PolicyText, TextError> own = parse_policy(canonical);
  STATEFS_CHECK(own.ok());
  const Result<Policy, TextError> same = build_policy(own.value(), peers, store, owners);
  STATEFS_CHECK(same.ok());
  STATEFS_CHECK(same.value().version() == policy.value().version());
  return 0;
}
