// POLICY: which peer may do what to which key. Deny by default.
//
//   key.h -> POLICY -> service (verdict before the store is touched)
//
// A verdict depends on peer, op, key and policy, on nothing else. A rule names a subtree: the exact byte prefix of
// the keys it covers, ending in `/`; so `/state/shared/` covers no part of `/state/sharedX/a` and not the key
// `/state/shared`. A key is allowed an access where some grant covers it and no deny does; the order of rules
// decides nothing. The reserved subtrees can never be reached by a remote peer: a grant at or under one is
// refused at construction, a grant above one denies it silently (`reserved_rule`). A program of the device itself, known by
// its uid, has rules of its own, and for it no subtree is reserved.
//
// All of it is made once, from trusted text, and then only read; after construction nothing allocates.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/crypto.h"
#include "core/key.h"
#include "core/limits.h"
#include "core/result.h"

namespace statefs {

enum class Access : std::uint8_t { put = 1, get = 2, del = 4, list = 8 };
using AccessMask = std::uint8_t;  // or of Access
inline constexpr AccessMask access_all = 15;

inline constexpr std::string_view shared_subtree = "/state/shared/";
inline constexpr std::array<std::string_view, 2> reserved_subtrees{"/state/keystore/", "/state/boot/"};

struct Rule {
  std::string subtree;  // a canonical prefix
  AccessMask access = 0;
  bool deny = false;
  friend bool operator==(const Rule&, const Rule&) = default;
};

// `rule` names what decided, for the audit: the 1-based place in the peer's rules of the rule with the longest
// subtree (the first of equals) among the denies, or where none covers the key, among the grants; 0 where no rule
// gives or takes this access; `reserved_rule` for a reserved subtree under a wider grant.
struct Verdict {
  bool allowed = false;
  std::uint16_t rule = 0;
  friend bool operator==(const Verdict&, const Verdict&) = default;
};
inline constexpr std::uint16_t reserved_rule = 0xffff;

// Whom rules are for.
enum class RulesFor : std::uint8_t { remote, local };

enum class PolicyError {
  too_many_rules,
  bad_subtree,       // not a canonical prefix
  reserved_subtree,  // a grant at or under a reserved subtree
  no_access,         // a rule that names no access, or one that does not exist
  too_many_peers,
  duplicate_peer,    // the same key twice, enrolled or with rules of its own
  duplicate_alias,
  bad_alias,
  unknown_peer,      // rules for a key that is not enrolled
  too_many_uids,
  duplicate_uid,
  quota_over_store,  // the quotas together exceed the store, or leave nothing for a peer that names none
};

// The compiled rules of one peer. A check hashes the key's own segment boundaries, so it costs the same for one
// rule and for many.
class RuleSet {
 public:
  [[nodiscard]] static Result<RuleSet, PolicyError> compile(std::span<const Rule> rules, RulesFor whom = RulesFor::remote);
  // What compile() would refuse this rule for, taken alone.
  [[nodiscard]] static std::optional<PolicyError> refusal_of(const Rule& rule, RulesFor whom = RulesFor::remote);

  [[nodiscard]] Verdict check(const CanonicalKey& key, Access access) const { return check(key.bytes(), access); }
  [[nodiscard]] Verdict check(const CanonicalPrefix& prefix, Access access) const { return check(prefix.bytes(), access); }

  // For LIST inside a prefix that check() allowed: the widest denied subtree that covers `key`, so that a listing can
  // seek past all of it; empty where the key may be shown. The view lives as long as this RuleSet is not changed.
  [[nodiscard]] std::string_view denied_subtree_of(const CanonicalKey& key, Access access) const;
  [[nodiscard]] std::span<const Rule> rules() const { return rules_; }

 private:
  static constexpr std::size_t access_count = 4;
  static constexpr std::uint16_t no_node = 0xffff;

  // One subtree, with what all rules that cover it add up to. Only the deepest subtree over a key is asked.
  struct Node {
    std::uint32_t text_at = 0;
    std::uint16_t size = 0;
    AccessMask allowed = 0;
    std::array<std::uint16_t, access_count> rule{};
    std::array<std::uint16_t, access_count> widest_deny{no_node, no_node, no_node, no_node};
  };

