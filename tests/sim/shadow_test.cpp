// The shadow and the real policy must agree: every plan of a small universe, every op, keys in and out of the grants.
#include "sim/shadow.h"

#include <gtest/gtest.h>

#include <array>

#include "sim/script.h"

namespace statefs::sim {
namespace {

const std::string root = "/state/shared/";

PublicKey key_of(NodeId node) {
  PublicKey key;
  key.bytes[0] = static_cast<std::uint8_t>(node + 1);
  return key;
}

Status real_verdict(const Policy& policy, ShadowPeer peer, Op op, std::string_view text) {
  const auto status_of = [](KeyError error) { return error == KeyError::too_long ? Status::key_too_long : Status::invalid_key; };
  const auto answer = [](bool allowed) { return allowed ? Status::ok : Status::access_denied; };
  const PeerPolicy* const entry = peer.local ? policy.find_local(uid_of(peer.node)) : policy.find(key_of(peer.node));
  if (op == Op::list) {
    const auto prefix = CanonicalPrefix::from(as_bytes(text));
    if (!prefix.ok()) return status_of(prefix.error());
    return answer(entry != nullptr && entry->rules.check(prefix.value(), Access::list).allowed);
  }
  const auto key = CanonicalKey::from(as_bytes(text));
  if (!key.ok()) return status_of(key.error());
  const Access access = op == Op::put ? Access::put : op == Op::get ? Access::get : Access::del;
  return answer(entry != nullptr && entry->rules.check(key.value(), access).allowed);
}

const RuleSet* rules_for(const Policy& policy, ShadowPeer peer) {
  const PeerPolicy* const entry = peer.local ? policy.find_local(uid_of(peer.node)) : policy.find(key_of(peer.node));
  return entry == nullptr ? nullptr : &entry->rules;
}

std::uint16_t real_rule(const Policy& policy, ShadowPeer peer, Op op, std::string_view text) {
  const RuleSet* const rules = rules_for(policy, peer);
  if (rules == nullptr) return 0;
  if (op == Op::list) return rules->check(CanonicalPrefix::from(as_bytes(text)).value(), Access::list).rule;
  return rules->check(CanonicalKey::from(as_bytes(text)).value(), op == Op::put ? Access::put : op == Op::get ? Access::get : Access::del).rule;
}

bool is_shown(const Policy& policy, ShadowPeer peer, std::string_view text) {
  const RuleSet* const rules = rules_for(policy, peer);
  return rules != nullptr && rules->check(CanonicalKey::from(as_bytes(text)).value(), Access::list).allowed;
}

TEST(Shadow, AgreesWithThePolicyThatItStandsFor) {
  const std::vector<PublicKey> keys{key_of(0), key_of(1), key_of(2), key_of(3)};
  const std::vector<std::string> texts{
      root + "a", root + "dir/a", root + "dir/", root + "dir", root + "dirt/a", root + "own/a", root + "own/", root + "own", root + "own/dir/a",
      root, root + "dir/sub/a", root + "dir/sub/", "/state/other", "/state/other/", "/state/other/a", "/state/keystore", "/state/boot",
      "/state/boot/",
      "/state/shared", "/state/sharedx/a", "/state/", "/", "", "/a", "/state/keystore/a",
      "/state/keystore/", "/state/keystore/own/a", "/state/boot/a", root + "../a", root + "/a", root + "a\n",
      root + "a\\b", root + "d/./a", root + std::string(limits::key_size_max, 'k'), root + std::string(limits::key_size_max, 'k') + "/",
      std::string(root).append(limits::key_size_max - root.size(), 'k'), std::string(root).append(limits::key_size_max + 1 - root.size(), 'k'),
      root + "\xc3\xa9", root + "\xc2\x85", root + "\xc2\xa0", root + "\xd8\x9c", root + "\xe0\x80\xaf", root + "\xe0\xa0\x80",
      root + "\xe2\x80\xa7", root + "\xe2\x80\xa8", root + "\xe2\x80\xaa", root + "\xe2\x80\xaf", root + "\xe2\x81\xa5",
      root + "\xe2\x81\xa6", root + "\xe2\x81\xa9", root + "\xed\x9f\xbf", root + "\xed\xa0\x80", root + "\xef\xbb\xbf",
      root + "\xf0\x8f\xbf\xbf", root + "\xf0\x90\x80\x80", root + "\xf4\x8f\xbf\xbf", root + "\xf4\x90\x80\x80", root + "\xf8\x88\x80\x80\x80",
      root + "\x80", root + "\xc0\xaf", root + "\xc1\xbf", root + "\xe2\x80", root + "\xff", root + "\x7f", root + ".", root + "...", root + ".k"};
  std::size_t allowed = 0, denied = 0;
  for (unsigned bits = 0; bits < 1024; ++bits) {
    const bool some_local = (bits & 64) != 0;
    const std::array<ShadowPeer, 3> peers{{{1, some_local}, {2, some_local}, {3, false}}};
    PolicyPlan plan;
    plan.dir_denied = (bits & 1) != 0;
    if ((bits & 2) != 0) plan.narrowed = 1;
    if ((bits & 4) != 0) plan.strangers.push_back(2);
    if ((bits & 8) != 0) plan.readers.push_back(1);
    if ((bits & 16) != 0) plan.writers.push_back(3);
    if ((bits & 32) != 0) plan.readers.push_back(3);
    if ((bits & 128) != 0) plan.wide = 1;
    plan.dir_hidden = (bits & 512) != 0;
    if ((bits & 256) != 0) {
      for (std::size_t op = 0; op < plan_ops.size(); ++op) plan.without[op] = {static_cast<NodeId>(1 + op % 3)};
    }
    const auto policy = Policy::create(to_source(plan, peers, keys));
    ASSERT_TRUE(policy.ok());
    for (const ShadowPeer peer : peers) {
      const bool enrolled = is_enrolled(plan, peer.node);
      EXPECT_EQ(policy.value().find(key_of(peer.node)) != nullptr, enrolled && !peer.local);
      EXPECT_EQ(policy.value().find_local(uid_of(peer.node)) != nullptr, enrolled && peer.local);
      for (const Op op : {Op::put, Op::get, Op::del, Op::list}) {
        for (const std::string& text : texts) {
          const Status real = real_verdict(policy.value(), peer, op, text);
          EXPECT_EQ(shadow_verdict(plan, peer, op, text), real) << bits << " peer " << peer.node << " " << printable(text);
          if (real == Status::ok || real == Status::access_denied) {
            EXPECT_EQ(shadow_rule(plan, peer, op, text), real_rule(policy.value(), peer, op, text)) << bits << " peer " << peer.node << " " << text;
          }
          if (op == Op::get && shadow_key_check(text, false) == Status::ok) {
            EXPECT_EQ(shadow_shows(plan, peer, text), is_shown(policy.value(), peer, text)) << bits << " peer " << peer.node << " " << text;
          }
          ++(real == Status::ok ? allowed : denied);
        }
      }
    }
  }
  EXPECT_GT(allowed, 500u);
  EXPECT_GT(denied, 500u);
}

}  // namespace
}  // namespace statefs::sim
