#include "sim/shadow.h"

#include <algorithm>
#include <string>

namespace statefs::sim {
namespace {

constexpr std::string_view state = "/state/";
constexpr std::string_view shared = "/state/shared/";
constexpr std::string_view keystore = "/state/keystore/";
constexpr std::string_view boot = "/state/boot/";

bool names(const std::vector<NodeId>& nodes, NodeId node) { return std::find(nodes.begin(), nodes.end(), node) != nodes.end(); }

AccessMask access_of(Op op) {
  const Access access = op == Op::put ? Access::put : op == Op::get ? Access::get : op == Op::del ? Access::del : Access::list;
  return static_cast<AccessMask>(access);
}

// What the peer may do where it may do anything. A chunk is judged as its PUT.
bool may(const PolicyPlan& plan, NodeId peer, Op op) {
  if (op == Op::stage) return may(plan, peer, Op::put);
  const bool is_read = op == Op::get || op == Op::list;
  if (names(plan.readers, peer) && !is_read) return false;
  if (names(plan.writers, peer) && is_read) return false;
  for (std::size_t i = 0; i < plan_ops.size(); ++i) {
    if (plan_ops[i].first == op && names(plan.without[i], peer)) return false;
  }
  return true;
}

AccessMask mask_of(const PolicyPlan& plan, NodeId peer) {
  AccessMask mask = 0;
  for (const auto& [op, name] : plan_ops) {
    if (may(plan, peer, op)) mask = static_cast<AccessMask>(mask | access_of(op));
  }
  return mask;
}

// Code points by what their first byte announces, and what makes each of them bad; std::u32string_view knows no range.
bool is_bad_point(std::uint32_t point) {
  constexpr std::uint32_t singles[] = {'\\', 0x7f, 0x61c, 0x200e, 0x200f, 0x2028, 0x2029, 0xfeff};
  if (std::find(std::begin(singles), std::end(singles), point) != std::end(singles)) return true;
  constexpr std::pair<std::uint32_t, std::uint32_t> ranges[] = {
      {0, 0x1f}, {0x80, 0x9f}, {0x202a, 0x202e}, {0x2066, 0x2069}, {0xd800, 0xdfff}, {0x110000, ~std::uint32_t{0}}};
  return std::any_of(std::begin(ranges), std::end(ranges), [point](const auto& each) { return point >= each.first && point <= each.second; });
}

bool is_text(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto first = static_cast<unsigned char>(bytes.front());
    std::size_t more = 0;
    while (more < 7 && (first << (more + 1) & 0x100) != 0) ++more;  // leading ones
    if (more == 1 || more > 4) return false;
    const std::size_t size = std::max<std::size_t>(more, 1);
    if (bytes.size() < size) return false;
    std::uint32_t point = more == 0 ? first : first & (0xffu >> (more + 1));
    for (std::size_t i = 1; i < size; ++i) {
      const auto next = static_cast<unsigned char>(bytes[i]);
      if (next < 0x80 || next >= 0xc0) return false;
      point = point * 64 + (next - 0x80u);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};  // what needs so many bytes
    if (point < least[size] || is_bad_point(point)) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

bool is_plain(std::string_view segment) { return !segment.empty() && segment != "." && segment != ".."; }

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

// Where the first segments lie, for a peer that may do this at all. A key needs one segment more than the subtree that it lies in.
bool reaches(const PolicyPlan& plan, ShadowPeer who, Op op, const std::vector<std::string_view>& segments, std::size_t own) {
  const auto in = [&](std::size_t depth, std::string_view name) { return segments.size() >= depth + own && segments[depth - 1] == name; };
  if (!in(1, "state")) return false;
  const bool in_shared = in(2, "shared");
  if (in_shared && (plan.dir_denied || (plan.dir_hidden && op == Op::list)) && in(3, "dir")) return false;
  if (plan.wide == who.node && !in_shared) return who.local || (!in(2, "keystore") && !in(2, "boot"));
  if (plan.narrowed == who.node) return plan.wide == who.node || (in_shared && in(3, "own"));
  return in_shared || (who.local && in(2, "keystore"));
}

}  // namespace

std::string alias_of(ShadowPeer peer) { return peer.local ? std::string() : "node-" + std::to_string(peer.node); }

// A deny first, the widest grant last, and a grant inside what is denied.
std::vector<Rule> rules_of(const PolicyPlan& plan, ShadowPeer peer) {
  std::vector<Rule> rules;
  const std::string dir = std::string(shared) + "dir/";
  if (plan.dir_denied) rules.push_back({dir, access_all, true});
  if (plan.dir_hidden) rules.push_back({dir, static_cast<AccessMask>(Access::list), true});
  const AccessMask access = mask_of(plan, peer.node);
  if (access == 0) return rules;
  if (plan.dir_denied) rules.push_back({dir + "sub/", access, false});
  const bool is_narrowed = plan.narrowed == peer.node;
  rules.push_back({std::string(shared) + (is_narrowed ? "own/" : ""), access, false});
  if (peer.local && !is_narrowed) rules.push_back({std::string(keystore), access, false});
  if (plan.wide == peer.node) rules.push_back({std::string(state), access, false});
  return rules;
}

PolicySource to_source(const PolicyPlan& plan, std::span<const ShadowPeer> peers, std::span<const PublicKey> keys) {
  PolicySource source;
  if (plan.quota_keys != 0 || plan.quota_bytes != 0) {
    Quota share{source.store.value_bytes / (peers.size() + 1), source.store.keys / (peers.size() + 1)};
    if (plan.quota_keys != 0) share.keys = plan.quota_keys;
    if (plan.quota_bytes != 0) share.value_bytes = plan.quota_bytes;
    source.default_quota = share;
  }
  const std::vector<Rule> usual = rules_of(plan, {no_node, false});
  source.default_rules = usual;
  for (const ShadowPeer& each : peers) {
    if (names(plan.strangers, each.node)) continue;
    std::vector<Rule> rules = rules_of(plan, each);
    if (each.local) {
      source.locals.push_back({uid_of(each.node), std::move(rules), source.default_quota});
      continue;
    }
    source.peers.push_back({keys[each.node], alias_of(each)});
    if (rules != usual) source.entries.push_back({keys[each.node], std::move(rules), std::nullopt});
  }
  return source;
}

bool is_enrolled(const PolicyPlan& plan, NodeId peer) { return !names(plan.strangers, peer); }

Status shadow_key_check(std::string_view key, bool is_prefix) {
  if (key.size() > limits::key_size_max) return Status::key_too_long;
  if (key.empty() || key[0] != '/' || (key.back() == '/') != is_prefix || !is_text(key)) return Status::invalid_key;
  const auto segments = segments_of(key);
  return std::all_of(segments.begin(), segments.end(), is_plain) ? Status::ok : Status::invalid_key;
}

Status shadow_verdict(const PolicyPlan& plan, ShadowPeer who, Op op, std::string_view key) {
  const bool is_prefix = op == Op::list;
  if (const Status status = shadow_key_check(key, is_prefix); status != Status::ok) return status;
  if (!is_enrolled(plan, who.node) || !may(plan, who.node, op)) return Status::access_denied;
  return reaches(plan, who, op, segments_of(key), is_prefix ? 0 : 1) ? Status::ok : Status::access_denied;
}

bool shadow_shows(const PolicyPlan& plan, ShadowPeer who, std::string_view key) {
  return is_enrolled(plan, who.node) && may(plan, who.node, Op::list) && reaches(plan, who, Op::list, segments_of(key), 1);
}

std::uint16_t shadow_rule(const PolicyPlan& plan, ShadowPeer who, Op op, std::string_view key) {
  if (!is_enrolled(plan, who.node)) return 0;
  const std::vector<Rule> rules = rules_of(plan, who);
  std::size_t best[2] = {0, 0};  // grant, deny: the one with the longest subtree, from 1
  bool is_granted = false;       // some op is
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules[i];
    if (key.substr(0, rule.subtree.size()) != rule.subtree) continue;
    is_granted |= !rule.deny;
    if ((rule.access & access_of(op)) == 0) continue;
    std::size_t& than = best[rule.deny ? 1 : 0];
    if (than == 0 || rule.subtree.size() > rules[than - 1].subtree.size()) than = i + 1;
  }
  const bool is_reserved = !who.local && is_granted && (key.starts_with(keystore) || key.starts_with(boot));
  return is_reserved ? reserved_rule : static_cast<std::uint16_t>(best[1] != 0 ? best[1] : best[0]);
}

}  // namespace statefs::sim
