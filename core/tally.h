// TALLY: what is recorded by number rather than one by one, so that a flood cannot fill the log.
//
//   service.h, server.h -> TALLY -> store.h (audit records with counts)
//
// Refused reads and malformed frames by (peer, op, status), and connections ended by damage by peer, become one
// record each at the end of the wake-up, in the commit of its answers. Failed handshakes become one for each cause, at
// most once in limits::aggregate_interval: keys are free to mint, so there is no table by key. Nothing is uncounted:
// where the log has no room the numbers wait here. Space is bounded by peers and uids of the policy x ops x statuses.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "core/audit.h"
#include "core/marks.h"
#include "core/store.h"
#include "core/time.h"

namespace statefs {

class Tally {
 public:
  // `store` and `marks` outlive the tally. `policy` is the version that every record of this tally and the service names.
  Tally(Store& store, const Digest& policy, Marks& marks) : store_(store), marks_(marks), policy_(policy) {}

  void count_refusal(const PeerRef& peer, std::uint8_t op, Status status);
  void count_damage(const PeerRef& peer);
  void count_handshake_failure(HandshakeFailure cause);
  void policy_changed(const Digest& version);

  // Appends the records that are due; once for each wake-up, before its commit.
  void record(Now now);
  // The same of all there is, due or not, for the end of the process: how many numbers the log had no room for.
  [[nodiscard]] std::size_t record_the_rest(Now now);
  // When numbers that wait for time are due; `never` where none are.
  [[nodiscard]] Time deadline() const;
  [[nodiscard]] const Digest& policy() const { return policy_; }
  [[nodiscard]] std::uint64_t refusals_counted() const { return refusals_counted_; }  // ever

 private:
  struct Key {
    AuditKind kind = AuditKind::refusals;
    Owner peer;
    std::uint8_t op = 0;
    Status status = Status::ok;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Count {
    std::uint64_t count = 0;
    std::string alias;
  };
  void count(AuditKind kind, const PeerRef& peer, std::uint8_t op, Status status);
  bool append(AuditRecord& record, Now now);
  bool record_handshakes(Now now);
  bool record_all(Now now);

  Store& store_;
  Marks& marks_;
  Digest policy_;
  std::map<Key, Count> counted_;
  std::uint64_t refusals_counted_ = 0;
  std::array<std::uint64_t, handshake_failure_count + 1> handshakes_{};  // by HandshakeFailure
  bool handshakes_waiting_ = false;
  bool policy_waiting_ = true;                 // the policy that the program starts with is recorded too
  Time handshakes_due_{};
};

}  // namespace statefs
