#include "sim/ddmin.h"

#include <algorithm>
#include <numeric>

namespace statefs::sim {
namespace {

using Things = std::vector<std::size_t>;

// Part `which` of `parts` that differ in size by at most one, or all but that part.
Things part_of(const Things& all, std::size_t which, std::size_t parts, bool all_but) {
  const std::size_t first = all.size() * which / parts;
  const std::size_t last = all.size() * (which + 1) / parts;
  Things some;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((i >= first && i < last) != all_but) some.push_back(all[i]);
  }
  return some;
}

}  // namespace

std::vector<std::size_t> ddmin(std::size_t count, const FailsWith& fails, const std::function<bool()>& enough) {
  const auto stopped = [&enough] { return enough && enough(); };
  if (count == 0 || fails({})) return {};
  Things kept(count);
  std::iota(kept.begin(), kept.end(), std::size_t{0});
  const auto first_that_fails = [&](std::size_t parts, bool all_but) {
    for (std::size_t i = 0; i < parts && !stopped(); ++i) {
      Things some = part_of(kept, i, parts, all_but);
      if (!fails(some)) continue;
      kept = std::move(some);
      return true;
    }
    return false;
  };
  for (std::size_t parts = 2; kept.size() >= 2 && !stopped();) {
    if (first_that_fails(parts, false)) {
      parts = 2;
    } else if (parts > 2 && first_that_fails(parts, true)) {  // of two parts, each is all but the other
      parts = std::max<std::size_t>(parts - 1, 2);
    } else if (parts == kept.size()) {
      break;
    } else {
      parts = std::min(parts * 2, kept.size());
    }
  }
  return kept;
}

}  // namespace statefs::sim
