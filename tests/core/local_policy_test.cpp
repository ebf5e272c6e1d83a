// The part of a policy that is about uids of the device itself.
#include <gtest/gtest.h>

#include "core/policy.h"

namespace statefs {
namespace {

LocalEntry entry(std::uint32_t uid, std::optional<Quota> quota = std::nullopt) { return {uid, {local_default_rule()}, quota}; }

TEST(LocalPolicy, TakesAsManyUidsAsTheLimitAndNoMore) {
  PolicySource source;
  while (source.locals.size() < limits::local_uids_max - 1) source.locals.push_back(entry(static_cast<std::uint32_t>(source.locals.size())));
  EXPECT_TRUE(Policy::create(source).ok());
  source.locals.push_back(entry(4'000'000'000));
  EXPECT_TRUE(Policy::create(source).ok());
  source.locals.push_back(entry(7'000));
  const auto refused = Policy::create(source);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error(), PolicyError::too_many_uids);
}

TEST(LocalPolicy, RefusesAUidTwice) {
  PolicySource source;
  source.locals = {entry(1), entry(2), entry(1)};
  EXPECT_EQ(Policy::create(source).error(), PolicyError::duplicate_uid);
}

TEST(LocalPolicy, NamesWhoIsThereAndNobodyElse) {
  PolicySource source;
  source.locals = {entry(9), entry(0)};
  const Policy policy = Policy::create(source).value();
  EXPECT_NE(policy.find_local(0), nullptr);
  EXPECT_NE(policy.find_local(9), nullptr);
  EXPECT_EQ(policy.find_local(1), nullptr);
  EXPECT_EQ(policy.find(PublicKey{}), nullptr) << "a uid is no key";
  ASSERT_EQ(policy.locals().size(), 2u);
  EXPECT_EQ(policy.locals()[0].uid, 0u);
}

TEST(LocalPolicy, ReservesNothingAndReportsTheRuleItself) {
  const auto rules = RuleSet::compile(std::vector<Rule>{{"/state/", access_all, false}}, RulesFor::local);
  const auto remote = RuleSet::compile(std::vector<Rule>{{"/state/", access_all, false}});
  ASSERT_TRUE(rules.ok() && remote.ok());
  for (const std::string_view subtree : reserved_subtrees) {
    const std::string text = std::string(subtree) + "k";
    const CanonicalKey key = CanonicalKey::from(as_bytes(text)).value();
    EXPECT_EQ(rules.value().check(key, Access::put), (Verdict{true, 1}));
    EXPECT_EQ(remote.value().check(key, Access::put), (Verdict{false, reserved_rule}));
    EXPECT_TRUE(RuleSet::compile(std::vector<Rule>{{std::string(subtree), access_all, false}}, RulesFor::local).ok());
    EXPECT_FALSE(RuleSet::compile(std::vector<Rule>{{std::string(subtree), access_all, false}}).ok());
  }
}

TEST(LocalPolicy, CountsTheQuotasOfUidsAgainstTheStore) {
  PolicySource source;
  source.store = {1'000, 10};
  source.peers.push_back({PublicKey{}, ""});
  source.locals = {entry(0, Quota{400, 4}), entry(1)};
  const Policy policy = Policy::create(source).value();
  EXPECT_EQ(policy.find_local(0)->quota, (Quota{400, 4}));
  EXPECT_EQ(policy.find_local(1)->quota, (Quota{300, 3}));
  EXPECT_EQ(policy.find(PublicKey{})->quota, (Quota{300, 3}));
  source.locals[0].quota = Quota{1'001, 4};
  EXPECT_EQ(Policy::create(source).error(), PolicyError::quota_over_store);
  source.locals[0].quota = Quota{1'000, 4};
  EXPECT_EQ(Policy::create(source).error(), PolicyError::quota_over_store) << "nothing is left for the others";
}

TEST(LocalPolicy, ChangesTheVersionOnlyByWhatDecides) {
  PolicySource source;
  const Digest none = Policy::create(source).value().version();
  source.locals = {entry(1, Quota{1, 1}), entry(2, Quota{1, 1})};
  const Digest two = Policy::create(source).value().version();
  EXPECT_NE(two, none);
  std::swap(source.locals[0], source.locals[1]);
  EXPECT_EQ(Policy::create(source).value().version(), two);
  source.locals[0].uid = 3;
  EXPECT_NE(Policy::create(source).value().version(), two);
}

}  // namespace
}  // namespace statefs
