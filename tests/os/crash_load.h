// CRASH LOAD: clients on real sockets that keep mutations in flight at a daemon that is killed and started again, and what
// they asked and were told.
//
//   core/client.h over os/client_link.h -> CRASH LOAD -> crash_run.h
//
// Every value is unique: it begins with the number of its client and of its call, so its MAC in an audit names the call.
#pragma once

#include <poll.h>

#include <map>
#include <string>

#include "os/client_link.h"
#include "sim/history.h"
#include "sim/random.h"

namespace statefs::test {

// What was seen from outside; `clock` numbers calls, completions, kills and starts in the order in which they happened.
struct LoadLog {
  sim::History history;  // calls and lost writes
  sim::Place clock = 0;
  std::uint64_t promised_index = 0;  // the highest that an answer called durable
};

// Keys under here are refused by the default policy.
inline constexpr const char* refused_folder = "/state/private/";

class CrashClient {
 public:
  // `suite` outlives it. `number` is its node in the log, at most 255, and gives its key (test_secret of loopback_server.h).
  CrashClient(const Suite& suite, const PublicKey& server, const Endpoint& endpoint, std::uint64_t seed, std::uint8_t number);

  // Keys of this chapter from now on: a key is written in few lives, so that the search for an order stays small.
  void set_chapter(std::size_t chapter) { chapter_ = chapter; }
  // Asks for nothing more by itself.
  void stop_calling() { calling_ = false; }
  void call(const RequestBody& body, LoadLog& log, Duration patience);
  void put(const std::string& key, LoadLog& log, Duration patience);

  [[nodiscard]] pollfd watched() const;
  // Opens a stream where one is wanted, makes calls that are due, and writes.
  void start(LoadLog& log);
  void service(int events, LoadLog& log);

  // Mutations that were written to the socket of a session that has answered one, and have no completion.
  [[nodiscard]] std::size_t mutations_sent() const;
  // Whether a mutation was answered on this connection.
  [[nodiscard]] bool warm() const { return answered_here_ > 0 && link_.client().ready(); }
  [[nodiscard]] bool idle() const { return waiting_.empty(); }
  [[nodiscard]] const std::optional<HelloResponse>& hello() const { return link_.client().server_hello(); }
  [[nodiscard]] std::uint64_t ends() const { return link_.ends(); }

 private:
  void call_by_itself(LoadLog& log);
  void completed(const Completion& completion, LoadLog& log);
  [[nodiscard]] std::optional<std::uint64_t> condition();

  std::uint8_t number_;
  sim::RandomStream random_;
  ClientLink link_;
  std::map<CallId, std::size_t> waiting_;  // places in the history
  std::size_t mutations_waiting_ = 0;
  std::size_t answered_here_ = 0;
  std::uint64_t ends_seen_ = 0;
  std::size_t chapter_ = 0;
  std::uint64_t value_count_ = 0;
  std::uint64_t last_revision_ = 0;
  Time next_call_{};
  bool calling_ = true;
};

}  // namespace statefs::test
