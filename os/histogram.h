// HISTOGRAM: durations counted in buckets that are 1/64 of a power of two wide: quantiles to about 1.6 %, in fixed memory.
//
//   bench.cpp -> HISTOGRAM -> p50, p99, p999
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace statefs {

class Histogram {
 public:
  void add(std::int64_t ns) {
    const auto value = static_cast<std::uint64_t>(ns < 0 ? 0 : ns);
    ++counts_[bucket_of(value)];
    ++count_;
    if (value > max_) max_ = value;
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t max_ns() const { return max_; }

  // The smallest bound that at least `numerator / denominator` of the durations do not exceed; 0 where there are none.
  [[nodiscard]] std::uint64_t quantile_ns(std::uint64_t numerator, std::uint64_t denominator) const {
    const std::uint64_t wanted = (count_ * numerator + denominator - 1) / denominator;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen < wanted || seen == 0) continue;
      const bool is_last = i + 1 == counts_.size();  // it has no upper bound
      return is_last || upper_of(i) > max_ ? max_ : upper_of(i);
    }
    return 0;
  }

 private:
  static constexpr std::size_t sub_bits = 6;
  static constexpr std::size_t sub_count = std::size_t{1} << sub_bits;
  static constexpr std::size_t powers = 40;  // up to about 70,000 s; longer durations share the last bucket

  static std::size_t bucket_of(std::uint64_t value) {
    if (value < sub_count) return static_cast<std::size_t>(value);
    const std::size_t power = static_cast<std::size_t>(std::bit_width(value)) - 1 - sub_bits;
    if (power >= powers) return (powers + 1) * sub_count - 1;
    return (power + 1) * sub_count + static_cast<std::size_t>((value >> power) - sub_count);
  }
  static std::uint64_t upper_of(std::size_t bucket) {
    if (bucket < sub_count) return bucket;
    const std::size_t power = bucket / sub_count - 1;
    return ((bucket % sub_count + sub_count + 1) << power) - 1;
  }

  std::array<std::uint64_t, (powers + 1) * sub_count> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace statefs
