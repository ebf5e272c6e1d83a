// VERBS: what `statefs` can do, one function for each verb; each returns the exit status.
//
//   statefs_main.cpp -> VERBS (verb_value.cpp, verb_list.cpp, verb_server.cpp, verb_session.cpp, verb_policy.cpp, bench.cpp)
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "os/cli.h"

namespace statefs::cli {

struct PutOptions {
  std::string key;
  std::string value;  // the value itself, `-` for standard input, `@FILE` for a file
  std::optional<std::uint64_t> if_revision;
  bool if_absent = false;
  bool no_sync = false;
};
struct GetOptions {
  std::string key;
  std::optional<std::string> to;  // a file; none: standard output
};
struct DeleteOptions {
  std::string key;
  std::optional<std::uint64_t> if_revision;
  bool no_sync = false;
};
struct ListOptions {
  std::string prefix;
  std::uint64_t limit = 0;  // 0: everything
  std::string cursor;
  bool details = false;
};
struct OutcomeOptions {
  std::string instance;  // hex digits
  std::uint16_t slot = 0;
  std::uint64_t sequence = 0;
};
struct PolicyOptions {
  std::string policy;
  std::string peers;  // file, or empty
  std::string peer;   // key or alias
  std::optional<std::uint32_t> uid;  // instead: at the local door
  bool owner = false;                // and it is the daemon's own user
  std::string op;
  std::optional<std::string> key;
  std::optional<std::string> key_hex;
  bool batch = false;
};
struct BenchOptions {
  std::string op;
  std::uint32_t connections = 1;
  std::uint32_t pipeline = 1;
  std::uint32_t value_size = 64;
  std::uint32_t seconds = 10;
  std::uint32_t keys = 10'000;
  std::string prefix = "/state/shared/bench/";
  bool no_fill = false;
  bool json = false;
};

[[nodiscard]] int run_keygen(const std::string& path, Output output);
[[nodiscard]] int run_put(const CommonOptions& common, const PutOptions& options);
[[nodiscard]] int run_get(const CommonOptions& common, const GetOptions& options);
[[nodiscard]] int run_delete(const CommonOptions& common, const DeleteOptions& options);
[[nodiscard]] int run_list(const CommonOptions& common, const ListOptions& options);
[[nodiscard]] int run_sync(const CommonOptions& common);
[[nodiscard]] int run_status(const CommonOptions& common);
[[nodiscard]] int run_outcome(const CommonOptions& common, const OutcomeOptions& options);
[[nodiscard]] int run_session_close(const CommonOptions& common, const std::string& instance);
[[nodiscard]] int run_policy_check(const PolicyOptions& options, Output output);
[[nodiscard]] int run_bench(const CommonOptions& common, const BenchOptions& options);

}  // namespace statefs::cli
