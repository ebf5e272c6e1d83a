#include "sim/shadow.h"

#include <algorithm>
#include <string>

namespace statefs::sim {
namespace {

const std::string shared = "/state/shared/";
constexpr std::string_view keystore = "/state/keystore/";

bool names(const std::vector<NodeId>& nodes, NodeId node) { return std::find(nodes.begin(), nodes.end(), node) != nodes.end(); }

constexpr AccessMask bits(Access a, Access b) { return static_cast<AccessMask>(static_cast<unsigned>(a) | static_cast<unsigned>(b)); }

bool is_plain(std::string_view segment) {
  if (segment.empty() || segment == "." || segment == "..") return false;
  // Worlds use no byte above ASCII in keys, so all that is not plain ASCII is refused here.
  return std::all_of(segment.begin(), segment.end(), [](char c) { return c >= ' ' && c <= '~' && c != '\\'; });
}

std::vector<std::string_view> segments_of(std::string_view key) {
  std::vector<std::string_view> segments;
  std::string_view rest = key.substr(1);
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    segments.push_back(rest.substr(0, slash));
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  }
  return segments;
}

}  // namespace

PolicySource to_source(const PolicyPlan& plan, std::span<const ShadowPeer> peers, std::span<const PublicKey> keys) {
  PolicySource source;
  std::vector<Rule> denies;
  if (plan.dir_denied) denies.push_back({shared + "dir/", access_all, true});
  source.default_rules.insert(source.default_rules.end(), denies.begin(), denies.end());
  if (plan.quota_keys != 0 || plan.quota_bytes != 0) {
    Quota share{source.store.value_bytes / (peers.size() + 1), source.store.keys / (peers.size() + 1)};
    if (plan.quota_keys != 0) share.keys = plan.quota_keys;
    if (plan.quota_bytes != 0) share.value_bytes = plan.quota_bytes;
    source.default_quota = share;
  }
  for (const auto& [peer, is_local] : peers) {
    if (names(plan.strangers, peer)) continue;
    if (!is_local) source.peers.push_back({keys[peer], "node-" + std::to_string(peer)});
    AccessMask access = access_all;
    if (names(plan.readers, peer)) access &= bits(Access::get, Access::list);
    if (names(plan.writers, peer)) access &= bits(Access::put, Access::del);
    const bool is_narrowed = plan.narrowed == peer;
    if (access == access_all && !is_narrowed && !is_local) continue;
    std::vector<Rule> rules = denies;
    if (access != 0) rules.push_back({is_narrowed ? shared + "own/" : shared, access, false});
    if (is_local) {
      if (access != 0 && !is_narrowed) rules.push_back({std::string(keystore), access, false});
      source.locals.push_back({uid_of(peer), rules, source.default_quota});
      continue;
    }
    source.entries.push_back({keys[peer], rules, std::nullopt});
  }
  return source;
}

bool is_enrolled(const PolicyPlan& plan, NodeId peer) { return !names(plan.strangers, peer); }

Status shadow_key_check(std::string_view key, bool is_prefix) {
  if (key.size() > limits::key_size_max) return Status::key_too_long;
  if (key.empty() || key[0] != '/' || (key.back() == '/') != is_prefix) return Status::invalid_key;
  const auto segments = segments_of(key);
  return std::all_of(segments.begin(), segments.end(), is_plain) ? Status::ok : Status::invalid_key;
}

Status shadow_verdict(const PolicyPlan& plan, ShadowPeer who, Op op, std::string_view key) {
  const NodeId peer = who.node;
  const bool is_prefix = op == Op::list;
  const bool is_read = op == Op::get || op == Op::list;
  if (const Status status = shadow_key_check(key, is_prefix); status != Status::ok) return status;
  const auto segments = segments_of(key);
  // A key needs one segment more than the subtree that it lies in.
  const std::size_t own = is_prefix ? 0 : 1;
  const bool in_shared = segments.size() >= 2 + own && segments[0] == "state" && segments[1] == "shared";
  const std::string_view child = segments.size() >= 3 + own ? segments[2] : std::string_view{};
  const bool in_keystore = who.local && segments.size() >= 2 + own && segments[0] == "state" && segments[1] == "keystore";
  if ((!in_shared && !in_keystore) || !is_enrolled(plan, peer)) return Status::access_denied;
  if (names(plan.readers, peer) && !is_read) return Status::access_denied;
  if (names(plan.writers, peer) && is_read) return Status::access_denied;
  if (in_keystore) return plan.narrowed == peer ? Status::access_denied : Status::ok;
  if (plan.dir_denied && child == "dir") return Status::access_denied;
  if (plan.narrowed == peer && child != "own") return Status::access_denied;
  return Status::ok;
}

}  // namespace statefs::sim
