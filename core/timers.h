// TIMERS: when each connection wants to be looked at again.
//
//   session.h (deadline) -> TIMERS -> server.h
//
// A session's deadline mostly moves later, so a timer that fires early is set again by whoever it fires for, not moved.
// Invariant: no connection has an armed time without a timer for it, and timers grow with connections, not with what they do.
#pragma once

#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "core/marks.h"
#include "core/registrar.h"
#include "core/time.h"

namespace statefs {

class Timers {
 public:
  // `marks` outlives the timers.
  explicit Timers(Marks& marks) : marks_(marks) {}

  // No later than `due`.
  void arm(ConnectionId connection, Time due) {
    if (connection >= armed_.size()) armed_.resize(connection + std::size_t{1}, never);
    if (due >= armed_[connection]) return;
    armed_[connection] = due;
    queue_.push({due, connection});
    if (queue_.size() > 4 * armed_.size() + 64) rebuild();
  }
  void disarm(ConnectionId connection) {
    if (connection < armed_.size()) armed_[connection] = never;
    drop_stale();
  }
  // A connection whose time has come, which is then disarmed.
  [[nodiscard]] std::optional<ConnectionId> fire(Time now) {
    while (!queue_.empty() && queue_.top().at <= now) {
      const Timer timer = queue_.top();
      queue_.pop();
      if (armed_[timer.connection] != timer.at) continue;
      armed_[timer.connection] = never;
      return timer.connection;
    }
    drop_stale();
    return std::nullopt;
  }
  // Of a connection that is armed, never of one that is gone: that of an idle one may be a day away.
  [[nodiscard]] Time deadline() const { return queue_.empty() ? never : queue_.top().at; }

 private:
  struct Timer {
    Time at;
    ConnectionId connection = 0;
    friend bool operator>(const Timer& a, const Timer& b) {
      return a.at != b.at ? a.at > b.at : a.connection > b.connection;
    }
  };
  void drop_stale() {
    while (!queue_.empty() && armed_[queue_.top().connection] != queue_.top().at) queue_.pop();
  }
  // Drops all timers that no connection waits for any more, so that short connections cannot pile them up.
  void rebuild() {
    STATEFS_MARK_IN(marks_, "server.timers_rebuilt");
    std::vector<Timer> live;
    for (ConnectionId id = 0; id < armed_.size(); ++id) {
      if (armed_[id] != never) live.push_back({armed_[id], id});
    }
    queue_ = decltype(queue_)(std::greater<>{}, std::move(live));
  }

  Marks& marks_;
  std::vector<Time> armed_;  // the earliest timer of each connection
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> queue_;
};

}  // namespace statefs
