#include "core/owner.h"

#include <gtest/gtest.h>

namespace statefs {
namespace {

TEST(Owner, HasThePolicyOfItsKeyOrOfItsUidAndOfNothingElse) {
  PolicySource source;
  source.peers.push_back({});
  source.peers.back().key.bytes.fill(1);
  source.locals.push_back({7, {local_default_rule()}, std::nullopt});
  const Policy policy = Policy::create(source).value();
  Owner peer;
  peer.kind = PeerKind::remote;
  peer.key.bytes.fill(1);
  EXPECT_EQ(policy_of(peer, policy), policy.find(peer.key));
  EXPECT_NE(policy_of(peer, policy), nullptr);
  Owner uid;
  uid.kind = PeerKind::local;
  uid.uid = 7;
  EXPECT_EQ(policy_of(uid, policy), policy.find_local(7));
  EXPECT_NE(policy_of(uid, policy), nullptr);
  uid.kind = PeerKind::remote;
  EXPECT_EQ(policy_of(uid, policy), nullptr) << "a uid is no key";
  peer.kind = PeerKind::local;
  EXPECT_EQ(policy_of(peer, policy), nullptr) << "nor a key a uid";
  peer.kind = PeerKind::none;
  EXPECT_EQ(policy_of(peer, policy), nullptr) << "the store itself has no policy";
}

}  // namespace
}  // namespace statefs
