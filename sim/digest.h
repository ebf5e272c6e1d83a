// DIGEST: one 64-bit number over everything that happened in a run, and where two runs first differ.
//
//   schedule.h (each event) -> DIGEST -> `digest=...` of a run; checkpoints name the events to look at
//
// It is a rolling hash on integers and bytes in their order, the same on every compiler and machine. It is no
// defence against anyone: it only has to notice that two runs were not the same run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/time.h"

namespace statefs::sim {

// What every event of a world is folded in as.
struct EventMark {
  Time time;
  std::uint32_t node = 0;
  std::uint32_t kind = 0;
  std::uint64_t payload = 0;  // a word, or hash_bytes of what the event carried
  std::uint64_t draws = 0;    // of all random streams so far
  friend bool operator==(const EventMark&, const EventMark&) = default;
};

[[nodiscard]] std::uint64_t hash_bytes(ByteView bytes);
[[nodiscard]] std::string hex16(std::uint64_t value);

class RunDigest {
 public:
  void add(const EventMark& mark);
  [[nodiscard]] std::uint64_t value() const { return state_; }
  [[nodiscard]] std::uint64_t event_count() const { return event_count_; }

  // The state after every interval() events, at most `checkpoints_max` of them: when they are full every second one
  // is dropped and the interval doubles.
  static constexpr std::size_t checkpoints_max = 1024;
  [[nodiscard]] const std::vector<std::uint64_t>& checkpoints() const { return checkpoints_; }
  [[nodiscard]] std::uint64_t interval() const { return interval_; }

 private:
  void checkpoint();
  std::uint64_t state_ = 0x6a09e667f3bcc908;
  std::uint64_t event_count_ = 0;
  std::uint64_t interval_ = 64;
  std::uint64_t next_checkpoint_ = 64;
  std::vector<std::uint64_t> checkpoints_;
};

// The events [first, last) among which two runs of one seed first differ; none where the runs are the same.
struct EventRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  friend bool operator==(const EventRange&, const EventRange&) = default;
};
[[nodiscard]] std::optional<EventRange> first_difference(const RunDigest& a, const RunDigest& b);

}  // namespace statefs::sim
