#include "sim/draw_sizes.h"

#include <algorithm>

namespace statefs::sim {

void bound_values(const Faults& faults, WorkloadOptions& work) {
  constexpr std::uint64_t windows_max = 512;
  const Ratio cut = faults.cut_per_write;
  const std::uint64_t most = faults.stream.send_window * (cut.part != 0 ? cut.whole / cut.part : windows_max);
  const auto size_max = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(most, 512, 1u << 20));
  work.large_size_max = std::min(work.large_size_max, size_max);
  // One that goes in one piece begins again after each cut.
  if (cut.part != 0) work.value_size_max = std::min(work.value_size_max, std::max(size_max / 4, 512u));
}

void draw_thirst(RandomStream& random, Plan& plan) {
  WorkloadOptions& work = plan.workload;
  work.operation_count = 400;
  work.in_flight_max = 16;
  work.key_count = 1 + static_cast<std::uint32_t>(random.below(2));
  work.value_size_max = 10'000 + static_cast<std::uint32_t>(random.below(55'000));
  work.pause_max = milliseconds(1);
  work.timeout = seconds(60);
  work.put = 2;
  work.get = 12;
  work.del = 0;
  plan.limits.output_size_max = 2 * limits::frame_size_max;
  plan.faults.link.bytes_per_second = 200'000 + random.below(2'000'000);
  plan.faults.stream = {};
  plan.faults.stream.send_window = 4'000 + random.below(12'000);
}

void draw_filling(RandomStream& random, Plan& plan) {
  WorkloadOptions& work = plan.workload;
  work.filling = {3, 4};
  work.operation_count = 250;
  work.key_count = 1 + static_cast<std::uint32_t>(random.below(3));
  work.in_flight_max = 1 + static_cast<std::uint32_t>(random.below(2));
  work.value_size_max = 1 + static_cast<std::uint32_t>(random.below(300));
  work.pause_max = std::min(work.pause_max, milliseconds(20));
  work.put = 8;
  work.get = work.list = 1;
  work.sync = static_cast<std::uint32_t>(random.below(8));
  work.upload = work.download = work.stray = 0;
  plan.faults.cut_per_write = {};
  plan.faults.link.bytes_per_second = 0;
  // Through less, in less time, no value gets through whole.
  plan.faults.stream.send_window = std::max<std::size_t>(plan.faults.stream.send_window, 16'000);
  if (plan.limits.connection_age_max < seconds(10)) plan.limits.connection_age_max = seconds(10);
  plan.store.commits = random.chance({1, 2});
  plan.store.value_bytes_max = 60'000;
  plan.store.keys_max = 4;
  plan.limits.sessions_per_key = std::min<std::size_t>(plan.limits.sessions_per_key, 2);
  plan.limits.staging.value_size_max = std::min<std::size_t>(plan.limits.staging.value_size_max, limits::value_size_max);
  for (PolicyPlan& policy : plan.policies) {
    policy.quota_bytes = 0;
    policy.strangers.clear();  // so many calls, each until its time is over, take long
  }
}

}  // namespace statefs::sim
