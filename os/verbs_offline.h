// VERBS OFFLINE: what `statefs` does without a server: it looks into a state file, a device, or exported audit files.
//
//   statefs_main.cpp, offline_flags.cpp -> VERBS OFFLINE (verb_image.cpp, verb_audit.cpp, verb_restore.cpp)
//
// Nothing is ever written to what is looked at. Exit 0: whole, also where a torn tail was cut; 8: damage; 1: it could not be
// opened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "os/cli.h"
#include "os/text/audit_filter.h"

namespace statefs::cli {

struct AuditOptions {
  std::vector<std::string> sources;  // images and files, oldest first
  AuditFilter filter;
  std::string since;
  std::string until;
  std::uint64_t count = 10;            // tail
  bool follow = false;                 // tail
  std::optional<std::uint64_t> after;  // export: an index
  std::string head;                    // verify: INDEX:HASH that somebody was told
};

[[nodiscard]] int run_check(const std::string& path, Output output);
[[nodiscard]] int run_dump(const std::string& path, Output output);
// `image` is made. Nothing is written to `backup`.
[[nodiscard]] int run_restore(const std::string& backup, const std::string& image, Output output);
// `peer`: is_named() of text/session_text.h; empty: of everybody.
[[nodiscard]] int run_session_list(const std::string& path, const std::string& peer, Output output);
[[nodiscard]] int run_audit_verify(const AuditOptions& options, Output output);
[[nodiscard]] int run_audit_head(const AuditOptions& options, Output output);
[[nodiscard]] int run_audit_query(AuditOptions options, Output output);
[[nodiscard]] int run_audit_tail(AuditOptions options, Output output);
[[nodiscard]] int run_audit_export(const AuditOptions& options);

}  // namespace statefs::cli
