// KEY POLICY: any rules and any bytes as a key; core and a naive checker that shares no code with it must agree on
// everything, and nothing outside a grant is ever allowed.
//
// Input, so that a corpus file can be read and written by hand: lines `+A/subtree/` (grant) or `-A/subtree/` (deny),
// A the accesses as one hexadecimal digit; the first line of another form and all after it is the key.
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/check.h"
#include "core/limits.h"
#include "core/policy.h"
#include "fuzz/naive_key_policy.h"

namespace {

using namespace statefs;

struct Input {
  std::vector<Rule> rules;
  std::string_view key;
};

Input input_of(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  Input input;
  while (text.size() >= 2 && (text[0] == '+' || text[0] == '-') && digits.find(text[1]) != std::string_view::npos) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    input.rules.push_back({std::string(text.substr(2, end - 2)), static_cast<AccessMask>(digits.find(text[1])), text[0] == '-'});
    text.remove_prefix(end + 1);
  }
  input.key = text;
  return input;
}

bool is_takeable(const std::vector<Rule>& rules) {
  for (const Rule& rule : rules) {
    if (naive::judge(rule.subtree, true) != naive::KeyVerdict::well_formed || rule.access == 0) return false;
    if (!rule.deny && naive::is_reserved(rule.subtree)) return false;
  }
  return rules.size() <= limits::rules_per_peer_max;
}

template <typename Checked>
void expect_same(const Result<Checked, KeyError>& answer, naive::KeyVerdict expected) {
  STATEFS_CHECK(answer.ok() == (expected == naive::KeyVerdict::well_formed));
  if (!answer.ok()) STATEFS_CHECK((answer.error() == KeyError::too_long) == (expected == naive::KeyVerdict::too_long));
}

void expect_inside_a_grant(const Verdict& verdict, const std::vector<naive::Rule>& rules, std::string_view text, std::uint8_t access) {
  if (!verdict.allowed) return;
  STATEFS_CHECK(!naive::is_reserved(text));
  STATEFS_CHECK(verdict.rule >= 1 && verdict.rule <= rules.size());
  const naive::Rule& rule = rules[verdict.rule - 1u];
  STATEFS_CHECK(!rule.deny && (rule.access & access) != 0 && text.starts_with(rule.subtree));
}

template <typename Checked>
void compare(const RuleSet& set, const std::vector<naive::Rule>& rules, const Checked& checked) {
  for (const Access access : {Access::put, Access::get, Access::del, Access::list}) {
    const auto bit = static_cast<std::uint8_t>(access);
    const naive::Verdict expected = naive::evaluate(rules, checked.text(), bit);
    const Verdict verdict = set.check(checked, access);
    STATEFS_CHECK(verdict.allowed == expected.allowed && verdict.rule == expected.rule);
    expect_inside_a_grant(verdict, rules, checked.text(), bit);
    if constexpr (std::is_same_v<Checked, CanonicalKey>) {
      STATEFS_CHECK(set.denied_subtree_of(checked, access) == naive::widest_deny(rules, checked.text(), bit));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Input input = input_of({reinterpret_cast<const char*>(data), size});
  const Result<CanonicalKey, KeyError> key = CanonicalKey::from(as_bytes(input.key));
  const Result<CanonicalPrefix, KeyError> prefix = CanonicalPrefix::from(as_bytes(input.key));
  expect_same(key, naive::judge(input.key, false));
  expect_same(prefix, naive::judge(input.key, true));

  const Result<RuleSet, PolicyError> set = RuleSet::compile(input.rules);
  STATEFS_CHECK(set.ok() == is_takeable(input.rules));
  if (!set.ok()) return 0;
  std::vector<naive::Rule> rules;
  for (const Rule& rule : input.rules) rules.push_back({rule.subtree, rule.access, rule.deny});
  if (key.ok()) compare(set.value(), rules, key.value());
  if (prefix.ok()) compare(set.value(), rules, prefix.value());
  return 0;
}
