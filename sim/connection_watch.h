// CONNECTION WATCH: what the driver of a server sees of its connections: how many there are, and how long they are let be.
//
//   server_program.h (tells it what it does) -> CONNECTION WATCH -> SeenLoad -> check_bounds.cpp
//
// It knows nothing of the server but the five-function face. A handshake takes two messages of known sizes from a peer, so a
// connection of which fewer bytes were read is in its handshake, and one that got no more than message 2 may still be.
#pragma once

#include <map>
#include <optional>

#include "core/session.h"
#include "sim/stream.h"

namespace statefs::sim {

class ConnectionWatch {
 public:
  explicit ConnectionWatch(const ServerLimits& limits) : limits_(limits) {}

  void accepted(StreamEnd end, Now now);
  void turned_away();
  void received(StreamEnd end, std::size_t size, Now now);
  void sent(StreamEnd end, std::size_t size);
  void ended_by_peer(StreamEnd end);
  void ended(StreamEnd end, Now now);
  void crashed() {
    all_.clear();
    timed_out_ = 0;
  }
  // After a wake-up: whether one is there that has had its time. `wants_input` says of a StreamEnd whether the server reads it.
  template <typename WantsInput>
  void look(Now now, WantsInput wants_input) {
    if (now.monotonic < next_look_) return;
    plan_look(now);
    for (auto& [end, seen] : all_) {
      if (!wants_input(end)) seen.heard = now.monotonic;
      if (!seen.aged && is_aged(seen, now)) seen.aged = now.monotonic;
      if (is_overdue(seen, now)) ++overdue_;
    }
  }

  [[nodiscard]] std::uint64_t one_too_many() const { return one_too_many_; }  // let in beyond a limit
  [[nodiscard]] std::uint64_t one_too_few() const { return one_too_few_; }    // turned away below all limits
  [[nodiscard]] std::uint64_t overdue() const { return overdue_; }            // left in a handshake, in silence or in age beyond its time
  [[nodiscard]] std::uint64_t timed_out() const { return timed_out_; }        // handshakes that were given up, since the last crash

 private:
  struct Seen {
    std::uint64_t received = 0, sent = 0;
    Time accepted, heard;
    std::optional<Time> aged;  // by when it was beyond its age
    bool ended_by_peer = false;
  };
  void plan_look(Now now);
  [[nodiscard]] bool is_aged(const Seen& seen, Now now) const;
  [[nodiscard]] bool is_overdue(const Seen& seen, Now now) const;

  ServerLimits limits_;
  std::map<StreamEnd, Seen> all_;
  Time next_look_;
  std::uint64_t one_too_many_ = 0, one_too_few_ = 0, overdue_ = 0, timed_out_ = 0;
};

}  // namespace statefs::sim
