#include "core/policy.h"

#include <algorithm>
#include <string>
#include <vector>

#include "fuzz/naive_key_policy.h"

namespace statefs {
namespace {

constexpr std::array<Access, 4> every_access{Access::put, Access::get, Access::del, Access::list};

CanonicalKey key(std::string_view text) { return CanonicalKey::from(as_bytes(text)).value(); }
CanonicalPrefix prefix(std::string_view text) { return CanonicalPrefix::from(as_bytes(text)).value(); }

Rule grant(std::string subtree, AccessMask access = access_all) { return {std::move(subtree), access, false}; }
Rule deny(std::string subtree, AccessMask access = access_all) { return {std::move(subtree), access, true}; }

RuleSet compiled(const std::vector<Rule>& rules) {
  Result<RuleSet, PolicyError> set = RuleSet::compile(rules);
  EXPECT_TRUE(set.ok());
  return std::move(set).value();
}
PolicyError refusal(const std::vector<Rule>& rules) { return RuleSet::compile(rules).error(); }

std::vector<naive::Rule> naive_rules(const std::vector<Rule>& rules) {
  std::vector<naive::Rule> out;
  for (const Rule& rule : rules) out.push_back({rule.subtree, rule.access, rule.deny});
  return out;
}

bool agrees(const RuleSet& set, const std::vector<naive::Rule>& rules, std::string_view text, Access access) {
  const naive::Verdict expected = naive::evaluate(rules, text, static_cast<std::uint8_t>(access));
  const bool is_prefix = text.back() == '/';
  const Verdict verdict = is_prefix ? set.check(prefix(text), access) : set.check(key(text), access);
  if (verdict != Verdict{expected.allowed, expected.rule}) return false;
  return is_prefix ||
         set.denied_subtree_of(key(text), access) == naive::widest_deny(rules, text, static_cast<std::uint8_t>(access));
}

TEST(RuleSet, DeniesWhatNoRuleCovers) {
  const RuleSet none = compiled({});
  const RuleSet shared = compiled({grant("/state/shared/")});
  for (const Access access : every_access) {
    EXPECT_EQ(none.check(key("/state/shared/a"), access), (Verdict{false, 0}));
    EXPECT_EQ(shared.check(key("/state/shared/a"), access), (Verdict{true, 1}));
    EXPECT_EQ(shared.check(key("/state/other/a"), access), (Verdict{false, 0}));
    EXPECT_EQ(shared.check(key("/stat"), access), (Verdict{false, 0}));
  }
}

TEST(RuleSet, EndsASubtreeOnASegmentBoundary) {
  const RuleSet set = compiled({grant("/state/shared/")});
  EXPECT_FALSE(set.check(key("/state/shared"), Access::get).allowed);
  EXPECT_FALSE(set.check(key("/state/sharedX/a"), Access::get).allowed);
  EXPECT_FALSE(set.check(key("/state/shared.bak/a"), Access::get).allowed);
  EXPECT_FALSE(set.check(key("/State/shared/a"), Access::get).allowed);
  EXPECT_FALSE(set.check(key("/a/state/shared/a"), Access::get).allowed);
  EXPECT_TRUE(set.check(key("/state/shared/a/b"), Access::get).allowed);
}

TEST(RuleSet, ListsAPrefixOnlyInsideAGrant) {
  const RuleSet set = compiled({grant("/state/shared/")});
  EXPECT_TRUE(set.check(prefix("/state/shared/"), Access::list).allowed);
  EXPECT_TRUE(set.check(prefix("/state/shared/a/"), Access::list).allowed);
  EXPECT_FALSE(set.check(prefix("/state/"), Access::list).allowed);
  EXPECT_FALSE(set.check(prefix("/"), Access::list).allowed);
}

TEST(RuleSet, GivesEachAccessByItself) {
  const RuleSet set = compiled({grant("/a/", static_cast<AccessMask>(Access::get)), grant("/a/b/", static_cast<AccessMask>(Access::put))});
  EXPECT_EQ(set.check(key("/a/b/c"), Access::get), (Verdict{true, 1}));
  EXPECT_EQ(set.check(key("/a/b/c"), Access::put), (Verdict{true, 2}));
  EXPECT_EQ(set.check(key("/a/b/c"), Access::del), (Verdict{false, 0}));
  EXPECT_EQ(set.check(key("/a/c"), Access::put), (Verdict{false, 0}));
}

TEST(RuleSet, LetsADenyWinWhereverItStands) {
  const std::vector<std::vector<Rule>> orders{{grant("/a/"), deny("/a/b/"), grant("/a/b/c/")},
                                              {deny("/a/b/"), grant("/a/b/c/"), grant("/a/")},
                                              {grant("/a/b/c/"), grant("/a/"), deny("/a/b/")}};
  for (const std::vector<Rule>& rules : orders) {
    const RuleSet set = compiled(rules);
    EXPECT_TRUE(set.check(key("/a/x"), Access::put).allowed);
    EXPECT_FALSE(set.check(key("/a/b/x"), Access::put).allowed);
    EXPECT_FALSE(set.check(key("/a/b/c/x"), Access::put).allowed) << "a narrower grant does not undo a deny";
    EXPECT_TRUE(set.check(key("/a/b"), Access::put).allowed) << "the key beside the denied subtree";
  }
}

TEST(RuleSet, NamesTheWidestDeniedSubtreeToSeekPast) {
  const RuleSet set = compiled({grant("/a/"), deny("/a/b/c/"), deny("/a/b/", static_cast<AccessMask>(Access::list))});
  EXPECT_EQ(set.denied_subtree_of(key("/a/b/c/x"), Access::list), "/a/b/");
  EXPECT_EQ(set.denied_subtree_of(key("/a/b/c/x"), Access::get), "/a/b/c/");
  EXPECT_EQ(set.denied_subtree_of(key("/a/b/x"), Access::get), "");
  EXPECT_EQ(set.denied_subtree_of(key("/a/x"), Access::list), "");
}

TEST(RuleSet, RefusesAGrantAtOrUnderAReservedSubtree) {
  for (const std::string subtree : {"/state/keystore/", "/state/boot/", "/state/keystore/a/", "/state/boot/a/b/"}) {
    for (const Access access : every_access) {
      EXPECT_EQ(refusal({grant(subtree, static_cast<AccessMask>(access))}), PolicyError::reserved_subtree) << subtree;
    }
    EXPECT_TRUE(RuleSet::compile(std::vector<Rule>{deny(subtree)}).ok()) << "denying it again is no mistake";
  }
  EXPECT_TRUE(RuleSet::compile(std::vector<Rule>{grant("/state/bootX/"), grant("/boot/")}).ok());
}

TEST(RuleSet, CarvesReservedSubtreesOutOfAWiderGrant) {
  for (const std::string subtree : {"/", "/state/"}) {
    const RuleSet set = compiled({grant(subtree)});
    for (const Access access : every_access) {
      EXPECT_TRUE(set.check(key("/state/a"), access).allowed);
      EXPECT_EQ(set.check(key("/state/keystore/a"), access), (Verdict{false, reserved_rule}));
      EXPECT_EQ(set.check(key("/state/boot/a/b/c"), access), (Verdict{false, reserved_rule}));
      EXPECT_EQ(set.check(prefix("/state/boot/"), access), (Verdict{false, reserved_rule}));
      EXPECT_EQ(set.denied_subtree_of(key("/state/keystore/a"), access), "/state/keystore/");
    }
  }
}

TEST(RuleSet, RefusesRulesThatSayNothingOrTooMuch) {
  EXPECT_EQ(refusal({grant("/a")}), PolicyError::bad_subtree);
  EXPECT_EQ(refusal({grant("")}), PolicyError::bad_subtree);
  EXPECT_EQ(refusal({grant("a/")}), PolicyError::bad_subtree);
  EXPECT_EQ(refusal({deny("/a/../")}), PolicyError::bad_subtree);
  EXPECT_EQ(refusal({grant("/" + std::string(254, 'a') + "/")}), PolicyError::bad_subtree);
  EXPECT_EQ(refusal({grant("/a/", 0)}), PolicyError::no_access);
  EXPECT_EQ(refusal({grant("/a/", 16)}), PolicyError::no_access);
  EXPECT_TRUE(RuleSet::compile(std::vector<Rule>(limits::rules_per_peer_max, grant("/a/"))).ok());
  EXPECT_EQ(refusal(std::vector<Rule>(limits::rules_per_peer_max + 1, grant("/a/"))), PolicyError::too_many_rules);
}

// Every choice of {nothing, grant, deny} for each subtree of a tree of six, in two orders, against every key of it.
TEST(RuleSet, AgreesWithANaiveEvaluationOfEveryPolicyOverATinyTree) {
  const std::vector<std::string> subtrees{"/", "/a/", "/a/b/", "/a/b/c/", "/a/c/", "/ab/"};
  const std::vector<std::string> texts{"/a",     "/ab",    "/b",   "/a/b",  "/a/b/c", "/a/b/c/d", "/a/c/x", "/ab/x", "/ab/b/c",
                                       "/a/bb/x", "/", "/a/", "/a/b/", "/a/b/c/", "/a/b/c/d/", "/ab/", "/a/bb/", "/state/boot/x"};
  std::size_t allowed = 0;
  std::size_t denied = 0;
  for (unsigned choice = 0; choice < 2 * 729; ++choice) {
    std::vector<Rule> rules;
    unsigned rest = choice / 2;
    for (const std::string& subtree : subtrees) {
      // Each subtree asks for another access too, so that accesses are told apart.
      const auto access = static_cast<AccessMask>(1 + rules.size() + 4 * (rest % 2));
      if (rest % 3 != 0) rules.push_back({subtree, access, rest % 3 == 2});
      rest /= 3;
    }
    if (choice % 2 == 1) std::reverse(rules.begin(), rules.end());
    const RuleSet set = compiled(rules);
    const std::vector<naive::Rule> naive = naive_rules(rules);
    for (const std::string& text : texts) {
      for (const Access access : every_access) {
        ASSERT_TRUE(agrees(set, naive, text, access)) << "choice " << choice << ", " << text;
        ++(naive::evaluate(naive, text, static_cast<std::uint8_t>(access)).allowed ? allowed : denied);
      }
    }
  }
  EXPECT_GT(allowed, 1'000u);
  EXPECT_GT(denied, 1'000u);
}

TEST(RuleSet, AgreesWithANaiveEvaluationForAnyNumberOfRules) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{8}, std::size_t{64}, limits::rules_per_peer_max}) {
    std::vector<Rule> rules;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string subtree = "/state/shared/" + std::string(i % 120, 'n') + std::to_string(i / 2) + (i % 2 == 0 ? "/" : "/inner/");
      rules.push_back({subtree, static_cast<AccessMask>(1 + i % 15), i % 5 == 4});
    }
    const RuleSet set = compiled(rules);
    const std::vector<naive::Rule> naive = naive_rules(rules);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string subtree = rules[i].subtree;
      for (const std::string& text : {subtree, subtree + "k", subtree + "inner/k", subtree.substr(0, subtree.size() - 1),
                                     "/state/shared/x" + subtree}) {
        for (const Access access : every_access) ASSERT_TRUE(agrees(set, naive, text, access)) << count << " " << text;
      }
    }
  }
}

