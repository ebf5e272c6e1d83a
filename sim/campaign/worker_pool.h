// WORKER POOL: processes that run one seed after another, each the next that nobody has yet.
//
//   campaign.h (which seeds) -> WORKER POOL -> child.h -> seed_result.h
//
// A worker has one seed at a time, so what it wrote before it ended belongs to that seed. One that ends before it has
// answered is the result of its seed, and another takes its place. A child that was ended from outside proves nothing:
// that is a problem of the machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/campaign/child.h"
#include "sim/campaign/seed_result.h"

namespace statefs::sim {

struct WorkerAnswer {
  std::uint64_t index = 0;  // as given
  SeedResult result;
};

// How many processors this process may use.
[[nodiscard]] std::uint32_t processor_count();

class WorkerPool {
 public:
  // What is kept of the last that a worker wrote.
  static constexpr std::size_t tail_size_max = 4096;

  // At most `count` processes at once, started as they are needed. `cpu_seconds`: for each seed, zero: no bound.
  WorkerPool(SeedRunner run, std::uint32_t count, std::uint32_t cpu_seconds);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();

  [[nodiscard]] bool has_idle() const;
  void give(std::uint64_t index, std::uint64_t seed);  // only while one is idle
  // Waits up to this long for an answer, and returns all that there are.
  [[nodiscard]] std::vector<WorkerAnswer> take(int wait_ms);
  // Why no result of this pool counts any more; empty: no reason.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  struct Worker {
    Child child;
    bool busy = false;
    std::uint64_t index = 0;
    std::uint64_t seed = 0;
    Bytes answer;
    std::string tail;
  };
  [[nodiscard]] bool start(Worker& worker);
  void listen(Worker& worker, std::vector<WorkerAnswer>& answers);
  void bury(Worker& worker, std::vector<WorkerAnswer>& answers);
  [[nodiscard]] int serve(int commands, int answers) const;

  SeedRunner run_;
  std::uint32_t cpu_seconds_;
  std::vector<Worker> workers_;
  std::string problem_;
  void (*sigpipe_before_)(int);
};

}  // namespace statefs::sim
