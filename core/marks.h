// MARKS: how often each rare branch of a machine ran: a table of counters that is passed in with the machine.
//
//   core/*.cpp (STATEFS_MARK) -> MARKS <- sim/world.h (one table for all its machines), campaigns (which was never hit)
//
// The names are a closed list (server_marks.h, client_marks.h), resolved when the code is compiled: one that is not there does not compile, and
// a mark costs one increment. Whoever makes a machine may hand it a table that outlives it; one that is given none has
// one of its own, which nobody reads. Nothing that a machine does depends on a mark.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "core/client_marks.h"
#include "core/mark_name.h"
#include "core/server_marks.h"

namespace statefs {

inline constexpr std::size_t mark_count = std::size(server_marks) + std::size(client_marks);
inline constexpr std::array<MarkName, mark_count> mark_table = [] {
  std::array<MarkName, mark_count> all;
  std::copy(std::begin(client_marks), std::end(client_marks), std::copy(std::begin(server_marks), std::end(server_marks), all.begin()));
  return all;
}();

// The place of a name in the table; mark_count where it is not there.
constexpr std::size_t mark_named(std::string_view name) {
  std::size_t at = 0;
  while (at < mark_count && mark_table[at].name != name) ++at;
  return at;
}

// Counters, one for each name. Copying one copies the counts.
class Marks {
 public:
  void hit(std::size_t mark) { ++counts_[mark]; }
  [[nodiscard]] std::uint64_t count(std::size_t mark) const { return counts_[mark]; }
  // Adds what another run counted.
  void add(const Marks& other) {
    for (std::size_t mark = 0; mark < mark_count; ++mark) counts_[mark] += other.counts_[mark];
  }
  friend bool operator==(const Marks&, const Marks&) = default;

 private:
  std::array<std::uint64_t, mark_count> counts_{};
};

}  // namespace statefs

// Counts in `table`, which is a Marks.
#define STATEFS_MARK_IN(table, name)                                                                     \
  do {                                                                                                   \
    constexpr std::size_t statefs_mark_place = ::statefs::mark_named(name);                              \
    static_assert(statefs_mark_place < ::statefs::mark_count, "core/marks.h has no mark of that name"); \
    (table).hit(statefs_mark_place);                                                                     \
  } while (false)
// Counts in `marks_`, which a machine keeps as a private member.
#define STATEFS_MARK(name) STATEFS_MARK_IN(marks_, name)
