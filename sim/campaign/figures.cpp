#include "sim/campaign/figures.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "core/check.h"
#include "sim/bench.h"
#include "sim/run.h"

namespace statefs::sim {
namespace {

using Tell = std::function<void(const std::string&)>;

std::int64_t cpu_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return std::int64_t{used.ru_utime.tv_sec} * 1'000'000 + used.ru_utime.tv_usec;
}

// One repetition: how long the work took and what there is to count.
struct Sample {
  std::int64_t us = 0;
  std::uint64_t calls = 0;
  std::uint64_t events = 0;
  std::uint64_t digest = 0;
};

// What was counted while `work` ran.
template <typename Work>
Sample measure(Work work) {
  const std::int64_t from = cpu_us();
  Sample sample = work();
  sample.us = std::max<std::int64_t>(cpu_us() - from, 1);
  return sample;
}

// The one in the middle by time. Repetitions do the same work, or figures mean nothing.
Sample median_of(std::uint32_t repetitions, const std::function<Sample()>& repetition) {
  std::vector<Sample> samples;
  for (std::uint32_t i = 0; i < std::max(repetitions, 1u); ++i) {
    samples.push_back(repetition());
    STATEFS_CHECK(samples.back().digest == samples.front().digest);
  }
  std::sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.us < b.us; });
  return samples[samples.size() / 2];
}

std::uint64_t per_second(std::uint64_t count, std::int64_t us) { return count * 1'000'000 / static_cast<std::uint64_t>(us); }

std::uint64_t ns_per_call(const Sample& sample) {
  return static_cast<std::uint64_t>(sample.us) * 1000 / std::max<std::uint64_t>(sample.calls, 1);
}

std::string line(const std::string& head, const std::string& figure, std::uint64_t value, const Sample& sample) {
  return head + " " + figure + "=" + std::to_string(value) + " cpu_us=" + std::to_string(sample.us) + " calls=" +
         std::to_string(sample.calls) + " events=" + std::to_string(sample.events) + " digest=" + hex16(sample.digest);
}

std::string head_of(const std::string& bench, const BenchOptions& options) {
  return "bench=" + bench + " suite=" + (options.real_crypto ? "real" : "stand-in") + " store=" + (options.crashable ? "crashable" : "memory");
}

// Work under way for some time of the world, what comes before it apart.
Sample measure_running(const BenchOptions& options, Duration duration) {
  Bench bench(options);
  bench.begin();
  const std::uint64_t calls = bench.call_count();
  const std::uint64_t events = bench.event_count();
  return measure([&] {
    bench.run_for(duration);
    return Sample{0, bench.call_count() - calls, bench.event_count() - events, bench.digest().value()};
  });
}

Duration share(Duration whole, const FigureSize& size) { return {std::max<std::int64_t>(whole.ns / 100 * size.percent, 1)}; }
std::uint64_t share(std::uint64_t whole, const FigureSize& size) { return std::max<std::uint64_t>(whole * size.percent / 100, 1); }

constexpr std::array<std::pair<bool, bool>, 4> variants{{{false, false}, {false, true}, {true, false}, {true, true}}};

// Calls and events under way, then whole worlds of a second: built, connected, run and gone.
void tell_rpc16(const FigureSize& size, const Tell& tell) {
  for (const auto& [real, crashable] : variants) {
    BenchOptions options;
    options.real_crypto = real;
    options.crashable = crashable;
    const std::string head = head_of("rpc16", options);
    const Sample run = median_of(size.repetitions, [&] { return measure_running(options, share(seconds(8), size)); });
    tell(line(head, "rpc_per_cpu_second", per_second(run.calls, run.us), run));
    tell(line(head, "events_per_cpu_second", per_second(run.events, run.us), run));
    const Sample seeds = median_of(size.repetitions, [&] {
      return measure([&] {
        Sample sample;
        for (options.seed = 1; options.seed <= share(5, size); ++options.seed) {
          Bench bench(options);
          bench.run_for(share(seconds(1), size));
          sample.calls += bench.call_count();
          sample.events += bench.event_count();
          sample.digest = mix(sample.digest ^ bench.digest().value());
        }
        return sample;
      });
    });
    tell(line(head, "seeds_per_1000_cpu_seconds", per_second(share(5, size) * 1000, seeds.us), seeds));
  }
}

