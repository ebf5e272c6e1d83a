// POLICY TEXT: the operator's policy file (TOML), and the policy that it makes of the enrolled peers.
//
//   bytes of a file -> POLICY TEXT + peers_text.h -> core/policy.h
//
//   [default]                            # for every peer that has none of its own; left out: all of /state/shared/
//   rules = [
//     { grant = "/state/shared/", access = ["put", "get", "delete", "list"] },
//     { deny = "/state/shared/locked/", access = ["put", "delete"] },
//     { deny = "/state/shared/secret/" },                             # a deny without `access` takes all four
//   ]
//   quota = { value_bytes = "4MiB", keys = 1000 }                     # of each such peer; left out: even shares
//
//   [[peer]]                             # instead of the default, wholly: its rules, its quota, or both
//   alias = "kitchen"                    # or key = "64 hexadecimal digits"
//   rules = []                           # no rule at all: this peer may do nothing
//
// A subtree starts and ends with `/`. An access is allowed where some grant covers the key and no deny does; the
// order of rules only numbers them for the audit. No grant can name /state/keystore/ or /state/boot/, and a grant
// of something above them leaves them out. A name that is not above is an error, so that no typo is a silent grant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/policy.h"
#include "core/result.h"
#include "os/text/text_error.h"

namespace statefs {

// A policy file as it was written. Every rule in it is one that RuleSet::compile() takes.
struct PolicyText {
  struct Section {
    std::optional<std::vector<Rule>> rules;
    std::optional<Quota> quota;
    TextPlace quota_place;
  };
  struct Entry {
    TextPlace place;
    std::optional<PublicKey> key;  // or else `alias`
    std::string alias;
    Section section;
  };
  Section defaults;
  std::vector<Entry> entries;
};

[[nodiscard]] Result<PolicyText, TextError> parse_policy(std::string_view text);
// The same in one form: what is parsed again renders the same bytes.
[[nodiscard]] std::string render_policy(const PolicyText& text);

// The policy for these peers and a store of this size. A PolicyText{} makes the default policy.
[[nodiscard]] Result<Policy, TextError> build_policy(const PolicyText& text, std::span<const EnrolledPeer> peers, const Quota& store);

// The rules that apply to one peer, enrolled or not: its own where an entry names its key, else the default.
[[nodiscard]] RuleSet rules_for(const PolicyText& text, const std::optional<PublicKey>& peer);

}  // namespace statefs
