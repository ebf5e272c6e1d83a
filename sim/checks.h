// CHECKS: each thing that must hold of a run, judged from the history of one server and its clients.
//
//   case.h -> CHECKS (one file each, check_NAME.cpp) -> checkers.h (all of them, over all servers)
//
//   completed     a call has one completion, none only where its client went down first; it says what can be said of its op
//   recorded      the effect, key and value that a store took agree with the record beside it, and the record with its call
//   exactly_once  a call is executed by at most one record at any moment; answered OK it has one in the end or is reported lost;
//                 reported lost, refused or timed out it has no effect
//   sessions      sequences of a slot ascend by one; a session is opened once, its generation never goes back, and after its end
//                 there is nothing more of it; the least recently used is evicted, and only without room
//   linearizable  each answer is what the store held at some moment between call and completion, in the store's own order
//   durability    a crash takes back nothing that was durable, or that was told as the durability mode forbids
//   audit         what is exported is what was stored, whole and in order, and never taken back; heads that clients hold are in it
//   rollback      a client that was told what a store no longer has says so before it goes on, in no session of before, and never else
//   policy        a shadow policy agrees with every verdict; no effect and no byte leaves the grant
//   quota         a PUT is over its writer's quota of keys exactly where it is answered so; the store holds no more than it may
//   answers       whatever a server answers to whomever was asked for on that connection and follows from its log and its state
//   staged        a value that came in chunks is whole, of the digest that was committed, and all of it was staged by its writer; a stage
//                 is missing, or without room, only where it can be
//   counted       refusals, damage and failed handshakes are recorded as often as they were, no more and no less
//   channel       what comes after a tampered byte of a stream is never taken for a request or an answer
//   links         each end shows signs of life in time and takes silence for death; no connection grows too old, no peer has too many
//   waits         clients wait between connections, longer each time, no longer than they must, and not in step
//   rates         no peer has more than its rates allow, none is put off or not read below them, whatever others do
//   bounds        what waits for a connection and how many there are stays under the limits; in the end nothing is left over
//   liveness      once faults have stopped each client that is up gets a PUT, GET, SYNC and DELETE done; nobody wakes up for nothing
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/case.h"

namespace statefs::sim {

struct CheckResult {
  std::string_view name;
  std::uint64_t judged = 0;
  std::string failure;  // the first one, with its place in the trace; empty: none

  void fail(const std::string& what) {
    if (failure.empty()) failure = what;
  }
};

[[nodiscard]] CheckResult check_completed(const Case& of);
[[nodiscard]] CheckResult check_recorded(const Case& of);
[[nodiscard]] CheckResult check_exactly_once(const Case& of);
[[nodiscard]] CheckResult check_sessions(const Case& of);
[[nodiscard]] CheckResult check_linearizable(const Case& of);
[[nodiscard]] CheckResult check_durability(const Case& of);
[[nodiscard]] CheckResult check_audit(const Case& of);
[[nodiscard]] CheckResult check_policy(const Case& of);
[[nodiscard]] CheckResult check_quota(const Case& of);
[[nodiscard]] CheckResult check_answers(const Case& of);
[[nodiscard]] CheckResult check_staged(const Case& of);
[[nodiscard]] CheckResult check_counted(const Case& of);
[[nodiscard]] CheckResult check_channel(const Case& of);
[[nodiscard]] CheckResult check_links(const Case& of);
[[nodiscard]] CheckResult check_waits(const Case& of);
[[nodiscard]] CheckResult check_rates(const Case& of);
[[nodiscard]] CheckResult check_bounds(const Case& of);
[[nodiscard]] CheckResult check_liveness(const Case& of);
[[nodiscard]] CheckResult check_rollback(const Case& of);

// For messages.
[[nodiscard]] std::string place_of(const SeenCall& call);
[[nodiscard]] std::string place_of(const SeenAppend& append);
[[nodiscard]] std::string behind(Place place);  // " behind entry N"; of no place nothing

}  // namespace statefs::sim
