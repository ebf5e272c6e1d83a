// CALLS: the calls of a client that have no completion yet, and the completions that were not taken yet.
//
//   client.h: submit -> CALLS -> (sent, answered, cut) -> completion
//
// A call waits in the line of its kind, in the order of submission; a read that a broken stream cut goes back to its place. A
// mutation that was sent stays in doubt until its fate is known: it never goes back by itself. Bound:
// limits::client_calls_max calls and completions together, and the bytes of as many requests.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "core/bytes.h"
#include "core/ledger.h"
#include "core/limits.h"
#include "core/marks.h"
#include "core/request.h"
#include "core/response.h"
#include "core/result.h"
#include "core/time.h"

namespace statefs {

enum class SubmitError { queue_full, too_large };

enum class CallResult : std::uint8_t {
  answered,         // `response` holds what the server said, refusals included
  outcome_unknown,  // a mutation was sent, and no server can say any more whether it ran, or the deadline passed first
  timed_out,        // the deadline passed and the call had no effect: it was never sent, or it was a read
};

// `response` points into `bytes`; moving a completion keeps it valid.
struct Completion {
  CallId call = 0;
  CallResult result = CallResult::answered;
  Response response;
  Bytes bytes;
  std::optional<OutcomeRequest> question{};  // of a mutation that was sent: what OUTCOME can be asked about it
};

// What a call needs before it may be sent.
enum class CallKind : std::uint8_t {
  read,      // nothing
  sync,      // that nothing of an earlier connection is in doubt
  mutation,  // a slot
};

class Calls {
 public:
  struct Call {
    Bytes bytes;          // what `request` points into
    RequestBody request;
    CallKind kind = CallKind::read;
    Time deadline = never;
    bool sent = false;    // and neither answered nor known to have had no effect
    std::uint16_t slot = 0;  // of a mutation that was sent
    std::optional<OutcomeRequest> question{};  // likewise
    std::uint64_t lost_before = 0;  // Ledger::lost_count() when it was submitted
  };

  // `marks` outlives the calls.
  explicit Calls(Marks& marks) : marks_(marks) {}

  [[nodiscard]] Result<CallId, SubmitError> submit(const RequestBody& request, Time deadline, std::uint64_t lost_before);
  [[nodiscard]] bool empty() const { return calls_.empty(); }
  [[nodiscard]] std::size_t size() const { return calls_.size(); }
  [[nodiscard]] bool issued(CallId call) const { return call >= 1 && call < next_; }
  [[nodiscard]] Call* find(CallId call);

  [[nodiscard]] std::optional<CallId> first_waiting(CallKind kind) const;
  [[nodiscard]] std::size_t reads_in_flight() const { return reads_in_flight_; }
  void sent(CallId call);
  void send_again(CallId call);           // it had no effect: back to its place in the line
  void cut();                             // the stream broke: every read goes back
  void complete(Completion completion);   // of a call that is there
  void settle(const Fate& fate);          // of a mutation that was in doubt; one that has expired is passed over
  // The call whose deadline passed first, or 0; expire() completes it.
  [[nodiscard]] CallId next_expired(Time now) const;
  void expire(CallId call);

  [[nodiscard]] std::optional<Completion> take_completion();
  [[nodiscard]] Time deadline() const;

 private:
  std::set<CallId>& line(CallKind kind) { return lines_[static_cast<std::size_t>(kind)]; }
  void take_off(CallId id, const Call& call);

  Marks& marks_;
  std::map<CallId, Call> calls_;
  std::array<std::set<CallId>, 3> lines_;       // waiting, by kind
  std::set<std::pair<Time, CallId>> deadlines_;
  std::size_t reads_in_flight_ = 0;             // and syncs
  CallId next_ = 1;
  std::deque<Completion> completions_;
};

}  // namespace statefs
