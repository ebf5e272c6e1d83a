// COVER: how far bytes from 0 on are there without a gap, whatever order they came in.
//
//   COVER -> check_staged.cpp
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

namespace statefs::sim {

class Cover {
 public:
  void add(std::uint64_t from, std::uint64_t to) {
    if (from > end_) {
      std::uint64_t& most = beyond_[from];
      most = std::max(most, to);
      return;
    }
    end_ = std::max(end_, to);
    for (; !beyond_.empty() && beyond_.begin()->first <= end_; beyond_.erase(beyond_.begin())) end_ = std::max(end_, beyond_.begin()->second);
  }
  [[nodiscard]] std::uint64_t end() const { return end_; }

 private:
  std::uint64_t end_ = 0;
  std::map<std::uint64_t, std::uint64_t> beyond_;  // from, to
};

}  // namespace statefs::sim
