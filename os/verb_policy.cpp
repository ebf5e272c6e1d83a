// policy check: what a policy decides, judged by the very code that the server judges with.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "core/policy.h"
#include "core/response.h"
#include "os/policy_files.h"
#include "os/text/text_values.h"
#include "os/text/verdict_text.h"
#include "os/verbs.h"

namespace statefs::cli {
namespace {

// Judges every whole line of `text` and leaves the rest. At the end of the input the rest is a line too.
Result<std::string, TextError> judge_lines(const RuleSet& rules, std::string& text, bool at_end, std::uint32_t& line_number) {
  std::string out;
  std::size_t at = 0;
  for (;;) {
    auto end = text.find('\n', at);
    if (end == std::string::npos && (at_end || text.size() - at > text_limits::verdict_line_size_max)) end = text.size();
    if (end == std::string::npos || at == text.size()) break;
    const auto verdict = verdict_of_line(rules, std::string_view(text).substr(at, end - at), ++line_number);
    if (!verdict) {
      if (const auto failure = print(out)) return TextError{{}, failure->line};
      return verdict.error();
    }
    out += name_of(verdict.value());
    out += '\n';
    at = std::min(end + 1, text.size());
  }
  text.erase(0, at);
  return out;
}

int run_batch(const RuleSet& rules) {
  std::string text;
  std::uint32_t line_number = 0;
  char buffer[65536];
  for (;;) {
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail({Exit::failed, "policy check: standard input: " + errno_text(errno)});
    text.append(buffer, static_cast<std::size_t>(count));
    const auto out = judge_lines(rules, text, count == 0, line_number);
    if (!out) return fail({Exit::failed, "policy check: " + line_of(out.error(), "standard input")});
    if (const auto failure = print(out.value())) return fail(*failure);
    if (count == 0) return 0;
  }
}

int report(Status status, Output output) {
  const std::string name(name_of(status));
  const auto failure = print(output == Output::json ? "{\"status\":\"" + name + "\"}\n" : name + "\n");
  return failure ? fail(*failure) : static_cast<int>(exit_of(status));
}

// A peer by its key or its alias. The peers file says which key has which alias, as the daemon would read it.
struct Who {
  std::optional<PublicKey> key;
  std::string alias;
};

Result<Who, std::string> find_peer(const PolicyOptions& options, const PolicyText& policy) {
  Who who;
  if (options.peer.empty()) return who;
  who.key = key_of_hex(options.peer);
  if (!who.key && !is_alias(options.peer))
    return std::string("--peer '" + printable(options.peer) + "' is neither 64 hex digits nor an alias");
  if (!who.key) who.alias = options.peer;
  if (options.peers.empty()) {
    const bool has_aliases =
        std::any_of(policy.entries.begin(), policy.entries.end(), [](const auto& entry) { return !entry.key; });
    const bool has_keys =
        std::any_of(policy.entries.begin(), policy.entries.end(), [](const auto& entry) { return entry.key.has_value(); });
    // An answer must not leave out the entry that decides.
    if (who.key && has_aliases)
      return std::string("the policy names peers by alias: give --peers FILE, which says whose key has which alias");
    if (!who.key && has_keys)
      return std::string("--peer '" + printable(options.peer) +
                         "' is not 64 hex digits, and the policy names peers by key: give --peers FILE");
    return who;
  }
  const auto peers = load_peers(options.peers);
  if (!peers) return peers.error().line;
  const bool by_key = who.key.has_value();
  for (const EnrolledPeer& each : peers.value()) {
    if (by_key ? each.key != *who.key : each.alias != options.peer) continue;
    return Who{each.key, each.alias};
  }
  return std::string("--peer '" + printable(options.peer) + "' is not in the peers file " + printable(options.peers));
}

// As the local door of a daemon judges: root and the daemon's own user have a rule where no section names them.
RuleSet local_rules(const PolicyText& policy, std::uint32_t uid, bool is_owner) {
  const bool named = std::any_of(policy.locals.begin(), policy.locals.end(), [uid](const auto& local) { return local.uid == uid; });
  if (named || (uid != 0 && !is_owner)) return rules_for_uid(policy, uid);
  const Rule whole = local_default_rule();
  auto set = RuleSet::compile({&whole, 1}, RulesFor::local);
  STATEFS_CHECK(set.ok());
  return std::move(set).value();
}

}  // namespace

int run_policy_check(const PolicyOptions& options, Output output) {
  const auto wrong = [](const std::string& line) { return fail({Exit::failed, "policy check: " + line}); };
  const auto text = load_policy_text(options.policy);
  if (!text) return fail({Exit::failed, text.error().line});
  if (options.owner && !options.uid) return wrong("--owner says who --uid is: give --uid N");
  const auto who = find_peer(options, text.value());
  if (!who) return wrong(who.error());
  const RuleSet rules = options.uid ? local_rules(text.value(), *options.uid, options.owner)
                                    : rules_for(text.value(), who.value().key, who.value().alias);
  if (options.batch) {
    if (!options.op.empty() || options.key || options.key_hex)
      return wrong("--batch reads operations and keys from standard input: leave out --op and --key");
    return run_batch(rules);
  }
  if (options.op.empty()) return wrong("--op is missing: put, get, delete or list");
  if (!options.key && !options.key_hex) return wrong("the key is missing: give --key KEY or --key-hex HEX");
  std::optional<Bytes> key =
      options.key ? Bytes(as_bytes(*options.key).begin(), as_bytes(*options.key).end()) : bytes_of_hex(*options.key_hex);
  if (!key) return wrong("--key-hex '" + printable(*options.key_hex) + "' is not an even number of hex digits");
  const auto access = access_of_name(options.op);
  if (!access) return wrong("--op '" + printable(options.op) + "' is not put, get, delete or list");
  return report(verdict_of(rules, *access, *key), output);
}

}  // namespace statefs::cli
