#include "os/cli.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "core/limits.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/hex.h"
#include "os/identity.h"
#include "os/progress.h"
#include "os/text/text_values.h"

namespace statefs::cli {
namespace {

constexpr std::string_view key_rules =
    "a key is 1 to 255 bytes of UTF-8, starts with '/', has no empty, '.' or '..' segment, no '/' at its end, and no control "
    "character, backslash, line separator (U+2028, U+2029), byte-order mark or bidirectional control";

// What a status means to the person who ran a verb, and what to do about it.
std::string_view advice(Status status) {
  switch (status) {
    case Status::ok:
      return "done";
    case Status::not_found:
      return "there is no such key";
    case Status::access_denied:
      return "";  // names the verb: see refused()
    case Status::value_too_large:
      return "the value is larger than the server takes: see total_value_size_max in 'statefs status'";
    case Status::key_too_long:
      return "a key has at most 255 bytes";
    case Status::invalid_key:
      return key_rules;
    case Status::malformed:
      return "the server could not read the request: are both of the same version?";
    case Status::io_error:
      return "the store of the server has failed: see what dsoftbusd printed";
    case Status::unsupported:
      return "the server does not know this operation: it is older than this program";
    case Status::revision_conflict:
      return "the key is not at that revision: read it again and decide anew";
    case Status::revision_changed:
      return "the value is replaced faster than it can be read: try again";
    case Status::epoch_changed:
      return "the server has restarted: what was written before and not synced may be lost: read it again";
    case Status::stage_missing:
      return "the server dropped the staged value: try again";
    case Status::in_progress:
      return "the same request is being carried out: ask again in a moment";
    case Status::false_retry:
    case Status::sequence_old:
    case Status::sequence_gap:
      return "the session is out of step with the server: this is a bug of one of them";
    case Status::session_unknown:
      return "the server has dropped the session: the outcome of what was asked is unknown";
    case Status::fenced:
      return "another program has taken this session over";
    case Status::session_limit:
      return "this device has as many sessions as it may: end one";
    case Status::overloaded:
      return "the server is busy: try again in a moment";
    case Status::audit_unavailable:
      return "the server cannot record changes now and so makes none: its audit must be exported or its disk freed";
    case Status::no_space:
      return "the store of the server is full: delete something";
    case Status::quota_exceeded:
      return "this device has used up what it may store: delete something";
    case Status::digest_mismatch:
      return "the value did not arrive as it was sent: try again";
  }
  return "a status that this program does not know";
}

// As a policy calls what a verb does.
std::string_view access_name_of(std::string_view verb) {
  if (verb == "del") return "delete";
  return verb == "ls" ? "list" : verb;
}

// Who gave the value that is wrong: the flag, or the variable that stands in for it.
std::string origin(const char* flag, const char* variable, const std::string& value) {
  const char* const from = std::getenv(variable);
  return from != nullptr && value == from ? variable : flag;
}

std::string whole_path(const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::weakly_canonical(path, error);
  return error ? path : whole.string();
}

}  // namespace

int fail(const Failure& failure) {
  complain("statefs", failure.line);
  return static_cast<int>(failure.exit);
}

Exit exit_of(Status status) {
  switch (status) {
    case Status::ok:
      return Exit::ok;
    case Status::not_found:
      return Exit::not_found;
    case Status::access_denied:
      return Exit::denied;
    case Status::revision_conflict:
    case Status::revision_changed:
      return Exit::revision_conflict;
    case Status::epoch_changed:
    case Status::session_unknown:
      return Exit::outcome_unknown;
    case Status::overloaded:
    case Status::in_progress:
    case Status::stage_missing:
    case Status::session_limit:
    case Status::no_space:
    case Status::quota_exceeded:
      return Exit::overloaded;
    case Status::audit_unavailable:
      return Exit::audit_unavailable;
    case Status::io_error:
    case Status::digest_mismatch:
      return Exit::integrity;
    case Status::value_too_large:
    case Status::key_too_long:
    case Status::invalid_key:
    case Status::malformed:
    case Status::unsupported:
    case Status::false_retry:
    case Status::sequence_old:
    case Status::sequence_gap:
    case Status::fenced:
      return Exit::failed;
  }
  return Exit::failed;
}

int fail_refused(std::string_view verb, std::string_view key, Status status, std::uint32_t retry_ms, Output output) {
  if (output == Output::json && retry_ms > 0) {
    const std::string named = key.empty() ? "" : "\"key\":" + json_string(key) + ",";
    const auto failure = print("{" + named + "\"status\":\"" + std::string(name_of(status)) + "\",\"retry_ms\":" + std::to_string(retry_ms) + "}\n");
    if (failure) return fail(*failure);
  }
  return fail(refused(verb, key, status, retry_ms));
}

Failure refused(std::string_view verb, std::string_view key, Status status, std::uint32_t retry_ms) {
  std::string line(verb);
  if (!key.empty()) line += " " + printable(key);
  if (status == Status::access_denied) {
    line += ": EPERM: the policy of the server does not grant this peer " + std::string(access_name_of(verb)) +
            (verb == "ls" ? " on that prefix" : " on that key") + "; see 'statefs policy check'";
    return {Exit::denied, line};
  }
  line += ": " + std::string(name_of(status)) + ": ";
  // A prefix is judged by the same rules, and the cursor of the same request too.
  if (verb == "ls" && status == Status::invalid_key) line += "PREFIX must end in '/', and --cursor must be a key, if given: ";
  line += advice(status);
  if (retry_ms > 0) line += "; ask again in " + std::to_string(retry_ms) + " ms or later";
  return {exit_of(status), line};
}

std::string how_to_ask(const Completion& completion) {
  if (!completion.question) return {};
  const OutcomeRequest& about = *completion.question;
  return "; to learn it later, with the same options: statefs outcome " + to_hex(about.instance) + " " + std::to_string(about.slot) + " " +
         std::to_string(about.sequence);
}

Result<Target, Failure> resolve(const Suite& suite, const CommonOptions& options) {
  const auto wrong = [](std::string line) { return Failure{Exit::failed, std::move(line)}; };
  const auto timeout = duration_of_text(options.timeout);
  if (!timeout) return wrong("--timeout '" + printable(options.timeout) + "' is no time: write 250ms, 5s or 2m");
  if (!options.local.empty()) {
    auto endpoint = path_endpoint(options.local);
    if (!endpoint) return wrong(origin("--local", "STATEFS_LOCAL", options.local) + " " + endpoint.error().line);
    return Target{endpoint.value(), {}, nullptr, *timeout};
  }
  if (options.server_key.empty()) {
    return wrong(
        "no key of the server: give --server-key HEX or STATEFS_SERVER_KEY; 'statefs keygen' printed it when the server's "
        "identity was made");
  }
  if (options.identity.empty())
    return wrong("no identity: give --identity FILE or STATEFS_IDENTITY; 'statefs keygen FILE' makes one");
  const auto server = key_of_hex(options.server_key);
  if (!server)
    return wrong(origin("--server-key", "STATEFS_SERVER_KEY", options.server_key) + " '" + printable(options.server_key) +
                 "' is not 64 hex digits");
  auto endpoint = parse_endpoint(options.connect);
  if (!endpoint) return wrong(origin("--connect", "STATEFS_CONNECT", options.connect) + " " + endpoint.error().line);
  auto identity = load_identity(suite, options.identity);
  if (!identity) return wrong(identity.error().line);
  return Target{endpoint.value(), *server, identity.value().key, *timeout};
}

Result<Remote, Failure> Remote::open(const Suite& suite, const CommonOptions& options) {
  auto target = resolve(suite, options);
  if (!target) return target.error();
  const Target& to = target.value();
  ClientConfig config;
  config.server = to.server;
  config.handshake_timeout = to.timeout;
  std::optional<WitnessFile> witness;
  if (!options.witness.empty()) {
    // A door by its whole path, wherever the program is run.
    auto kept = WitnessFile::open(options.witness, to.identity == nullptr ? "local:" + whole_path(options.local) : to_hex(to.server.bytes));
    if (!kept) return Failure{Exit::failed, kept.error().line};
    config.seen = kept.value().seen();
    witness.emplace(std::move(kept).value());
  }
  return Remote(ClientStream(suite, to.identity, config, to.endpoint, to.timeout), to_text(to.endpoint),
                to.identity == nullptr ? "" : to_hex(to.identity->public_key().bytes), options.timeout, std::move(witness));
}

std::optional<Failure> Remote::meet() {
  if (met_) return std::nullopt;
  const auto connected = stream_.connect();
  if (!connected) return explain(connected.error());
  met_ = true;
  if (auto failure = rolled_back()) return failure;
  const bool is_new = witness_ && witness_->seen().epoch != 0 && witness_->seen().store != stream_.server_hello()->store;
  if (is_new) {
    complain("statefs", "the server at " + endpoint_ + " has another store than the one that " + printable(witness_->path()) +
                            " has seen: it was restored from a backup, or made anew; what was kept of the other is replaced");
  }
  return part();
}

std::optional<Failure> Remote::part() {
  if (auto failure = rolled_back()) return failure;
  if (!witness_) return std::nullopt;
  // What was asked was done: that its head is not kept is told, and changes nothing of it.
  if (const auto problem = witness_->keep(stream_.seen())) complain("statefs", problem->line);
  return std::nullopt;
}

std::optional<Failure> Remote::rolled_back() {
  const auto rollback = stream_.take_rollback();
  if (!rollback) return std::nullopt;
  const AuditHead& seen = rollback->seen.head;
  std::string line = "ROLLED BACK: the server at " + endpoint_ + " does not have record " + std::to_string(seen.index) +
                     " any more, which it had called durable (hash " + to_hex(seen.hash) + "; it now says durable up to " +
                     std::to_string(rollback->durable_index) + "): its store was set back to an older copy, or rewritten";
  if (witness_) line += "; " + printable(witness_->path()) + " keeps what was seen: remove its line to accept the store as it is";
  return Failure{Exit::rolled_back, line};
}

Result<Completion, Failure> Remote::call(std::string_view verb, std::string_view key, const RequestBody& request) {
  if (auto failure = meet()) return std::move(*failure);
  auto completion = stream_.call(request);
  if (!completion) return explain(completion.error());
  if (auto failure = part()) return std::move(*failure);
  const std::string what = std::string(verb) + (key.empty() ? "" : " " + printable(key));
  if (auto failure = unanswered(what, completion.value().result, how_to_ask(completion.value()))) return std::move(*failure);
  return std::move(completion).value();
}

Result<Upload, Failure> Remote::put(UploadPlan plan, ValueSource& source) {
  const std::string what = "put " + printable(plan.key);
  if (auto failure = meet()) return std::move(*failure);
  Progress progress(what, STDERR_FILENO);
  auto upload = stream_.put(std::move(plan), source,
                            [&](std::uint64_t done, std::uint64_t total) { progress.show(done, total, read_monotonic()); });
  if (!upload) return explain(upload.error());
  if (auto failure = part()) return std::move(*failure);
  if (upload.value().source_failed()) return std::move(upload).value();
  if (auto failure = unanswered(what, upload.value().result())) return std::move(*failure);
  return std::move(upload).value();
}

Result<Download, Failure> Remote::get(const std::string& key, ValueSink& sink) {
  const std::string what = "get " + printable(key);
  if (auto failure = meet()) return std::move(*failure);
  Progress progress(what, STDERR_FILENO);
  auto download = stream_.get(key, sink, [&](std::uint64_t done, std::uint64_t total) {
    if (total > limits::value_size_max) progress.show(done, total, read_monotonic());
  });
  if (!download) return explain(download.error());
  if (auto failure = part()) return std::move(*failure);
  if (auto failure = unanswered(what, download.value().result())) return std::move(*failure);
  return std::move(download).value();
}

std::optional<Failure> Remote::unanswered(const std::string& what, CallResult result, const std::string& advice) const {
  switch (result) {
    case CallResult::answered:
      return std::nullopt;
    case CallResult::timed_out:
      if (was_damaged()) return Failure{Exit::integrity, what + ": " + damage_line()};
      return Failure{Exit::failed, what + ": no answer from " + endpoint_ + " within " + timeout_ +
                                       "; nothing was changed: try again, or raise --timeout"};
    case CallResult::outcome_unknown:
      return Failure{Exit::outcome_unknown, what + ": outcome unknown: it was sent, and the answer was " +
                                                (was_damaged() ? "damaged on its way" : "lost") +
                                                "; read the key to see what it holds" + advice};
  }
  return Failure{Exit::failed, what + ": no answer"};
}

Result<HelloResponse, Failure> Remote::greet() {
  if (auto failure = meet()) return std::move(*failure);
  return *stream_.server_hello();
}

bool Remote::was_damaged() const {
  const Disconnect why = stream_.last_end().why;
  return why == Disconnect::damaged || why == Disconnect::protocol_error;
}

std::string Remote::damage_line() const {
  return "what came from " + endpoint_ + " was damaged on its way, or is no answer to what was asked; nothing was changed: " +
         "look at what stands between this device and the server";
}

Failure Remote::explain(StreamFailure failure) const {
  const LinkEnd& end = stream_.last_end();
  switch (failure) {
    case StreamFailure::unreachable:
      return {Exit::failed, "cannot reach " + endpoint_ + ": " + errno_text(end.connect_error) + ": is dsoftbusd running there?"};
    case StreamFailure::not_accepted:
      return {Exit::failed, "the server at " + endpoint_ +
                                " ended the handshake: --server-key is not its key, or it has no room for another connection"};
    case StreamFailure::not_enrolled:
      if (own_key_.empty()) {
        return {Exit::denied, "the local door at " + endpoint_ + " does not let uid " + std::to_string(::geteuid()) +
                                  " in: name it in a [[local]] section of the server's policy; or it has too many connections"};
      }
      return {Exit::denied,
              "the server at " + endpoint_ +
                  " ended the stream right after the handshake: this device is not enrolled (enrol its key " + own_key_ +
                  " in the server's peers file), its key has too many connections, or something on the way cut the stream"};
    case StreamFailure::wrong_server:
      return {Exit::integrity, "the server at " + endpoint_ +
                                   " is not what it says: it does not hold the key that --server-key names, or its answer was "
                                   "damaged on its way: compare the key and the address"};
    case StreamFailure::bad_server:
      return {Exit::integrity, damage_line()};
    case StreamFailure::version:
      return {Exit::failed, "the server at " + endpoint_ + " speaks no version of the protocol that this program knows"};
    case StreamFailure::store_refused:
      return {Exit::integrity, "IO_ERROR: the state of the server at " + endpoint_ +
                                   " is damaged and nothing of it is served: see what dsoftbusd printed, and 'statefs check' there"};
    case StreamFailure::too_large:
      return {Exit::failed, "the request is larger than the protocol can carry (key 255 bytes, value 64 KiB)"};
    case StreamFailure::timed_out:
      return {Exit::failed, "no connection to " + endpoint_ + " within " + timeout_ + ": is it dsoftbusd that listens there?"};
  }
  return {};
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(byte));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::optional<Failure> print(std::string_view text) {
  if (const int error = write_all(STDOUT_FILENO, as_bytes(text)); error != 0) {
    return Failure{Exit::failed, "cannot write to standard output: " + errno_text(error)};
  }
  return std::nullopt;
}

}  // namespace statefs::cli