  RuleSet() = default;
  [[nodiscard]] Verdict check(ByteView text, Access access) const;
  [[nodiscard]] const Node* deepest_over(ByteView text) const;
  [[nodiscard]] const Node* node_of(ByteView text, std::size_t size) const;  // of the subtree text[0, size)
  [[nodiscard]] ByteView subtree_of(const Node& node) const { return ByteView(text_).subspan(node.text_at, node.size); }
  void add_node(std::string_view subtree, std::span<const Rule> effective);
  void index_nodes();

  std::vector<Rule> rules_;
  std::vector<Node> nodes_;
  Bytes text_;                           // of all subtrees, end to end
  std::vector<std::uint16_t> slots_;     // open addressing, a power of two; no_node where free
  int slot_shift_ = 0;
  std::array<std::uint64_t, 4> ends_{};  // bit i: some subtree ends with byte i
  std::size_t longest_ = 0;
};

struct Quota {
  std::uint64_t value_bytes = 0;
  std::uint64_t keys = 0;
  friend bool operator==(const Quota&, const Quota&) = default;
};

struct PeerPolicy {
  std::string alias;  // may be empty
  RuleSet rules;
  Quota quota;
};

struct EnrolledPeer {
  PublicKey key;
  std::string alias;  // empty, or 1 to limits::alias_size_max of [A-Za-z0-9._-], unique among the enrolled
  friend bool operator==(const EnrolledPeer&, const EnrolledPeer&) = default;
};
[[nodiscard]] bool is_alias(std::string_view text);

// What a peer's own entry says replaces what the default says, whether narrower or wider.
struct PeerEntry {
  PublicKey key;
  std::optional<std::vector<Rule>> rules;
  std::optional<Quota> quota;
};

// A uid that may come in by the local door.
struct LocalEntry {
  std::uint32_t uid = 0;
  std::vector<Rule> rules;
  std::optional<Quota> quota;  // none: it shares with the peers that have none
};
// Of root and the daemon's own user, where a file does not name them.
[[nodiscard]] inline Rule local_default_rule() { return {"/state/", access_all, false}; }

// Everything a policy is made of. With nothing but `peers` set it is the default policy.
struct PolicySource {
  std::vector<EnrolledPeer> peers;
  std::vector<Rule> default_rules{{std::string(shared_subtree), access_all, false}};
  std::optional<Quota> default_quota;  // none: such peers share evenly what explicit quotas leave of the store
  std::vector<PeerEntry> entries;
  std::vector<LocalEntry> locals;      // empty: the local door lets nobody in
  Quota store{limits::store_value_bytes_default, limits::store_keys_default};
};

// The whole policy: who is enrolled or named, and the rules of each. Its version is the SHA-256 of text(), which names
// everything that decides a verdict: keys, uids, rules and quotas, sorted by key and by uid. Aliases decide nothing and are left out.
class Policy {
 public:
  struct Peer {
    PublicKey key;
    PeerPolicy policy;
  };
  struct Local {
    std::uint32_t uid = 0;
    PeerPolicy policy;
  };

  [[nodiscard]] static Result<Policy, PolicyError> create(const PolicySource& source);
  [[nodiscard]] const PeerPolicy* find(const PublicKey& peer) const;  // null: not enrolled
  [[nodiscard]] std::span<const Peer> peers() const { return peers_; }  // sorted by key
  [[nodiscard]] const PeerPolicy* find_local(std::uint32_t uid) const;  // null: not named
  [[nodiscard]] std::span<const Local> locals() const { return locals_; }  // sorted by uid
  [[nodiscard]] const Digest& version() const { return version_; }
  // The canonical text, in the grammar of a policy file.
  [[nodiscard]] std::string text() const;

 private:
  Policy() = default;
  std::vector<Peer> peers_;
  std::vector<Local> locals_;
  Digest version_{};
};

// One part of the canonical text: rules as a TOML array.
[[nodiscard]] std::string rules_text(std::span<const Rule> rules);

}  // namespace statefs
