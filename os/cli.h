// CLI: what all verbs of `statefs` share: common options, exit statuses, one line for each thing that goes wrong.
//
//   statefs_main.cpp (flags) -> CLI -> verb_*.cpp -> client_stream.h
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/client.h"
#include "core/crypto.h"
#include "core/result.h"
#include "os/client_stream.h"
#include "os/problem.h"
#include "os/witness_file.h"

namespace statefs::cli {

// Part of the contract with scripts: docs/distributed/remote-fs.md.
enum class Exit : int {
  ok = 0,
  failed = 1,  // usage, a local file, no connection
  not_found = 2,
  denied = 3,
  revision_conflict = 4,
  outcome_unknown = 5,
  overloaded = 6,
  audit_unavailable = 7,
  integrity = 8,
  rolled_back = 9,
};

enum class Output { usual, raw, text, json, hex };  // usual: raw for get, text for the others

struct CommonOptions {
  std::string connect = "127.0.0.1:7070";
  std::string local;  // path of a local door, instead of all of connect, server_key and identity
  std::string server_key;
  std::string identity;
  std::string timeout = "5s";
  std::string witness;  // file, or empty: none is kept
  Output output = Output::usual;
};

struct Failure {
  Exit exit = Exit::failed;
  std::string line;
};

// Prints the line and returns the number for the shell.
int fail(const Failure& failure);

[[nodiscard]] Exit exit_of(Status status);
// `WHAT: STATUS: what it means and what to do`. ACCESS_DENIED reads EPERM. `verb` is `put`, `get` ...
// `retry_ms`: as answered, 0 where the answer says nothing.
[[nodiscard]] Failure refused(std::string_view verb, std::string_view key, Status status, std::uint32_t retry_ms = 0);
// The same, told: also as JSON on standard output where that was asked for and the answer says when to try again. The exit status.
[[nodiscard]] int fail_refused(std::string_view verb, std::string_view key, Status status, std::uint32_t retry_ms, Output output);

// How to ask later what became of it: `; ask: statefs outcome ...`, or nothing where it was not sent.
[[nodiscard]] std::string how_to_ask(const Completion& completion);

// A server as the common options name it. `suite` outlives it.
class Remote {
 public:
  [[nodiscard]] static Result<Remote, Failure> open(const Suite& suite, const CommonOptions& options);

  // What the server answered, refusals included; a failure where it answered nothing. `verb` and `key` are for the message.
  [[nodiscard]] Result<Completion, Failure> call(std::string_view verb, std::string_view key, const RequestBody& request);
  // A large value in, and any value out, in pieces, with a line of progress where standard error is a terminal.
  [[nodiscard]] Result<Upload, Failure> put(UploadPlan plan, ValueSource& source);
  [[nodiscard]] Result<Download, Failure> get(const std::string& key, ValueSink& sink);
  [[nodiscard]] Result<HelloResponse, Failure> greet();

 private:
  Remote(ClientStream stream, std::string endpoint, std::string own_key, std::string timeout, std::optional<WitnessFile> witness)
      : stream_(std::move(stream)),
        endpoint_(std::move(endpoint)),
        own_key_(std::move(own_key)),
        timeout_(std::move(timeout)),
        witness_(std::move(witness)) {}
  // Before anything is asked: whether it is the server, and its store is not an older one than was seen.
  [[nodiscard]] std::optional<Failure> meet();
  // After each answer: what it called durable is kept.
  [[nodiscard]] std::optional<Failure> part();
  [[nodiscard]] std::optional<Failure> rolled_back();
  [[nodiscard]] Failure explain(StreamFailure failure) const;
  // Why there is no answer; nullopt where there is one.
  [[nodiscard]] std::optional<Failure> unanswered(const std::string& what, CallResult result, const std::string& advice = {}) const;
  [[nodiscard]] bool was_damaged() const;  // how the latest stream ended
  [[nodiscard]] std::string damage_line() const;

  ClientStream stream_;
  std::string endpoint_;
  std::string own_key_;
  std::string timeout_;
  std::optional<WitnessFile> witness_;
  bool met_ = false;
};

// What a verb needs to make a Remote, checked: shared with bench.
struct Target {
  Endpoint endpoint;
  PublicKey server;                       // and
  std::shared_ptr<const DhKey> identity;  // null: a local door
  Duration timeout;
};
[[nodiscard]] Result<Target, Failure> resolve(const Suite& suite, const CommonOptions& options);

// UTF-8 text, such as a key that the server accepted, as a JSON string with its quotes.
[[nodiscard]] std::string json_string(std::string_view text);

// Writes to standard output; a failure (a closed pipe, a full disk) is the caller's exit 1.
[[nodiscard]] std::optional<Failure> print(std::string_view text);

}  // namespace statefs::cli
