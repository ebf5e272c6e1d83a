#include "core/policy.h"

#include <algorithm>

namespace statefs {
namespace {

void append_hex(ByteView bytes, std::string& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

// A canonical prefix holds no control and no backslash, so the quote is all that TOML needs escaped.
void append_quoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '\\';
    out += c;
  }
  out += '"';
}

std::optional<PolicyError> refusal_of_peers(const PolicySource& source) {
  if (source.peers.size() > limits::enrolled_peers_max) return PolicyError::too_many_peers;
  std::vector<PublicKey> keys;
  std::vector<std::string_view> aliases;
  for (const EnrolledPeer& peer : source.peers) {
    keys.push_back(peer.key);
    if (peer.alias.empty()) continue;
    if (!is_alias(peer.alias)) return PolicyError::bad_alias;
    aliases.push_back(peer.alias);
  }
  std::sort(keys.begin(), keys.end());
  std::sort(aliases.begin(), aliases.end());
  if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) return PolicyError::duplicate_peer;
  if (std::adjacent_find(aliases.begin(), aliases.end()) != aliases.end()) return PolicyError::duplicate_alias;

  std::vector<PublicKey> named;
  for (const PeerEntry& entry : source.entries) {
    if (!std::binary_search(keys.begin(), keys.end(), entry.key)) return PolicyError::unknown_peer;
    named.push_back(entry.key);
  }
  std::sort(named.begin(), named.end());
  if (std::adjacent_find(named.begin(), named.end()) != named.end()) return PolicyError::duplicate_peer;
  return std::nullopt;
}

std::optional<PolicyError> refusal_of_locals(const PolicySource& source) {
  if (source.locals.size() > limits::local_uids_max) return PolicyError::too_many_uids;
  std::vector<std::uint32_t> uids;
  for (const LocalEntry& entry : source.locals) uids.push_back(entry.uid);
  std::sort(uids.begin(), uids.end());
  if (std::adjacent_find(uids.begin(), uids.end()) != uids.end()) return PolicyError::duplicate_uid;
  return std::nullopt;
}

const PeerEntry* entry_of(const PolicySource& source, const PublicKey& key) {
  for (const PeerEntry& entry : source.entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

std::optional<Quota> explicit_quota(const PolicySource& source, const PublicKey& key) {
  const PeerEntry* const entry = entry_of(source, key);
  return entry != nullptr && entry->quota ? entry->quota : source.default_quota;
}

// What a peer or a uid without a quota of its own gets: an even share of what the others leave.
Result<Quota, PolicyError> even_share(const PolicySource& source) {
  Quota left = source.store;
  std::uint64_t sharing = 0;
  std::vector<std::optional<Quota>> quotas;
  for (const EnrolledPeer& peer : source.peers) quotas.push_back(explicit_quota(source, peer.key));
  for (const LocalEntry& entry : source.locals) quotas.push_back(entry.quota);
  for (const std::optional<Quota>& quota : quotas) {
    if (!quota) {
      ++sharing;
      continue;
    }
    if (quota->value_bytes > left.value_bytes || quota->keys > left.keys) return PolicyError::quota_over_store;
    left.value_bytes -= quota->value_bytes;
    left.keys -= quota->keys;
  }
  if (sharing == 0) return Quota{};
  const Quota share{left.value_bytes / sharing, left.keys / sharing};
  if (share.value_bytes == 0 || share.keys == 0) return PolicyError::quota_over_store;
  return share;
}

}  // namespace

bool is_alias(std::string_view text) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= limits::alias_size_max && std::all_of(text.begin(), text.end(), is_allowed);
}

Result<Policy, PolicyError> Policy::create(const PolicySource& source) {
  if (const std::optional<PolicyError> refusal = refusal_of_peers(source)) return *refusal;
  if (const std::optional<PolicyError> refusal = refusal_of_locals(source)) return *refusal;
  const Result<Quota, PolicyError> share = even_share(source);
  if (!share.ok()) return share.error();
  const Result<RuleSet, PolicyError> default_rules = RuleSet::compile(source.default_rules);
  if (!default_rules.ok()) return default_rules.error();

  Policy policy;
  for (const EnrolledPeer& peer : source.peers) {
    const PeerEntry* const entry = entry_of(source, peer.key);
    const Result<RuleSet, PolicyError> rules =
        entry != nullptr && entry->rules ? RuleSet::compile(*entry->rules) : default_rules;
    if (!rules.ok()) return rules.error();
    const Quota quota = explicit_quota(source, peer.key).value_or(share.value());
    policy.peers_.push_back({peer.key, {peer.alias, rules.value(), quota}});
  }
  for (const LocalEntry& entry : source.locals) {
    const Result<RuleSet, PolicyError> rules = RuleSet::compile(entry.rules, RulesFor::local);
    if (!rules.ok()) return rules.error();
    policy.locals_.push_back({entry.uid, {{}, rules.value(), entry.quota.value_or(share.value())}});
  }
  std::sort(policy.peers_.begin(), policy.peers_.end(), [](const Peer& a, const Peer& b) { return a.key < b.key; });
  std::sort(policy.locals_.begin(), policy.locals_.end(), [](const Local& a, const Local& b) { return a.uid < b.uid; });
  policy.version_ = Sha256().of(as_bytes(policy.text()));
  return policy;
}

const PeerPolicy* Policy::find(const PublicKey& peer) const {
  const auto at = std::lower_bound(peers_.begin(), peers_.end(), peer,
                                   [](const Peer& candidate, const PublicKey& key) { return candidate.key < key; });
  return at != peers_.end() && at->key == peer ? &at->policy : nullptr;
}

const PeerPolicy* Policy::find_local(std::uint32_t uid) const {
  const auto at = std::find_if(locals_.begin(), locals_.end(), [uid](const Local& local) { return local.uid == uid; });
  return at != locals_.end() ? &at->policy : nullptr;
}

std::string Policy::text() const {
  std::string out;
  const auto append = [&out](const PeerPolicy& of) {
    out += "quota = { value_bytes = " + std::to_string(of.quota.value_bytes) + ", keys = " + std::to_string(of.quota.keys) +
           " }\nrules = " + rules_text(of.rules.rules()) + "\n";
  };
  for (const Peer& peer : peers_) {
    out += "[[peer]]\nkey = \"";
    append_hex(peer.key.bytes, out);
    out += "\"\n";
    append(peer.policy);
  }
  for (const Local& local : locals_) {
    out += "[[local]]\nuid = " + std::to_string(local.uid) + "\n";
    append(local.policy);
  }
  return out;
}

std::string rules_text(std::span<const Rule> rules) {
  constexpr std::array<std::string_view, 4> names{"put", "get", "delete", "list"};
  std::string out = "[";
  for (const Rule& rule : rules) {
    out += rule.deny ? "\n  { deny = " : "\n  { grant = ";
    append_quoted(rule.subtree, out);
    out += ", access = [";
    std::string_view separator;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (((rule.access >> i) & 1) == 0) continue;
      out += separator;
      append_quoted(names[i], out);
      separator = ", ";
    }
    out += "] },";
  }
  out += rules.empty() ? "]" : "\n]";
  return out;
}

}  // namespace statefs
