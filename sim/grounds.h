// GROUNDS: what of a server's history may be the cause of an answer: sessions, what is durable, room, failures, restarts.
//
//   case.h, session_log.h -> GROUNDS -> check_answers.cpp, session_causes.h, check_counted.cpp
//
// Where the trace does not tell a number exactly, the grounds err on the side of the server: a cause that may have been there
// is one. Places are inclusive: from the last entry before a request was opened to the last before its answer was sealed.
#pragma once

#include <algorithm>
#include <vector>

#include "sim/session_log.h"
#include "sim/timeline.h"

namespace statefs::sim {

class Grounds {
 public:
  explicit Grounds(const Case& of);

  [[nodiscard]] const Case& of() const { return of_; }
  [[nodiscard]] const SessionLog& sessions() const { return sessions_; }

  [[nodiscard]] std::uint64_t durable_at(Place place) const { return value_at(durable_, place); }
  [[nodiscard]] std::uint64_t epoch_at(Place place) const { return durable_at(place) >> 40; }
  [[nodiscard]] std::uint64_t last_index_at(Place place) const { return value_at(last_index_, place); }
  [[nodiscard]] Place up_since(Place place) const { return static_cast<Place>(value_at(ups_, place)); }
  // Whether the store may have failed by then and was not opened again.
  [[nodiscard]] bool failed_by(Place place) const { return value_at(failed_, place) != 0; }
  // At least so many bytes of the log were free at each moment; it may have been more by an epoch's record.
  // A journal that may be full for another reason, on its disk or with what its exporter sees again, counts as full.
  [[nodiscard]] std::uint64_t log_free_least(Place from, Place to) const;
  // Whether the store had no room for the value under that key at some moment.
  [[nodiscard]] bool lacked_space(std::string_view key, std::uint64_t value_size, Place from, Place to) const;

  // What records of this kind must find free, with the record.
  static constexpr std::uint64_t log_entry_size_max = 48 + limits::audit_record_size_max;
  static constexpr std::uint64_t room_for_mutation = limits::audit_reserve_size + log_entry_size_max;
  static constexpr std::uint64_t room_for_count = limits::audit_reserve_size * 3 / 4 + log_entry_size_max;
  static constexpr std::uint64_t room_for_session = limits::audit_reserve_size / 2 + log_entry_size_max;

 private:
  using Steps = std::vector<std::pair<Place, std::uint64_t>>;  // the value from there on
  static std::uint64_t value_at(const Steps& steps, Place place) {
    const auto after = std::upper_bound(steps.begin(), steps.end(), place, [](Place p, const auto& each) { return p < each.first; });
    return after == steps.begin() ? 0 : (after - 1)->second;
  }
  // The highest value between the two, both included.
  static std::uint64_t most_between(const Steps& steps, Place from, Place to);
  void take_events();
  void fill_log();

  const Case& of_;
  SessionLog sessions_;
  Steps durable_, last_index_, ups_, failed_, free_, filled_;
};

}  // namespace statefs::sim
