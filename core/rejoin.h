// REJOIN: how a client gets from a new connection to a session it can use, and learns what became of its calls.
//
//   ledger.h <-> REJOIN -> client.h (sends its requests, acts on the fates)
//
//   apart --OPEN--> joined            no session yet, or its OPEN was not answered
//   apart --RESUME--> joined          the server's table is not behind what it had answered
//                 \--> closing --CLOSE--> covering   it is behind: writes were lost; on in a new session
//                 \--> asking --OUTCOME..--> covering   the session is gone: ask for each call
//   covering --SYNC--> apart   once a head covers what is left of the session, or nothing is: whatever takes that away then is a
//                              rollback that the head shows
//
// One request of its own is under way at a time. A request that the server cannot take now is made again after the wait it
// names.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "core/crypto.h"
#include "core/ledger.h"
#include "core/marks.h"
#include "core/request.h"
#include "core/response.h"
#include "core/time.h"

namespace statefs {

class Rejoin {
 public:
  // Both outlive it.
  Rejoin(Ledger& ledger, Marks& marks) : ledger_(ledger), marks_(marks) {}

  // A new connection: `random` names the next session, where one will be needed.
  void connected(const SessionInstance& random);
  // HELLO was answered, by this store in this epoch.
  void greeted(const StoreId& store, std::uint64_t epoch);
  void disconnected();

  [[nodiscard]] bool joined() const { return step_ == Step::joined; }
  // Whether what an earlier connection left behind has not been looked into.
  [[nodiscard]] bool in_doubt() const { return session_ != 0 && step_ != Step::joined; }

  // The next request to send, if it is time; the answer to it goes to answered().
  [[nodiscard]] std::optional<RequestBody> next(Time now);
  enum class Progress : std::uint8_t { ok, impossible };
  // Fates of calls that were in flight are appended. `impossible`: no server that keeps its promises answers so.
  [[nodiscard]] Progress answered(const Response& response, Time now, std::vector<Fate>& fates);
  // The server's history was cut back: the session is left behind as it is, and what was in flight with it.
  [[nodiscard]] std::vector<Fate> abandon();
  // The server fenced or forgot the session in the middle of it.
  void lost_session();

  // Session and generation of the requests to send.
  [[nodiscard]] std::uint64_t session() const { return session_; }
  [[nodiscard]] std::uint32_t generation() const { return generation_; }
  [[nodiscard]] const SessionInstance& instance() const { return instance_; }
  // When next() has something to send; `never` while an answer is awaited or nothing is to be done.
  [[nodiscard]] Time deadline() const { return under_way_.has_value() || step_ == Step::joined || step_ == Step::offline ? never : not_before_; }

 private:
  enum class Step : std::uint8_t { offline, apart, closing, asking, covering, joined };

  [[nodiscard]] Progress registered(Status status, const SessionResponse& answer, std::vector<Fate>& fates);
  [[nodiscard]] Progress closed(Status status, const SessionResponse& answer, std::vector<Fate>& fates);
  [[nodiscard]] Progress covered(const Response& response);
  Progress impossible() const;
  void forget();
  std::optional<RequestBody> make_request();

  Ledger& ledger_;
  Marks& marks_;
  Step step_ = Step::offline;
  std::optional<Op> under_way_;  // the request whose answer is awaited
  Time not_before_{};
  std::uint32_t refusals_ = 0;   // in a row, on this connection
  SessionInstance fresh_{};      // of the next session
  SessionInstance instance_{};   // of this one
  bool opening_ = false;         // OPEN with instance_ was sent and not answered
  std::uint64_t session_ = 0;    // 0: none
  std::uint64_t epoch_ = 0;      // of the server
  std::uint32_t generation_ = 0;
  std::optional<Ledger::Question> question_;
};

}  // namespace statefs
