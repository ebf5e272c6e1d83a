// FILL WATCH: says once, each time the log passes a step on its way to full, that it did.
//
//   core/store.h (fill_percent) -> FILL WATCH -> daemon.h (a line on standard error)
#pragma once

#include <array>
#include <cstddef>
#include <optional>

namespace statefs {

class FillWatch {
 public:
  static constexpr std::array<unsigned, 2> steps = {75, 90};
  static constexpr unsigned slack = 5;  // so far below a step it must have been before the step is said again

  // The highest step that `percent` has passed since it was last below it.
  [[nodiscard]] std::optional<unsigned> passed(unsigned percent) {
    while (said_ > 0 && percent + slack < steps[said_ - 1]) --said_;
    std::optional<unsigned> step;
    while (said_ < steps.size() && percent >= steps[said_]) step = steps[said_++];
    return step;
  }

 private:
  std::size_t said_ = 0;
};

}  // namespace statefs
