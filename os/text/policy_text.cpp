#include "os/text/policy_text.h"

#include <algorithm>
#include <array>

#include "core/limits.h"
#include "os/text/text_values.h"
#include "os/text/toml_tree.h"

namespace statefs {
namespace {

template <typename T>
using Read = Result<T, TextError>;
using Kind = TomlValue::Kind;

constexpr std::array<std::string_view, 4> access_names{"put", "get", "delete", "list"};  // in the order of their bits

TextError wrong_kind(std::string_view name, std::string_view wanted, const TomlValue& value) {
  return {value.place, std::string(name) + " is " + std::string(name_of(value.kind)) + ": write " + std::string(wanted)};
}
TextError unknown_name(std::string_view where, const TomlMember& member, std::string_view known) {
  return {member.place, std::string(where) + " has no " + quoted(member.name) + ": use " + std::string(known)};
}

Read<AccessMask> read_access(const TomlValue& value) {
  if (value.kind != Kind::array) return wrong_kind("access", "an array such as [\"get\", \"list\"]", value);
  unsigned mask = 0;
  for (const TomlValue& item : value.items) {
    const auto at = std::find(access_names.begin(), access_names.end(), item.text);
    if (item.kind != Kind::text || at == access_names.end()) {
      const std::string shown = item.kind == Kind::text ? quoted(item.text) : std::string(name_of(item.kind));
      return TextError{item.place, "access " + shown + " does not exist: use \"put\", \"get\", \"delete\" or \"list\""};
    }
    const unsigned bit = 1u << (at - access_names.begin());
    if ((mask & bit) != 0) return TextError{item.place, "access " + quoted(item.text) + " stands there twice: remove one"};
    mask |= bit;
  }
  if (mask == 0) return TextError{value.place, "access is empty: name at least one of \"put\", \"get\", \"delete\", \"list\""};
  return static_cast<AccessMask>(mask);
}

TextError rule_error(PolicyError error, const std::string& subtree, TextPlace place) {
  if (error == PolicyError::reserved_subtree) {
    return {place, "subtree " + quoted(subtree) + " is reserved: no file can grant it to a remote peer, remove the rule"};
  }
  return {place, "subtree " + quoted(subtree) + " is no prefix of keys: start and end it with \"/\", without empty, \".\" or \"..\" "
                     "segments, control characters or backslashes, in at most " + std::to_string(limits::key_size_max) + " bytes"};
}

Read<Rule> read_rule(const TomlValue& value, RulesFor whom) {
  if (value.kind != Kind::table) return wrong_kind("rule", "{ grant = \"/PREFIX/\", access = [...] }", value);
  Rule rule;
  const TomlMember* subtree = nullptr;
  for (const TomlMember& member : value.members) {
    if (member.name == "access") {
      Read<AccessMask> access = read_access(member.value);
      if (!access) return access.error();
      rule.access = access.value();
    } else if (member.name == "grant" || member.name == "deny") {
      if (subtree != nullptr) return TextError{member.place, "rule has both grant and deny: make two rules of it"};
      if (member.value.kind != Kind::text) return wrong_kind(member.name, "a subtree such as \"/state/shared/\"", member.value);
      subtree = &member;
      rule.subtree = member.value.text;
      rule.deny = member.name == "deny";
    } else {
      return unknown_name("rule", member, "grant or deny, and access");
    }
  }
  if (subtree == nullptr) return TextError{value.place, "rule has no subtree: add grant = \"/PREFIX/\" or deny = \"/PREFIX/\""};
  if (rule.access == 0) {
    if (!rule.deny) return TextError{value.place, "grant of " + quoted(rule.subtree) + " has no access: add access = [\"get\", ...]"};
    rule.access = access_all;
  }
  if (const std::optional<PolicyError> error = RuleSet::refusal_of(rule, whom)) {
    return rule_error(*error, rule.subtree, subtree->value.place);
  }
  return rule;
}

Read<std::vector<Rule>> read_rules(const TomlValue& value, RulesFor whom) {
  if (value.kind != Kind::array) return wrong_kind("rules", "an array of rules, [ { grant = ... }, ... ]", value);
  if (value.items.size() > limits::rules_per_peer_max) {
    return TextError{value.place, "rules has more than " + std::to_string(limits::rules_per_peer_max) + " entries: join some"};
  }
  std::vector<Rule> rules;
  for (const TomlValue& item : value.items) {
    Read<Rule> rule = read_rule(item, whom);
    if (!rule) return rule.error();
    rules.push_back(std::move(rule).value());
  }
  return rules;
}

Read<Quota> read_quota(const TomlValue& value) {
  if (value.kind != Kind::table) return wrong_kind("quota", "{ value_bytes = \"4MiB\", keys = 1000 }", value);
  Quota quota;
  bool has_bytes = false;
  bool has_keys = false;
  for (const TomlMember& member : value.members) {
    const bool is_bytes = member.name == "value_bytes";
    if (!is_bytes && member.name != "keys") return unknown_name("quota", member, "value_bytes and keys");
    std::optional<std::uint64_t> number;
    if (member.value.kind == Kind::integer && member.value.integer >= 0) number = static_cast<std::uint64_t>(member.value.integer);
    if (member.value.kind == Kind::text && is_bytes) number = size_of_text(member.value.text);
    if (!number) {
      return TextError{member.value.place, is_bytes ? "value_bytes is no size: write bytes such as 65536, or \"64KiB\", \"4MiB\""
                                                    : "keys is no count: write an integer, 0 or more"};
    }
    (is_bytes ? quota.value_bytes : quota.keys) = *number;
    (is_bytes ? has_bytes : has_keys) = true;
  }
  if (!has_bytes || !has_keys) {
    return TextError{value.place, std::string("quota has no ") + (has_bytes ? "keys" : "value_bytes") + ": name value_bytes and keys, both"};
  }
  return quota;
}

// Takes `rules` and `quota` into `section`; false for any other name.
Read<bool> read_section_member(const TomlMember& member, PolicyText::Section& section, RulesFor whom = RulesFor::remote) {
  if (member.name == "rules") {
    Read<std::vector<Rule>> rules = read_rules(member.value, whom);
    if (!rules) return rules.error();
    section.rules = std::move(rules).value();
    return true;
  }
  if (member.name == "quota") {
    const Read<Quota> quota = read_quota(member.value);
    if (!quota) return quota.error();
    section.quota = quota.value();
    section.quota_place = member.value.place;
    return true;
  }
  return false;
}

Read<PolicyText::Entry> read_entry(const TomlValue& value) {
  if (value.kind != Kind::table) return wrong_kind("peer", "a section that starts with [[peer]]", value);
  PolicyText::Entry entry;
  entry.place = value.place;
  for (const TomlMember& member : value.members) {
    const Read<bool> taken = read_section_member(member, entry.section);
    if (!taken) return taken.error();
    if (taken.value()) continue;
    if (member.name != "key" && member.name != "alias") return unknown_name("peer", member, "key or alias, rules, quota");
    if (member.value.kind != Kind::text) return wrong_kind(member.name, "a string", member.value);
    if (member.name == "alias") {
      entry.alias = member.value.text;
      if (!is_alias(entry.alias)) {
        return TextError{member.value.place, "alias " + quoted(entry.alias) + " is no name: use 1 to 32 of A-Z a-z 0-9 . _ -"};
      }
    } else {
      entry.key = key_of_hex(member.value.text);
      if (!entry.key) return TextError{member.value.place, "key " + quoted(member.value.text) + " is no peer's: write its 64 hexadecimal digits"};
    }
  }
  if (entry.key.has_value() != entry.alias.empty()) {
    return TextError{value.place, entry.key ? "peer has both key and alias: keep one" : "peer is not named: add key = \"...\" or alias = \"...\""};
  }
  return entry;
}

std::optional<TextError> read_entries(const TomlValue& value, std::vector<PolicyText::Entry>& entries) {
  if (value.kind != Kind::array) return wrong_kind("peer", "[[peer]] with two brackets", value);
  for (const TomlValue& item : value.items) {
    Read<PolicyText::Entry> read = read_entry(item);
    if (!read) return read.error();
    PolicyText::Entry entry = std::move(read).value();
    if (entries.size() == limits::enrolled_peers_max) {
      return TextError{entry.place, "more than " + std::to_string(limits::enrolled_peers_max) + " peers: remove some"};
    }
    for (const PolicyText::Entry& other : entries) {
      if (other.key == entry.key && other.alias == entry.alias) {
        return TextError{entry.place, "peer is on line " + std::to_string(other.place.line) + " already: make one section of both"};
      }
    }
    entries.push_back(std::move(entry));
  }
  return std::nullopt;
}

Read<PolicyText::Local> read_local(const TomlValue& value) {
  constexpr std::int64_t uid_max = 0xffff'fffe;  // the one above is no uid
  if (value.kind != Kind::table) return wrong_kind("local", "a section that starts with [[local]]", value);
  PolicyText::Local local;
  local.place = value.place;
  bool named = false;
  for (const TomlMember& member : value.members) {
    const Read<bool> taken = read_section_member(member, local.section, RulesFor::local);
    if (!taken) return taken.error();
    if (taken.value()) continue;
    if (member.name != "uid") return unknown_name("local", member, "uid, rules, quota");
    if (member.value.kind != Kind::integer || member.value.integer < 0 || member.value.integer > uid_max) {
      return TextError{member.value.place, "uid is no user's: write its number, 0 to " + std::to_string(uid_max)};
    }
    local.uid = static_cast<std::uint32_t>(member.value.integer);
    named = true;
  }
  if (!named || !local.section.rules) {
    return TextError{value.place, named ? "local has no rules: add rules = [ ... ]" : "local is not named: add uid = NUMBER"};
  }
  return local;
}

std::optional<TextError> read_locals(const TomlValue& value, std::vector<PolicyText::Local>& locals) {
  if (value.kind != Kind::array) return wrong_kind("local", "[[local]] with two brackets", value);
  for (const TomlValue& item : value.items) {
    Read<PolicyText::Local> local = read_local(item);
    if (!local) return local.error();
    if (locals.size() == limits::local_uids_max) {
      return TextError{local.value().place, "more than " + std::to_string(limits::local_uids_max) + " uids: remove some"};
    }
    for (const PolicyText::Local& other : locals) {
      if (other.uid != local.value().uid) continue;
      return TextError{local.value().place, "uid is on line " + std::to_string(other.place.line) + " already: make one section of both"};
    }
    locals.push_back(std::move(local).value());
  }
  return std::nullopt;
}

std::string section_text(const PolicyText::Section& section) {
  std::string out;
  if (section.quota) {
    out += "quota = { value_bytes = " + std::to_string(section.quota->value_bytes) + ", keys = " + std::to_string(section.quota->keys) + " }\n";
  }
  if (section.rules) out += "rules = " + rules_text(*section.rules) + "\n";
  return out;
}

// The enrolled key that an entry names.
Read<PublicKey> key_of_entry(const PolicyText::Entry& entry, std::span<const EnrolledPeer> peers) {
  for (const EnrolledPeer& peer : peers) {
    if (entry.key ? peer.key == *entry.key : peer.alias == entry.alias) return peer.key;
  }
  const std::string name = entry.key ? "key " + quoted(hex_of_key(*entry.key)) : "alias " + quoted(entry.alias);
  return TextError{entry.place, "peer with " + name + " is not enrolled: add it to the peers file or remove this section"};
}

std::vector<LocalEntry> locals_of(const PolicyText& text, std::span<const std::uint32_t> owners) {
  std::vector<LocalEntry> locals;
  for (const PolicyText::Local& local : text.locals) locals.push_back({local.uid, *local.section.rules, local.section.quota});
  for (const std::uint32_t uid : owners) {
    const bool named = std::any_of(locals.begin(), locals.end(), [uid](const LocalEntry& entry) { return entry.uid == uid; });
    if (!named) locals.push_back({uid, {local_default_rule()}, std::nullopt});
  }
  return locals;
}

TextError policy_error(PolicyError error, const PolicyText& text) {
  if (error == PolicyError::quota_over_store) {
    TextPlace place = text.defaults.quota_place;
    for (const PolicyText::Entry& entry : text.entries) {
      if (entry.section.quota) place = entry.section.quota_place;
    }
    for (const PolicyText::Local& local : text.locals) {
      if (local.section.quota) place = local.section.quota_place;
    }
    return {place, "quotas of all peers together do not fit the store, or leave nothing for peers without one: lower them or enlarge the store"};
  }
  if (error == PolicyError::too_many_peers) {
    return {{}, "more than " + std::to_string(limits::enrolled_peers_max) + " peers are enrolled: remove some from the peers file"};
  }
  if (error == PolicyError::too_many_uids) {
    return {{}, "more than " + std::to_string(limits::local_uids_max) + " uids with root and the daemon's own: remove some [[local]] sections"};
  }
  return {{}, "peers are enrolled twice or with an alias that is no name: correct the peers file"};
}

}  // namespace

Result<PolicyText, TextError> parse_policy(std::string_view text) {
  const Read<TomlValue> tree = parse_toml(text);
  if (!tree) return tree.error();
  PolicyText policy;
  for (const TomlMember& member : tree.value().members) {
    if (member.name == "peer") {
      if (const std::optional<TextError> error = read_entries(member.value, policy.entries)) return *error;
      continue;
    }
    if (member.name == "local") {
      if (const std::optional<TextError> error = read_locals(member.value, policy.locals)) return *error;
      continue;
    }
    if (member.name != "default") return unknown_name("policy", member, "[default], [[peer]] or [[local]]");
    if (member.value.kind != Kind::table) return wrong_kind("default", "a section that starts with [default]", member.value);
    for (const TomlMember& inner : member.value.members) {
      const Read<bool> taken = read_section_member(inner, policy.defaults);
      if (!taken) return taken.error();
      if (!taken.value()) return unknown_name("default", inner, "rules or quota");
    }
  }
  return policy;
}

std::string render_policy(const PolicyText& text) {
  std::string out;
  if (text.defaults.rules || text.defaults.quota) out += "[default]\n" + section_text(text.defaults);
  for (const PolicyText::Entry& entry : text.entries) {
    out += "[[peer]]\n" + (entry.key ? "key = \"" + hex_of_key(*entry.key) : "alias = \"" + entry.alias) + "\"\n" + section_text(entry.section);
  }
  for (const PolicyText::Local& local : text.locals) {
    out += "[[local]]\nuid = " + std::to_string(local.uid) + "\n" + section_text(local.section);
  }
  return out;
}

Result<Policy, TextError> build_policy(const PolicyText& text, std::span<const EnrolledPeer> peers, const Quota& store,
                                       std::span<const std::uint32_t> owners) {
  PolicySource source;
  source.peers.assign(peers.begin(), peers.end());
  if (text.defaults.rules) source.default_rules = *text.defaults.rules;
  source.default_quota = text.defaults.quota;
  source.store = store;
  for (const PolicyText::Entry& entry : text.entries) {
    const Read<PublicKey> key = key_of_entry(entry, peers);
    if (!key) return key.error();
    for (const PeerEntry& other : source.entries) {
      if (other.key == key.value()) return TextError{entry.place, "peer has another section under its key or alias: make one of both"};
    }
    source.entries.push_back({key.value(), entry.section.rules, entry.section.quota});
  }
  if (!owners.empty()) source.locals = locals_of(text, owners);
  Result<Policy, PolicyError> policy = Policy::create(source);
  if (!policy) return policy_error(policy.error(), text);
  return std::move(policy).value();
}

RuleSet rules_for_uid(const PolicyText& text, std::uint32_t uid) {
  std::vector<Rule> rules;
  for (const PolicyText::Local& local : text.locals) {
    if (local.uid == uid) rules = *local.section.rules;
  }
  Result<RuleSet, PolicyError> set = RuleSet::compile(rules, RulesFor::local);
  STATEFS_CHECK(set.ok());
  return std::move(set).value();
}

RuleSet rules_for(const PolicyText& text, const std::optional<PublicKey>& peer, std::string_view alias) {
  std::vector<Rule> rules = text.defaults.rules.value_or(PolicySource{}.default_rules);
  for (const PolicyText::Entry& entry : text.entries) {
    const bool is_it = entry.key ? entry.key == peer : !alias.empty() && entry.alias == alias;
    if (is_it && entry.section.rules) rules = *entry.section.rules;
  }
  Result<RuleSet, PolicyError> set = RuleSet::compile(rules);
  STATEFS_CHECK(set.ok());  // each rule was judged when it was parsed, and their number too
  return std::move(set).value();
}

}  // namespace statefs
