#include "os/policy_files.h"

#include "os/file.h"
#include "os/text/peers_text.h"
#include "os/text/toml_tree.h"

namespace statefs {
namespace {

Problem problem_in(const std::string& noun, const std::string& path, const TextError& error) {
  return {noun + " " + line_of(error, path)};
}

}  // namespace

Result<PolicyText, Problem> load_policy_text(const std::string& path) {
  if (path.empty()) return PolicyText{};
  const auto text = read_text_file("policy file", path, text_limits::toml_size_max);
  if (!text) return text.error();
  auto parsed = parse_policy(text.value());
  if (!parsed) return problem_in("policy file", path, parsed.error());
  return std::move(parsed).value();
}

Result<std::vector<EnrolledPeer>, Problem> load_peers(const std::string& path) {
  const auto text = read_text_file("peers file", path, text_limits::peers_size_max);
  if (!text) return text.error();
  auto peers = parse_peers(text.value());
  if (!peers) return problem_in("peers file", path, peers.error());
  return std::move(peers).value();
}

Result<Policy, Problem> load_policy(const std::string& peers_path, const std::string& policy_path, const Quota& store,
                                    const std::optional<std::uint32_t>& own_uid) {
  const auto peers = load_peers(peers_path);
  if (!peers) return peers.error();
  if (peers.value().empty()) {
    complain("dsoftbusd",
             "peers file " + printable(peers_path) + " names no peer, so nobody can connect: enrol one and send SIGHUP");
  }
  const auto text = load_policy_text(policy_path);
  if (!text) return text.error();
  std::vector<std::uint32_t> owners;
  if (own_uid) owners = {0, *own_uid};
  auto policy = build_policy(text.value(), peers.value(), store, owners);
  if (!policy) return problem_in("policy file", policy_path.empty() ? "(default)" : policy_path, policy.error());
  return std::move(policy).value();
}

Result<ConfigText, Problem> load_config(const std::string& path) {
  const auto text = read_text_file("configuration file", path, text_limits::toml_size_max);
  if (!text) return text.error();
  auto config = parse_config(text.value());
  if (!config) return problem_in("configuration file", path, config.error());
  return std::move(config).value();
}

}  // namespace statefs
