// SHADOW: a policy as a plan of few words, the real policy that it stands for, and its verdicts found another way.
//
//   plans -> SHADOW -> core/policy.h (what servers are given);  checkers (what they should have said)
//
// A plan gives every peer /state/shared/ and then takes something away, or gives one more. The verdict is a walk over the segments
// of a key and knows nothing of core/key.h, core/policy.h or their order of rules; so the two can only agree by being right.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/policy.h"
#include "core/request.h"
#include "core/response.h"
#include "sim/schedule.h"

namespace statefs::sim {

// Each op by itself: none of them is had because another is.
inline constexpr std::array<std::pair<Op, std::string_view>, 4> plan_ops{
    {{Op::put, "no_put"}, {Op::get, "no_get"}, {Op::del, "no_del"}, {Op::list, "no_list"}}};

struct PolicyPlan {
  std::vector<NodeId> strangers;   // are not enrolled
  std::vector<NodeId> readers;     // may only GET and LIST
  std::vector<NodeId> writers;     // may only PUT and DELETE, so what exists is not told to them
  bool dir_denied = false;         // /state/shared/dir/ is denied to everybody, also where rules grant what is inside it
  std::optional<NodeId> narrowed;  // has /state/shared/own/ and no more
  std::uint64_t quota_keys = 0;    // so many keys at most are of one peer; 0: no bound that a run meets
  std::uint64_t quota_bytes = 0;   // and so many bytes of values
  std::optional<NodeId> wide{};    // has /state/ but for what no remote peer can be given
  bool dir_hidden = false;         // LIST does not show /state/shared/dir/ to anybody
  std::array<std::vector<NodeId>, plan_ops.size()> without{};  // may not do that op
  friend bool operator==(const PolicyPlan&, const PolicyPlan&) = default;
};

// Whose verdict is asked for. A local peer is a program of the server's machine, known by its uid; it has /state/keystore/ as well, which
// no remote peer can be given.
struct ShadowPeer {
  NodeId node = 0;
  bool local = false;
};
inline constexpr std::uint32_t uid_of(NodeId node) { return 1'000 + node; }
inline constexpr NodeId node_of_uid(std::uint32_t uid) { return uid - 1'000; }

// What a remote peer is called; a local one has no other name than its uid.
[[nodiscard]] std::string alias_of(ShadowPeer peer);
// The policy of a plan for these peers. `keys` are by node.
[[nodiscard]] PolicySource to_source(const PolicyPlan& plan, std::span<const ShadowPeer> peers, std::span<const PublicKey> keys);

[[nodiscard]] bool is_enrolled(const PolicyPlan& plan, NodeId peer);
// Of the rules above, those of one peer, numbered from 1 as records name them.
[[nodiscard]] std::vector<Rule> rules_of(const PolicyPlan& plan, ShadowPeer peer);

// What PUT, STAGE, GET, DELETE or LIST of the key, or prefix, is answered before anything else is looked at; OK is allowed. A stranger is
// denied everything. A condition is a GET as well: whoever has one asks twice.
[[nodiscard]] Status shadow_verdict(const PolicyPlan& plan, ShadowPeer peer, Op op, std::string_view key);
// Whether LIST shows that peer the key, which is good.
[[nodiscard]] bool shadow_shows(const PolicyPlan& plan, ShadowPeer peer, std::string_view key);
// The number of the rule that decides so: 0 where there is none, reserved_rule where it is none of the peer's own.
[[nodiscard]] std::uint16_t shadow_rule(const PolicyPlan& plan, ShadowPeer peer, Op op, std::string_view key);
// Of the bytes alone: OK, INVALID_KEY or KEY_TOO_LONG.
[[nodiscard]] Status shadow_key_check(std::string_view key, bool is_prefix);

}  // namespace statefs::sim
