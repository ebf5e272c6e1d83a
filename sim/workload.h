// WORKLOAD: seeded calls of one client over few keys, so that clients meet.
//
//   main.h (options) -> WORKLOAD -> client_program.h (submit) ... completed -> the next call
//
// A closed loop with a bound on calls in flight and a drawn pause between them. Every value is unlike every other
// of the run. What is asked depends on the workload's own stream and on what it was answered, never on the network's draws.
#pragma once

#include <string>
#include <vector>

#include "sim/client_program.h"

namespace statefs::sim {

struct WorkloadOptions {
  std::uint32_t operation_count = 40;
  std::uint32_t in_flight_max = 2;
  std::uint32_t key_count = 4;
  std::uint32_t value_size_max = 2'000;
  Duration pause_max = milliseconds(5);
  Duration timeout = seconds(20);
  // By weight; all zero is none.
  std::uint32_t put = 6, get = 6, del = 2, list = 2, sync = 1;
  Ratio outside{1, 10};      // the key is one that no policy or rule lets through
  Ratio conditional{1, 4};
  Ratio breaks{0, 1};        // before a call, the stream is cut
};

[[nodiscard]] std::string describe(const WorkloadOptions& options);

class Workload final : public Handler, public CallUser {
 public:
  // Draws from `workload/NODE`. start() follows, with a client that calls back.
  Workload(Node& node, const WorkloadOptions& options);
  ~Workload() override;
  void start(ClientProgram& client);

  [[nodiscard]] bool done() const { return completed_ == options_.operation_count; }
  [[nodiscard]] std::uint32_t completed_count() const { return completed_; }

  void completed(ClientProgram& client, Completion completion) override;
  void fire(std::uint32_t kind, std::uint64_t argument) override;

 private:
  void plan_next();
  void call();
  [[nodiscard]] std::string draw_key();
  [[nodiscard]] std::string draw_prefix();
  [[nodiscard]] Bytes draw_value();
  [[nodiscard]] std::optional<std::uint64_t> draw_condition();

  Node& node_;
  WorkloadOptions options_;
  RandomStream random_;
  ClientProgram* client_ = nullptr;
  std::uint32_t submitted_ = 0;  // planned ones included
  std::uint32_t completed_ = 0;
  std::uint32_t value_count_ = 0;
  std::vector<std::uint64_t> revisions_;  // the last few that were answered
  EventId planned_ = 0;
};

}  // namespace statefs::sim
