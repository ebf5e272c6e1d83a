// DDMIN: which of many things are needed for a failure, found by leaving others out.
//
//   DDMIN -> minimize.h
//
// Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE Transactions on Software Engineering 28(2),
// 2002. The result is 1-minimal: leaving out any single thing that is left, and nothing else, makes the failure go away. That
// takes about log2(count) tests for each thing that is needed where they are few, and count squared at worst.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace statefs::sim {

// Whether it still fails with only these, which ascend; the answer for the same things is always the same.
using FailsWith = std::function<bool(const std::vector<std::size_t>& kept)>;

// Of the things 0 to count - 1, those that are needed. With all of them it fails: that is not tested again. Once `enough()`
// is true nothing more is tested, and the result is what is left by then.
[[nodiscard]] std::vector<std::size_t> ddmin(std::size_t count, const FailsWith& fails, const std::function<bool()>& enough = {});

}  // namespace statefs::sim
