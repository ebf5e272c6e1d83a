// WORKLOAD: seeded calls of one client over few keys, so that clients meet.
//
//   main.h (options) -> WORKLOAD -> client_program.h (submit) ... completed -> the next call
//
// A closed loop with a bound on calls in flight and a drawn pause between them. Every value is unlike every other
// of the run. What is asked depends on the workload's own streams and on what it was answered, never on the network's draws; but
// how long a value is that fills a block, on the server's log.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/client_program.h"
#include "sim/transfers.h"

namespace statefs::sim {

// One operation said instead of drawn.
struct PlannedCall {
  enum class If : std::uint8_t { always, absent, last };  // `last`: the revision that this client was answered last

  Op op = Op::sync;         // put, get, del, list or sync
  std::string key;          // below /state/shared/; of a list, the prefix
  If condition = If::always;
  Duration after;           // the pause before it
  friend bool operator==(const PlannedCall&, const PlannedCall&) = default;
};

struct WorkloadOptions {
  std::uint32_t operation_count = 40;
  std::uint32_t in_flight_max = 2;
  std::uint32_t key_count = 4;
  std::uint32_t value_size_max = 2'000;
  Duration pause_max = milliseconds(5);
  Duration timeout = seconds(20);
  // By weight; all zero is none.
  std::uint32_t put = 6, get = 6, del = 2, list = 2, sync = 1;
  // Large values whole, in and out in pieces; and chunks and commits of stages out of nowhere, which meet those of others of this peer.
  std::uint32_t upload = 0, download = 0, stray = 0;
  std::uint32_t large_size_max = 0;
  Ratio outside{1, 10};      // the key is one that no policy or rule lets through
  Ratio conditional{1, 4};
  Ratio ranged{1, 6};        // GET asks for a part
  Ratio paged{1, 3};         // LIST goes on from a cursor
  Ratio breaks{0, 1};        // before a call, the stream is cut
  Ratio filling{0, 1};       // a PUT's value is as long as it takes to end a block of the server's log
};

[[nodiscard]] std::string describe(const WorkloadOptions& options);

class Workload final : public Handler, public CallUser {
 public:
  // Does these operations, in this order. Operation n draws from `workload/NODE` split by n: leaving one out moves no other.
  // Those that `calls` has are as said there. start() follows, with a client that calls back.
  Workload(Node& node, const WorkloadOptions& options, std::vector<std::uint32_t> operations, std::vector<PlannedCall> calls = {});
  Workload(Node& node, const WorkloadOptions& options);  // all of them
  ~Workload() override;
  void start(ClientProgram& client);
  // How long the value of a PUT of this key must be, now, to end a block of the server's log.
  using SizeToEdge = std::function<std::uint64_t(std::string_view key)>;
  void watch_log(SizeToEdge size_to_edge) { size_to_edge_ = std::move(size_to_edge); }

  // So many more, one after the other, which are all to be answered by then: PUT, GET, SYNC and DELETE in turn, of one key that
  // is granted, with no condition. One that the log had no room for, or that was beyond a rate, is asked again a few times.
  void continue_calmly(std::uint32_t operation_count, Duration timeout);
  // The client crashed: what it was doing is nobody's concern any more. It is started again by client_started(), or not.
  void client_stopped();
  void client_started();
  void give_up() { operations_.resize(next_); }  // plans nothing more

  [[nodiscard]] bool done() const { return next_ == operations_.size() && planned_ == 0 && in_flight_ == 0; }
  [[nodiscard]] std::uint32_t completed_count() const { return completed_; }

  void completed(ClientProgram& client, Completion completion) override;
  void fire(std::uint32_t kind, std::uint64_t argument) override;

 private:
  struct Draws;
  void plan_next();
  void call(std::uint32_t operation);
  void upload(Draws& draws, const std::string& key, const std::optional<std::uint64_t>& condition);
  void stray(Draws& draws, const std::string& key);
  [[nodiscard]] std::uint64_t epoch() const;  // what a SYNC names
  void submit(const RequestBody& body);
  void transfer();  // goes on with all of them
  void submit_calm(std::uint32_t operation);
  void submit_planned(std::uint32_t operation);
  [[nodiscard]] Duration pause_before(std::uint32_t operation) const;
  [[nodiscard]] RandomStream draws_of(std::uint32_t operation) const;

  Node& node_;
  WorkloadOptions options_;
  RandomStream random_;
  std::vector<std::uint32_t> operations_;
  std::vector<PlannedCall> calls_;  // by operation
  ClientProgram* client_ = nullptr;
  std::size_t next_ = 0;         // of operations_, to be planned
  std::uint32_t in_flight_ = 0;
  std::uint32_t completed_ = 0;
  SizeToEdge size_to_edge_;           // none: nobody can tell
  std::uint32_t calm_operation_ = 0;  // the last
  std::uint32_t calm_retries_ = 0;
  Duration calm_wait_;                // before the next, as an answer said
  std::vector<std::uint64_t> revisions_;  // the last few that were answered
  Transfers transfers_;
  EventId waiting_ = 0;  // for the deadline of a transfer
  EventId planned_ = 0;
};

}  // namespace statefs::sim
