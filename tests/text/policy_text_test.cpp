#include "os/text/policy_text.h"

#include <string>

#include "os/text/text_values.h"

namespace statefs {
namespace {

const std::string key_a(64, 'a');
const std::string key_b(64, 'b');
const std::vector<EnrolledPeer> peers{{*key_of_hex(key_a), "kitchen"}, {*key_of_hex(key_b), "hall"}};
constexpr Quota store{1'000'000, 1'000};

PolicyText parsed(const std::string& text) {
  Result<PolicyText, TextError> policy = parse_policy(text);
  EXPECT_TRUE(policy.ok()) << line_of(policy.error(), "policy");
  return std::move(policy).value();
}
Policy built(const std::string& text) {
  Result<Policy, TextError> policy = build_policy(parsed(text), peers, store);
  EXPECT_TRUE(policy.ok()) << line_of(policy.error(), "policy");
  return std::move(policy).value();
}
std::string refusal(const std::string& text) {
  const Result<PolicyText, TextError> policy = parse_policy(text);
  EXPECT_FALSE(policy.ok()) << text;
  return policy.ok() ? "" : line_of(policy.error(), "policy");
}
std::string build_refusal(const std::string& text) {
  const Result<Policy, TextError> policy = build_policy(parsed(text), peers, store);
  EXPECT_FALSE(policy.ok()) << text;
  return policy.ok() ? "" : line_of(policy.error(), "policy");
}
bool allows(const Policy& policy, const std::string& peer, std::string_view key, Access access) {
  return policy.find(*key_of_hex(peer))->rules.check(CanonicalKey::from(as_bytes(key)).value(), access).allowed;
}

TEST(PolicyText, MakesTheDefaultPolicyOfAnEmptyFile) {
  for (const std::string text : {"", "# nothing\n", "[default]\n"}) {
    const Policy policy = built(text);
    EXPECT_TRUE(allows(policy, key_a, "/state/shared/a", Access::put));
    EXPECT_FALSE(allows(policy, key_a, "/state/a", Access::get));
    EXPECT_EQ(policy.find(*key_of_hex(key_b))->quota, (Quota{500'000, 500}));
  }
}

TEST(PolicyText, ReadsTheExampleOfItsHeader) {
  const Policy policy = built(R"(
[default]
rules = [
  { grant = "/state/shared/", access = ["put", "get", "delete", "list"] },
  { deny = "/state/shared/locked/", access = ["put", "delete"] },
  { deny = "/state/shared/secret/" },
]
quota = { value_bytes = "64KiB", keys = 100 }

[[peer]]
alias = "kitchen"
rules = []
)");
  EXPECT_TRUE(allows(policy, key_b, "/state/shared/a", Access::del));
  EXPECT_TRUE(allows(policy, key_b, "/state/shared/locked/a", Access::get));
  EXPECT_FALSE(allows(policy, key_b, "/state/shared/locked/a", Access::put));
  EXPECT_FALSE(allows(policy, key_b, "/state/shared/secret/a", Access::get));
  EXPECT_FALSE(allows(policy, key_a, "/state/shared/a", Access::get));
  EXPECT_EQ(policy.find(*key_of_hex(key_a))->quota, (Quota{65'536, 100}));
}

TEST(PolicyText, TakesRulesAsSectionsAndAPeerByKey) {
  const Policy policy = built("[[peer]]\nkey = '" + std::string(64, 'B') + "'\nquota = { value_bytes = 10, keys = 2 }\n" +
                              "[[peer.rules]]\ngrant = '/state/b/'\naccess = ['get']\n[[peer.rules]]\ndeny = '/state/b/c/'\n");
  EXPECT_TRUE(allows(policy, key_b, "/state/b/a", Access::get));
  EXPECT_FALSE(allows(policy, key_b, "/state/b/a", Access::put));
  EXPECT_FALSE(allows(policy, key_b, "/state/b/c/a", Access::get));
  EXPECT_EQ(policy.find(*key_of_hex(key_b))->quota, (Quota{10, 2}));
}

TEST(PolicyText, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(refusal("[default]\nrules = [\n  { grant = \"/state/shared/\", access = [\"putt\"] },\n]"),
            "policy:3:41: access \"putt\" does not exist: use \"put\", \"get\", \"delete\" or \"list\"");
  EXPECT_EQ(refusal("[default]\nrules = [ { grant = \"/state/boot/x/\", access = [\"get\"] } ]"),
            "policy:2:21: subtree \"/state/boot/x/\" is reserved: no file can grant it to a remote peer, remove the rule");
  EXPECT_EQ(refusal("[defaults]\n"), "policy:1:2: policy has no \"defaults\": use [default] or [[peer]]");
  EXPECT_EQ(refusal("[default]\nquota = { value_bytes = -1, keys = 1 }"),
            "policy:2:25: value_bytes is no size: write bytes such as 65536, or \"64KiB\", \"4MiB\"");
  EXPECT_EQ(refusal("[default]\nrules = [ { grant = '/a/' } ]"), "policy:2:11: grant of \"/a/\" has no access: add access = [\"get\", ...]");
  EXPECT_EQ(refusal("\n[[peer]]\nrules = []\n"), "policy:2:1: peer is not named: add key = \"...\" or alias = \"...\"");
  EXPECT_EQ(refusal("a = \n"), "policy:1:5: not TOML (expected value, saw '\\n'): correct this line");
}

TEST(PolicyText, RefusesEveryOtherShape) {
  const std::string rule = "[default]\nrules = ";
  for (const std::string text : {
           "peer = 1", "[peer]\nalias = 'a'", "[[default]]", "default = 1", "[default]\nx = 1", "[[peer]]\nalias = 'a'\nx = 1",
           "[[peer]]\nalias = 'a b'", "[[peer]]\nalias = 1", "[[peer]]\nkey = 'aa'", "[[peer]]\nkey = 1", "peer = [1]",
           "[default]\nquota = 1", "[default]\nquota = { keys = 1 }", "[default]\nquota = { value_bytes = 1 }",
           "[default]\nquota = { value_bytes = 1, keys = 1, x = 1 }", "[default]\nquota = { value_bytes = '1KB', keys = 1 }",
           "[default]\nquota = { value_bytes = 1.5, keys = 1 }", "[default]\nquota = { value_bytes = 1, keys = '1' }",
       }) {
    EXPECT_EQ(refusal(text).substr(0, 7), "policy:") << text;
  }
  for (const std::string rules : {
           "1", "[1]", "[[]]", "[{}]", "[{ access = ['get'] }]", "[{ grant = 1, access = ['get'] }]",
           "[{ grant = '/a/', deny = '/b/', access = ['get'] }]",
           "[{ grant = '/a/', access = 'get' }]", "[{ grant = '/a/', access = [] }]", "[{ grant = '/a/', access = [1] }]",
           "[{ grant = '/a/', access = ['GET'] }]", "[{ grant = '/a/', access = ['get', 'get'] }]", "[{ grant = '/a', access = ['get'] }]",
           "[{ grant = '', access = ['get'] }]", "[{ grant = '/../', access = ['get'] }]", "[{ deny = '/a' }]", "[{ deny = '/a/', x = 1 }]",
           "[{ grant = \"/\\u202e/\", access = ['get'] }]", "[{ grant = '/state/keystore/', access = ['get'] }]",
       }) {
    EXPECT_EQ(refusal(rule + rules).substr(0, 9), "policy:2:") << rules;
  }
}

TEST(PolicyText, RefusesTwoSectionsForOnePeer) {
  const std::string by_alias = "[[peer]]\nalias = 'kitchen'\n";
  const std::string by_key = "[[peer]]\nkey = '" + key_a + "'\n";
  EXPECT_EQ(refusal(by_alias + by_alias), "policy:3:1: peer is on line 1 already: make one section of both");
  EXPECT_EQ(refusal(by_key + by_key), "policy:3:1: peer is on line 1 already: make one section of both");
  EXPECT_EQ(build_refusal(by_alias + by_key), "policy:3:1: peer has another section under its key or alias: make one of both");
}

TEST(PolicyText, RefusesAPeerThatIsNotEnrolled) {
  EXPECT_EQ(build_refusal("\n[[peer]]\nalias = 'attic'\n"),
            "policy:2:1: peer with alias \"attic\" is not enrolled: add it to the peers file or remove this section");
  EXPECT_NE(build_refusal("[[peer]]\nkey = '" + std::string(64, 'c') + "'\n").find("is not enrolled"), std::string::npos);
}

TEST(PolicyText, RefusesQuotasThatDoNotFitTheStore) {
  EXPECT_EQ(built("[default]\nquota = { value_bytes = 500_000, keys = 500 }\n").peers()[0].policy.quota, (Quota{500'000, 500}));
  EXPECT_EQ(build_refusal("[default]\nquota = { value_bytes = 500_001, keys = 500 }\n").substr(0, 21), "policy:2:9: quotas of");
}

TEST(PolicyText, BoundsRulesAndPeers) {
  std::string rules = "[default]\nrules = [\n";
  for (std::size_t i = 0; i < limits::rules_per_peer_max; ++i) rules += "{ deny = '/a/' },\n";
  EXPECT_EQ(parsed(rules + "]").defaults.rules->size(), limits::rules_per_peer_max);
  EXPECT_NE(refusal(rules + "{ deny = '/a/' } ]").find("rules has more than"), std::string::npos);
  std::string entries;
  for (std::size_t i = 0; i < limits::enrolled_peers_max; ++i) entries += "[[peer]]\nalias = 'p" + std::to_string(i) + "'\n";
  EXPECT_EQ(parsed(entries).entries.size(), limits::enrolled_peers_max);
  EXPECT_NE(refusal(entries + "[[peer]]\nalias = 'q'\n").find("peers: remove some"), std::string::npos);
}

TEST(PolicyText, RendersOneFormThatReadsBackTheSame) {
  const std::string text = "[[peer]]\nalias='kitchen'\nrules=[{deny='/a\"b/'}]\n[default]\nquota={keys=1,value_bytes='1KiB'}";
  const std::string rendered = render_policy(parsed(text));
  EXPECT_EQ(rendered,
            "[default]\nquota = { value_bytes = 1024, keys = 1 }\n[[peer]]\nalias = \"kitchen\"\nrules = [\n"
            "  { deny = \"/a\\\"b/\", access = [\"put\", \"get\", \"delete\", \"list\"] },\n]\n");
  EXPECT_EQ(render_policy(parsed(rendered)), rendered);
}

TEST(PolicyText, ReadsTheCanonicalTextOfAPolicyAsThatPolicy) {
  const Policy policy = built("[default]\nrules=[{grant='/a/b\"c/',access=['list','get']},{deny='/a/'}]\n[[peer]]\nalias='hall'\nrules=[]\n");
  const Policy again = built(policy.text());
  EXPECT_EQ(again.version(), policy.version());
  EXPECT_EQ(again.text(), policy.text());
}

TEST(PolicyText, GivesRulesForAPeerThatIsNotEnrolled) {
  const PolicyText text = parsed("[default]\nrules=[{grant='/d/',access=['get']}]\n[[peer]]\nkey='" + key_a +
                                 "'\nrules=[{grant='/a/',access=['get']}]\n");
  EXPECT_EQ(rules_for(text, std::nullopt).rules()[0].subtree, "/d/");
  EXPECT_EQ(rules_for(text, key_of_hex(key_b)).rules()[0].subtree, "/d/");
  EXPECT_EQ(rules_for(text, key_of_hex(key_a)).rules()[0].subtree, "/a/");
  EXPECT_EQ(rules_for(PolicyText{}, std::nullopt).rules()[0].subtree, shared_subtree);
}

}  // namespace
}  // namespace statefs