void tell_connects(const FigureSize& size, const Tell& tell) {
  BenchOptions options;
  options.work = BenchOptions::Work::connects;
  const Sample run = median_of(size.repetitions, [&] { return measure_running(options, share(milliseconds(500), size)); });
  tell(line(head_of("connects", options), "connects_per_cpu_second", per_second(run.calls, run.us), run));
}

// Sixteen clients with a call a second each.
void tell_idle(const FigureSize& size, const Tell& tell) {
  for (const bool real : {false, true}) {
    BenchOptions options;
    options.real_crypto = real;
    options.pause = seconds(1);
    const std::uint64_t seconds_count = share(1000, size);
    const Sample run = median_of(size.repetitions, [&] { return measure_running(options, seconds(static_cast<std::int64_t>(seconds_count))); });
    tell(line(head_of("idle", options), "simulated_seconds_per_cpu_second", per_second(seconds_count, run.us), run));
  }
}

// The same load on each client with 8 servers and 492 clients as with 1 and 16.
void tell_nodes500(const FigureSize& size, const Tell& tell) {
  for (const bool real : {false, true}) {
    BenchOptions few;
    few.real_crypto = real;
    BenchOptions many = few;
    many.server_count = 8;
    many.client_count = 492;
    const Sample small = median_of(size.repetitions, [&] { return measure_running(few, share(seconds(4), size)); });
    const Sample large = median_of(size.repetitions, [&] { return measure_running(many, share(milliseconds(200), size)); });
      const std::string head = head_of("nodes500", few);
    tell(line(head + " nodes=17", "cpu_ns_per_rpc", ns_per_call(small), small));
    tell(line(head + " nodes=500", "cpu_ns_per_rpc", ns_per_call(large), large));
    tell(line(head, "percent_of_17_nodes", ns_per_call(large) * 100 / std::max<std::uint64_t>(ns_per_call(small), 1), large));
  }
}

// The queue and the digest alone, where an event does nothing.
void tell_events(const FigureSize& size, const Tell& tell) {
  const std::uint64_t count = share(4'000'000, size);
  const Sample run = median_of(size.repetitions, [&] {
    return measure([&] { return Sample{0, 0, count, run_empty_events(1, 16, count).value()}; });
  });
  tell(line("bench=events", "events_per_cpu_second", per_second(count, run.us), run));
}

// Whole seeds with faults and all checks, as a campaign runs them.
void tell_swarm(const FigureSize& size, const Tell& tell) {
  const std::uint64_t count = share(100, size);
  const Sample runs = median_of(size.repetitions, [&] {
    return measure([&] {
      Sample sample;
      for (std::uint64_t seed = 1; seed <= count; ++seed) {
        const RunReport report = run(draw_plan(seed));
        sample.calls += report.operations;
        sample.events += report.digest.event_count();
        sample.digest = mix(sample.digest ^ report.digest.value());
      }
      return sample;
    });
  });
  tell(line("bench=swarm suite=real store=crashable", "cpu_us_per_seed", static_cast<std::uint64_t>(runs.us) / count, runs));
}

struct Named {
  std::string_view name;
  void (*tell)(const FigureSize&, const Tell&);
};
constexpr std::array<Named, 6> benches{{{"rpc16", tell_rpc16}, {"connects", tell_connects}, {"idle", tell_idle},
                                       {"nodes500", tell_nodes500}, {"events", tell_events}, {"swarm", tell_swarm}}};

}  // namespace

bool tell_figures(std::string_view bench, const FigureSize& size, const Tell& tell) {
  bool found = false;
  for (const Named& each : benches) {
    if (bench != "all" && bench != each.name) continue;
    each.tell(size, tell);
    found = true;
  }
  return found;
}

std::string bench_names() {
  std::string names;
  for (const Named& each : benches) names += std::string(each.name) + ", ";
  return names + "all";
}

}  // namespace statefs::sim
