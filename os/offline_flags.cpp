#include "os/offline_flags.h"

#include <CLI/CLI.hpp>

namespace statefs::cli {
namespace {

CLI::App* add_audit_verb(CLI::App& audit, AuditOptions& options, const std::string& name, const std::string& about) {
  auto* const verb = audit.add_subcommand(name, about);
  verb->fallthrough();
  verb->add_option("SOURCE", options.sources, "state file or device, or files of exported JSON Lines, oldest first")->required();
  return verb;
}

void add_filter(CLI::App& verb, AuditOptions& options) {
  verb.add_option("--peer", options.filter.peer, "alias, the first digits of a public key, at least 8, or uid:N");
  verb.add_option("--key", options.filter.key, "what the key begins with: who wrote this?");
  verb.add_option("--op", options.filter.op, "put, del, get, list, open ...");
  verb.add_option("--status", options.filter.status, "OK, ACCESS_DENIED ..., or 'refused' for any but OK");
  verb.add_option("--since", options.since, "from then on: 2026-11-23T18:07:09Z, 2026-11-23, or how long ago: 90s, 2h");
  verb.add_option("--until", options.until, "before then");
}

}  // namespace

void add_session_list(CLI::App& session, OfflineOptions& options) {
  auto* const list = session.add_subcommand(
      "ls", "the sessions that a state file or device holds, each with its peer, instance, generation and slots, the live ones first; "
            "beside a running daemon as far as its marks say durable: at most two seconds late");
  list->fallthrough();
  list->add_option("IMAGE", options.image, "state file or device; it is only read")->required();
  list->add_option("--peer", options.peer, "only those of this one: the first digits of its public key, at least 8, or uid:N");
}

void add_offline_verbs(CLI::App& app, OfflineOptions& options) {
  auto* const check = app.add_subcommand(
      "check", "look at a state file or device without its daemon: is it whole, where is it not, what is safe to read");
  check->add_option("IMAGE", options.image, "state file or device; it is only read")->required();
  auto* const dump =
      app.add_subcommand("dump", "keys, sizes and revisions, sessions and slots of a state file or device; never a value");
  dump->add_option("IMAGE", options.image, "state file or device; it is only read")->required();
  auto* const restore = app.add_subcommand(
      "restore", "make a store of a backup (a copy of an image that no daemon had): the same state, with a store id of its own and a "
                 "record of where it comes from, so that nobody takes it for the old store set back in secret");
  restore->add_option("BACKUP", options.backup, "it is only read, and must be whole")->required();
  restore->add_option("IMAGE", options.image, "a new file, for dsoftbusd --state")->required();

  auto* const audit =
      app.add_subcommand("audit", "what was recorded: from a state file (also of a running daemon) or from exported files");
  audit->require_subcommand(1);
  audit->fallthrough();
  auto* const tail = add_audit_verb(*audit, options.audit, "tail", "the last records");
  tail->add_option("-n", options.audit.count, "how many, at most 100000")->capture_default_str();
  tail->add_flag("-f,--follow", options.audit.follow, "go on with what comes");
  add_filter(*tail, options.audit);
  add_filter(*add_audit_verb(*audit, options.audit, "query", "the records that match all of what is given"), options.audit);
  auto* const exported = add_audit_verb(*audit, options.audit, "export", "records as JSON Lines");
  exported->add_option("--after", options.audit.after, "only those with a higher index: where an earlier export ended");
  (void)add_audit_verb(*audit, options.audit, "head", "index and hash of the last record, as INDEX:HASH");
  auto* const verify = add_audit_verb(*audit, options.audit, "verify", "check the chain of hashes; names the first bad record");
  verify->add_option("--head", options.audit.head,
                     "INDEX:HASH that somebody was told: shows an older copy, or an end that was cut off");
}

std::optional<int> run_offline(const CLI::App& app, const OfflineOptions& options, Output output) {
  if (app.got_subcommand("check")) return run_check(options.image, output);
  if (app.got_subcommand("restore")) return run_restore(options.backup, options.image, output);
  if (app.got_subcommand("dump")) return run_dump(options.image, output);
  if (app.got_subcommand("session") && app.get_subcommand("session")->got_subcommand("ls"))
    return run_session_list(options.image, options.peer, output);
  if (!app.got_subcommand("audit")) return std::nullopt;
  const std::string verb = app.get_subcommand("audit")->get_subcommands().front()->get_name();
  if (verb == "tail") return run_audit_tail(options.audit, output);
  if (verb == "query") return run_audit_query(options.audit, output);
  if (verb == "export") return run_audit_export(options.audit);
  if (verb == "head") return run_audit_head(options.audit, output);
  return run_audit_verify(options.audit, output);
}

}  // namespace statefs::cli
