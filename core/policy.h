// POLICY: which peer may do what to which key. Deny by default.
//
//   key.h -> POLICY -> service (verdict before the store is touched)
//
// A verdict depends on peer, op, key and policy, on nothing else. A rule names a subtree: the exact byte prefix of
// the keys it covers, ending in `/`. A key is allowed an access where some grant covers it and no deny does. Nothing
// under limits of the build (`/state/keystore/`, `/state/boot/`) can be granted to a remote peer: construction refuses.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/crypto.h"
#include "core/key.h"
#include "core/result.h"

namespace statefs {

enum class Access : std::uint8_t { put = 1, get = 2, del = 4, list = 8 };
using AccessMask = std::uint8_t;  // or of Access
inline constexpr AccessMask access_all = 15;

struct Rule {
  std::string subtree;  // a canonical prefix
  AccessMask access = 0;
  bool deny = false;
  friend bool operator==(const Rule&, const Rule&) = default;
};

// `rule` names what decided, for the audit: 1-based place in the peer's rules, 0 where no rule covers the key.
struct Verdict {
  bool allowed = false;
  std::uint16_t rule = 0;
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

enum class PolicyError { too_many_rules, bad_subtree, reserved_subtree, no_access, too_many_peers, quota_over_store, duplicate_peer, bad_alias };

// The compiled rules of one peer. Checking allocates nothing; 64 rules cost at most twice what one costs.
class RuleSet {
 public:
  [[nodiscard]] static Result<RuleSet, PolicyError> compile(std::span<const Rule> rules);
  [[nodiscard]] Verdict check(const CanonicalKey& key, Access access) const;
  [[nodiscard]] Verdict check(const CanonicalPrefix& prefix, Access access) const;

  // For LIST inside a granted prefix: the denied subtree (for `list`) that covers `key`, so that a listing can seek
  // past it; empty where the key may be shown.
  [[nodiscard]] std::string_view denied_subtree_of(const CanonicalKey& key, Access access) const;
  [[nodiscard]] std::span<const Rule> rules() const;
  // ... H2 fills in the compiled form
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

// The whole policy: who is enrolled, and the rules of each. Its version is the SHA-256 of its canonical text form.
class Policy {
 public:
  [[nodiscard]] const PeerPolicy* find(const PublicKey& peer) const;  // null: not enrolled
  [[nodiscard]] const Digest& version() const;
};

}  // namespace statefs