PublicKey peer(std::uint8_t number) {
  PublicKey key;
  key.bytes.fill(number);
  return key;
}
PolicySource source_of(std::initializer_list<std::uint8_t> peers) {
  PolicySource source;
  for (const std::uint8_t number : peers) source.peers.push_back({peer(number), "peer-" + std::to_string(number)});
  return source;
}
Policy created(const PolicySource& source) {
  Result<Policy, PolicyError> policy = Policy::create(source);
  EXPECT_TRUE(policy.ok());
  return std::move(policy).value();
}
PolicyError refusal(const PolicySource& source) { return Policy::create(source).error(); }

TEST(Policy, GivesAnEnrolledPeerTheSharedSubtreeByDefault) {
  const Policy policy = created(source_of({2, 1}));
  ASSERT_NE(policy.find(peer(1)), nullptr);
  EXPECT_EQ(policy.find(peer(1))->alias, "peer-1");
  EXPECT_EQ(policy.find(peer(3)), nullptr);
  const RuleSet& rules = policy.find(peer(2))->rules;
  for (const Access access : every_access) {
    EXPECT_TRUE(rules.check(key("/state/shared/a"), access).allowed);
    EXPECT_FALSE(rules.check(key("/state/a"), access).allowed);
    EXPECT_FALSE(rules.check(key("/state/boot/a"), access).allowed);
  }
  EXPECT_EQ(policy.peers().size(), 2u);
  EXPECT_EQ(policy.peers()[0].key, peer(1));
}

