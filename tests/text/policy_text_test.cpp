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
  EXPECT_EQ(refusal("[defaults]\n"), "policy:1:2: policy has no \"defaults\": use [default], [[peer]] or [[local]]");
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

// With uid 1 as the daemon's own.
Policy built_with_door(const std::string& text) {
  const std::uint32_t owners[] = {0, 1};
  Result<Policy, TextError> policy = build_policy(parsed(text), peers, store, owners);
  EXPECT_TRUE(policy.ok()) << line_of(policy.error(), "policy");
  return std::move(policy).value();
}
bool allows_uid(const Policy& policy, std::uint32_t uid, std::string_view key, Access access) {
  const PeerPolicy* const local = policy.find_local(uid);
  return local != nullptr && local->rules.check(CanonicalKey::from(as_bytes(key)).value(), access).allowed;
}
constexpr const char* a_reader = "[[local]]\nuid = 1000\nrules = [ { grant = \"/state/keystore/\", access = [\"get\"] } ]\n";

TEST(PolicyText, LetsRootAndTheDaemonsUserInWhereTheDoorIsOpen) {
  const Policy policy = built_with_door("");
  for (const std::uint32_t uid : {0u, 1u}) {
    EXPECT_TRUE(allows_uid(policy, uid, "/state/boot/a", Access::put));
    EXPECT_FALSE(allows_uid(policy, uid, "/other", Access::put));
  }
  EXPECT_EQ(policy.find_local(2), nullptr);
  EXPECT_EQ(built("").find_local(0), nullptr) << "the door is shut";
  EXPECT_EQ(built(a_reader).find_local(1000), nullptr);
  EXPECT_EQ(built(a_reader).version(), built("").version());
  EXPECT_NE(policy.version(), built("").version());
}

TEST(PolicyText, GivesALocalUidItsSection) {
  const Policy policy = built_with_door(a_reader);
  EXPECT_TRUE(allows_uid(policy, 1000, "/state/keystore/a", Access::get)) << "nothing is reserved from a uid";
  EXPECT_FALSE(allows_uid(policy, 1000, "/state/keystore/a", Access::put));
  EXPECT_FALSE(allows_uid(policy, 1000, "/state/shared/a", Access::get)) << "the default is of remote peers";
  EXPECT_EQ(policy.locals().size(), 3u);
  EXPECT_FALSE(allows(policy, key_a, "/state/keystore/a", Access::get));
  EXPECT_FALSE(allows_uid(built_with_door("[[local]]\nuid = 0\nrules = []\n"), 0, "/state/a", Access::get));
}

TEST(PolicyText, SharesTheStoreAmongPeersAndUids) {
  const Policy even = built_with_door("");
  EXPECT_EQ(even.find_local(0)->quota, (Quota{250'000, 250}));
  EXPECT_EQ(even.find(*key_of_hex(key_a))->quota, (Quota{250'000, 250}));
  const Policy named = built_with_door("[[local]]\nuid = 0\nrules = []\nquota = { value_bytes = 400000, keys = 400 }\n");
  EXPECT_EQ(named.find_local(0)->quota, (Quota{400'000, 400}));
  EXPECT_EQ(named.find_local(1)->quota, (Quota{200'000, 200}));
}

TEST(PolicyText, SaysWhatIsWrongWithALocalSection) {
  const std::string rules = "rules = []\n";
  EXPECT_EQ(refusal("[local]\nuid = 1\n"), "policy:1:1: local is a table: write [[local]] with two brackets");
  EXPECT_NE(refusal("[[local]]\nuid = -1\n" + rules).find("uid is no user's"), std::string::npos);
  EXPECT_NE(refusal("[[local]]\nuid = 4294967295\n" + rules).find("uid is no user's"), std::string::npos);
  EXPECT_NE(refusal("[[local]]\nuid = \"root\"\n" + rules).find("uid is no user's"), std::string::npos);
  EXPECT_NE(refusal("[[local]]\nuid = 1\n").find("local has no rules"), std::string::npos);
  EXPECT_NE(refusal("[[local]]\n" + rules).find("local is not named"), std::string::npos);
  EXPECT_NE(refusal("[[local]]\nuid = 1\nalias = \"a\"\n" + rules).find("local has no"), std::string::npos);
  EXPECT_NE(refusal("[[local]]\nuid = 1\n" + rules + "[[local]]\nuid = 1\n" + rules).find("uid is on line 1 already"), std::string::npos);
  EXPECT_TRUE(parse_policy("[[local]]\nuid = 4294967294\n" + rules).ok());
}

TEST(PolicyText, BoundsLocalUids) {
  std::string text;
  for (std::size_t i = 0; i < limits::local_uids_max; ++i) text += "[[local]]\nuid = " + std::to_string(i + 10) + "\nrules = []\n";
  EXPECT_TRUE(parse_policy(text).ok());
  const std::uint32_t owners[] = {0, 1};
  EXPECT_FALSE(build_policy(parsed(text), peers, store, owners).ok()) << "two more with root and the daemon's own";
  const std::uint32_t known[] = {10, 11};
  EXPECT_TRUE(build_policy(parsed(text), peers, store, known).ok());
  EXPECT_NE(refusal(text + "[[local]]\nuid = 1\nrules = []\n").find("uids: remove some"), std::string::npos);
}

TEST(PolicyText, RendersLocalSections) {
  const std::string once = render_policy(parsed(a_reader));
  EXPECT_NE(once.find("[[local]]\nuid = 1000\n"), std::string::npos);
  EXPECT_EQ(render_policy(parsed(once)), once);
  const Policy policy = built_with_door(a_reader);
  const Result<Policy, TextError> own = build_policy(parsed(policy.text()), peers, store, std::vector<std::uint32_t>{0, 1});
  ASSERT_TRUE(own.ok());
  EXPECT_EQ(own.value().version(), policy.version());
}

TEST(PolicyText, GivesRulesForAUid) {
  const PolicyText text = parsed(a_reader);
  const CanonicalKey key = CanonicalKey::from(as_bytes("/state/keystore/a")).value();
  EXPECT_TRUE(rules_for_uid(text, 1000).check(key, Access::get).allowed);
  EXPECT_FALSE(rules_for_uid(text, 1001).check(key, Access::get).allowed);
}

}  // namespace
}  // namespace statefs
