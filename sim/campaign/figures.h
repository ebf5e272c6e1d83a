// FIGURES: what a bench costs in user CPU time, as lines for a person and for a table.
//
//   main.h (--bench) -> FIGURES -> bench.h, run.h
//
// One line per figure, `bench=NAME suite=SUITE ... figure_per_cpu_second=N ... digest=16HEX`. Each is the median of some
// repetitions of the same work in this process, and all of them must have the same digest. No figure mixes real cryptography
// (suite=real) with the stand-in (suite=stand-in). CPU time is that of this process alone: the clock is read here and in no bench.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace statefs::sim {

// How much work. The defaults take some tenths of a second each; a test takes less.
struct FigureSize {
  std::uint32_t repetitions = 5;
  std::uint32_t percent = 100;
};

// Tells the lines as they come. False where there is no bench of that name.
[[nodiscard]] bool tell_figures(std::string_view bench, const FigureSize& size, const std::function<void(const std::string&)>& tell);

// The names, parted by `, `; `all` is one of them.
[[nodiscard]] std::string bench_names();

}  // namespace statefs::sim
