// REST WATCH: from when to when a server does not read a connection that is through its handshake and has room for output.
//
//   server_program.h (tells it what it sees) -> REST WATCH -> SeenRest -> check_rates.cpp, check_links.cpp
//
// It knows nothing of the server but the five-function face.
#pragma once

#include <map>
#include <vector>

#include "sim/history.h"
#include "sim/stream.h"

namespace statefs::sim {

class RestWatch {
 public:
  void sent(StreamEnd end, std::size_t size) { all_[end].sent += size; }
  // `now` is the world's time.
  void ended(StreamEnd end, Time now) {
    Seen& seen = all_[end];
    seen.rest.is_edge = true;
    if (seen.rests) over(seen, now);
    all_.erase(end);
  }
  void crashed() { all_.clear(); }
  // After each wake-up in which something happened to it. `now` is the world's time, and `place` that of the last entry of the trace.
  void look(StreamEnd end, const SeenRest& now, bool is_read, std::size_t waiting_size, std::size_t output_size_max) {
    constexpr std::uint64_t handshake_size_max = 2 + 48;  // message 2
    Seen& seen = all_[end];
    if (!is_read && !seen.rests && waiting_size < output_size_max) {
      seen.rests = true;
      seen.rest = now;
      seen.rest.is_edge = seen.sent <= handshake_size_max;
    } else if (is_read && seen.rests) {
      seen.rests = false;
      over(seen, now.from);
    }
  }
  // By when they were over.
  [[nodiscard]] const std::vector<SeenRest>& rests() const { return rests_; }

 private:
  struct Seen {
    std::uint64_t sent = 0;
    bool rests = false;
    SeenRest rest;
  };
  void over(Seen& seen, Time now) {
    seen.rest.until = now;
    if (seen.rest.until > seen.rest.from) rests_.push_back(seen.rest);
  }
  std::map<StreamEnd, Seen> all_;
  std::vector<SeenRest> rests_;
};

}  // namespace statefs::sim