TEST(Policy, ReplacesTheDefaultByAPeersOwnRules) {
  PolicySource source = source_of({1, 2, 3});
  source.default_rules = {grant("/state/d/")};
  source.entries.push_back({peer(1), std::vector<Rule>{grant("/state/own/")}, std::nullopt});
  source.entries.push_back({peer(2), std::vector<Rule>{}, std::nullopt});
  const Policy policy = created(source);
  const auto may_get = [&](std::uint8_t number, std::string_view text) {
    return policy.find(peer(number))->rules.check(key(text), Access::get).allowed;
  };
  EXPECT_TRUE(may_get(1, "/state/own/a"));
  EXPECT_FALSE(may_get(1, "/state/d/a"));
  EXPECT_FALSE(may_get(2, "/state/d/a")) << "no rules is a list of its own";
  EXPECT_TRUE(may_get(3, "/state/d/a"));
  EXPECT_FALSE(may_get(3, "/state/shared/a"));
}

TEST(Policy, SharesTheStoreEvenlyAmongPeersWithoutAQuota) {
  PolicySource source = source_of({1, 2, 3});
  source.store = {1'000, 100};
  EXPECT_EQ(created(source).find(peer(2))->quota, (Quota{333, 33}));
  source.entries.push_back({peer(1), std::nullopt, Quota{600, 10}});
  EXPECT_EQ(created(source).find(peer(1))->quota, (Quota{600, 10}));
  EXPECT_EQ(created(source).find(peer(2))->quota, (Quota{200, 45}));
  source.default_quota = Quota{200, 45};
  EXPECT_EQ(created(source).find(peer(3))->quota, (Quota{200, 45}));
}

TEST(Policy, RefusesQuotasThatDoNotFitTheStore) {
  PolicySource source = source_of({1, 2});
  source.store = {1'000, 100};
  source.default_quota = Quota{500, 50};
  EXPECT_TRUE(Policy::create(source).ok());
  source.default_quota = Quota{501, 50};
  EXPECT_EQ(refusal(source), PolicyError::quota_over_store);
  source.default_quota = Quota{500, 51};
  EXPECT_EQ(refusal(source), PolicyError::quota_over_store);
  source.default_quota = Quota{~std::uint64_t{0}, 1};  // a sum that wraps around
  EXPECT_EQ(refusal(source), PolicyError::quota_over_store);
  source.default_quota.reset();
  source.entries.push_back({peer(1), std::nullopt, Quota{1'000, 1}});
  EXPECT_EQ(refusal(source), PolicyError::quota_over_store) << "nothing would be left for the other";
  source.entries[0].quota = Quota{999, 1};
  EXPECT_TRUE(Policy::create(source).ok());
}

TEST(Policy, RefusesPeersThatCannotBeToldApart) {
  PolicySource source = source_of({1, 2});
  source.peers[1].alias = source.peers[0].alias;
  EXPECT_EQ(refusal(source), PolicyError::duplicate_alias);
  source.peers[0].alias = source.peers[1].alias = "";
  EXPECT_TRUE(Policy::create(source).ok()) << "no alias is not an alias";
  source.peers[1].key = source.peers[0].key;
  EXPECT_EQ(refusal(source), PolicyError::duplicate_peer);

  source = source_of({1, 2});
  source.entries = {{peer(1), std::nullopt, std::nullopt}, {peer(1), std::nullopt, std::nullopt}};
  EXPECT_EQ(refusal(source), PolicyError::duplicate_peer);
  source.entries = {{peer(3), std::nullopt, std::nullopt}};
  EXPECT_EQ(refusal(source), PolicyError::unknown_peer);
}

TEST(Policy, TakesAsManyPeersAsTheLimitAndNoMore) {
  PolicySource source;
  for (std::size_t i = 0; i < limits::enrolled_peers_max; ++i) source.peers.push_back({peer(static_cast<std::uint8_t>(i)), ""});
  EXPECT_EQ(created(source).peers().size(), limits::enrolled_peers_max);
  source.peers.push_back({peer(255), ""});
  EXPECT_EQ(refusal(source), PolicyError::too_many_peers);
}

TEST(Policy, RefusesARuleOfThePeersOrTheDefault) {
  PolicySource source = source_of({1});
  source.default_rules = {grant("/state/boot/")};
  EXPECT_EQ(refusal(source), PolicyError::reserved_subtree);
  source.default_rules = {};
  source.entries.push_back({peer(1), std::vector<Rule>{grant("/a")}, std::nullopt});
  EXPECT_EQ(refusal(source), PolicyError::bad_subtree);
}

TEST(Policy, TakesAnAliasThatReadsAsOneWord) {
  EXPECT_TRUE(is_alias("a"));
  EXPECT_TRUE(is_alias("Living-room_2.sensor"));
  EXPECT_TRUE(is_alias(std::string(limits::alias_size_max, 'a')));
  EXPECT_FALSE(is_alias(std::string(limits::alias_size_max + 1, 'a')));
  for (const std::string text : {"", " ", "a b", "a=b", "a\n", "\xc3\xa9", "a/b", "\""}) EXPECT_FALSE(is_alias(text)) << text;
  PolicySource source = source_of({1});
  source.peers[0].alias = "a b";
  EXPECT_EQ(refusal(source), PolicyError::bad_alias);
}

TEST(Policy, HasTheDigestOfItsTextAsVersion) {
  const Policy policy = created(source_of({1}));
  EXPECT_EQ(policy.version(), Sha256().of(as_bytes(policy.text())));
  EXPECT_EQ(policy.text(),
            "[[peer]]\nkey = \"0101010101010101010101010101010101010101010101010101010101010101\"\n"
            "quota = { value_bytes = 67108864, keys = 1048576 }\n"
            "rules = [\n  { grant = \"/state/shared/\", access = [\"put\", \"get\", \"delete\", \"list\"] },\n]\n");
}

TEST(Policy, ChangesItsVersionWithWhatDecidesAndWithNothingElse) {
  const PolicySource base = source_of({1, 2});
  const Digest version = created(base).version();
  PolicySource same = source_of({2, 1});
  same.peers[0].alias = "renamed";
  same.entries.push_back({peer(1), base.default_rules, std::nullopt});
  EXPECT_EQ(created(same).version(), version);

  std::vector<PolicySource> others(6, base);
  others[0].peers.pop_back();
  others[1].default_rules[0].access = 7;
  others[2].default_rules[0].deny = true;
  others[3].default_rules[0].subtree = "/state/shared/x/";
  others[4].entries.push_back({peer(1), std::nullopt, Quota{1, 1}});
  others[5].default_rules.push_back(others[5].default_rules[0]);
  for (std::size_t i = 0; i < others.size(); ++i) EXPECT_NE(created(others[i]).version(), version) << i;
}

}  // namespace
}  // namespace statefs
