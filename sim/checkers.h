// CHECKERS: what must hold of every run, judged from its history alone.
//
//   history.h, timeline.h -> CHECKERS -> verdicts, with how many observations each judged
//
//   completed     every call has exactly one completion
//   chain         records have ascending indices without a gap, and each names the hash of the one before
//   recorded      each PUT and DELETE that was answered with an index has that record, with its peer, key and status; each
//                 record belongs to one call that was answered so, or whose outcome is open; so none ran twice
//   policy        a shadow policy, written another way, agrees with every verdict; no effect and no byte leaves the grant
//   linearizable  each answer is what the store held at some moment between call and completion, in the store's own order
//
// A check that judged nothing found nothing out: whoever runs many seeds adds the numbers up and looks for zeros.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/crypto.h"
#include "sim/timeline.h"

namespace statefs::sim {

// What checkers must know of a world besides its trace.
struct CheckContext {
  std::vector<PublicKey> peers;  // by node
  SecretKey mac_key;             // of values in records
};

[[nodiscard]] std::vector<CheckResult> check(const History& history, const CheckContext& context);

// The verdict that the default policy and the rules of keys give, by a walk over segments. OK is allowed.
[[nodiscard]] Status shadow_verdict(std::string_view key, bool is_prefix);

}  // namespace statefs::sim
