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
//   [[local]]                            # a program of the device at the local door, by its uid; its rules, perhaps a quota
//   uid = 1000
//   rules = [ { grant = "/state/shared/", access = ["get", "list"] } ]
//
// A subtree starts and ends with `/`. An access is allowed where some grant covers the key and no deny does; the
// order of rules only numbers them for the audit. No grant can name /state/keystore/ or /state/boot/, and a grant
// of something above them leaves them out; for a uid nothing is reserved. A uid that has no section may do nothing, but root and
// the daemon's own user may use all of /state/. A name that is not above is an error, so that no typo is a silent grant.
#pragma once

#include <cstdint>
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
  struct Local {
    TextPlace place;
    std::uint32_t uid = 0;
    Section section;  // always with rules
  };
  Section defaults;
  std::vector<Entry> entries;
  std::vector<Local> locals;
};

[[nodiscard]] Result<PolicyText, TextError> parse_policy(std::string_view text);
// The same in one form: what is parsed again renders the same bytes.
[[nodiscard]] std::string render_policy(const PolicyText& text);

// The policy for these peers and a store of this size. A PolicyText{} makes the default policy. `owners` are the uids that may
// use all of /state/ where no section names them (one may stand there twice); with none the local door is shut, and its
// sections are left out.
[[nodiscard]] Result<Policy, TextError> build_policy(const PolicyText& text, std::span<const EnrolledPeer> peers, const Quota& store,
                                                     std::span<const std::uint32_t> owners = {});

// The rules that apply to a uid at the local door of a daemon whose own uid is another, and not to root.
[[nodiscard]] RuleSet rules_for_uid(const PolicyText& text, std::uint32_t uid);
// The rules that apply to one peer, enrolled or not: its own where an entry names its key or its alias, else the default.
[[nodiscard]] RuleSet rules_for(const PolicyText& text, const std::optional<PublicKey>& peer, std::string_view alias = {});

}  // namespace statefs
