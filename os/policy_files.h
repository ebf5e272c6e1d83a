// POLICY FILES: the files of an operator, read from disk, parsed by text/, and judged as a whole.
//
//   peers, policy, config files -> POLICY FILES -> core/policy.h, daemon.h, verb_policy.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/policy.h"
#include "core/result.h"
#include "os/problem.h"
#include "os/text/config_text.h"
#include "os/text/policy_text.h"

namespace statefs {

// An empty path is the policy that nobody wrote: each enrolled peer may use /state/shared/.
[[nodiscard]] Result<PolicyText, Problem> load_policy_text(const std::string& path);
// `store` is what the quotas of all peers must fit into. A file without any peer is legal, and said on stderr. `own_uid` is
// there where the local door is open: it and root are named then, where the file does not; else nobody local is.
[[nodiscard]] Result<Policy, Problem> load_policy(const std::string& peers_path, const std::string& policy_path, const Quota& store,
                                                  const std::optional<std::uint32_t>& own_uid);
[[nodiscard]] Result<std::vector<EnrolledPeer>, Problem> load_peers(const std::string& path);
[[nodiscard]] Result<ConfigText, Problem> load_config(const std::string& path);

}  // namespace statefs
