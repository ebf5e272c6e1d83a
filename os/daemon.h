// DAEMON: one server on one listening socket, and one of the local door, from its files to its clean end.
//
//   dsoftbusd_main.cpp (flags) -> DAEMON -> stream_driver.h, local_socket.h, core/server.h, state_file.h | core/memory_store.h, audit_export.h
//
// Everything that can be wrong with what it was given is found before it listens. SIGTERM and SIGINT end it when the
// streams are drained, a second one at once; SIGHUP reads peers and policy again and opens the audit file again, and
// where the new files are wrong the old policy stays.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/memory_store.h"
#include "core/server.h"
#include "os/audit_export.h"
#include "os/console.h"
#include "os/event_loop.h"
#include "os/fill_watch.h"
#include "os/identity.h"
#include "os/local_socket.h"
#include "os/state_file.h"
#include "os/stream_driver.h"

namespace statefs {

struct DaemonOptions {
  std::string listen = "127.0.0.1:7070";
  std::string local;   // path of the socket of the local door; empty: there is none
  std::string identity;
  std::string peers;
  std::string policy;  // empty: what every enrolled peer may do by default
  std::string state = "memory";  // or a path
  std::uint64_t state_size = state_size_default;
  Durability durability = Durability::sync;
  std::string audit = "-";
  StoreWish store;     // what quotas share; left open: the usual, or what a state file has room for
  std::optional<std::size_t> sessions_per_key;  // likewise
  ServerLimits limits;
};

class Daemon {
 public:
  // Listens when it returns; prints nothing.
  [[nodiscard]] static Result<std::unique_ptr<Daemon>, Problem> open(const DaemonOptions& options);
  // Serves until a signal ends it; the exit status of the program.
  [[nodiscard]] int run();

 private:
  Daemon(DaemonOptions options, std::unique_ptr<Suite> suite, EventLoop loop, Signals signals, std::unique_ptr<Console> console,
         AuditExport audit)
      : options_(std::move(options)),
        suite_(std::move(suite)),
        loop_(std::move(loop)),
        signals_(std::move(signals)),
        console_(std::move(console)),
        audit_(std::move(audit)) {}
  [[nodiscard]] std::optional<Problem> open_store(const Identity& identity);
  void serve_with(const Identity& identity, Policy policy, Fd listener);
  void handle_signals(Now now);
  void reload(Now now);
  void announce_first_service();
  void tell_trouble();
  void say(const std::string& line) { console_->say("dsoftbusd: " + line); }
  [[nodiscard]] bool damaged() const { return state_file_ != nullptr && state_file_->damaged(); }
  [[nodiscard]] int finish();
  enum class End { whole, not_exported, not_durable };
  [[nodiscard]] End put_away(Now now);

  DaemonOptions options_;
  Quota store_room_;             // what quotas share
  std::string lowered_;          // why that is less than usual
  std::unique_ptr<Suite> suite_;
  EventLoop loop_;
  Signals signals_;
  std::unique_ptr<Console> console_;
  AuditExport audit_;
  FillWatch fill_watch_;
  std::string address_;
  std::optional<LocalSocket> local_;
  std::unique_ptr<StateFile> state_file_;  // or null, and then:
  std::unique_ptr<MemoryStore> memory_;
  Store* store_ = nullptr;  // one of these
  std::unique_ptr<Server> server_;
  std::unique_ptr<StreamDriver> driver_;
  bool served_ = false;
  bool failure_told_ = false;
  bool stopping_ = false;
  bool stop_at_once_ = false;
};

}  // namespace statefs
