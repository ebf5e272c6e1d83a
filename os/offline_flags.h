// OFFLINE FLAGS: the flags of the verbs that need no server.
//
//   statefs_main.cpp -> OFFLINE FLAGS -> verbs_offline.h
#pragma once

#include <optional>
#include <string>

#include "os/verbs_offline.h"

namespace CLI {
class App;
}

namespace statefs::cli {

struct OfflineOptions {
  std::string image;
  std::string peer;    // session ls
  std::string backup;  // restore
  AuditOptions audit;
};

// `options` outlives the parsing.
void add_offline_verbs(CLI::App& app, OfflineOptions& options);
// `ls` beside the verbs of `session` that need a server.
void add_session_list(CLI::App& session, OfflineOptions& options);
// The exit status, where the verb that was given is one of them.
[[nodiscard]] std::optional<int> run_offline(const CLI::App& app, const OfflineOptions& options, Output output);

}  // namespace statefs::cli
