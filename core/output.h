// OUTPUT: stream bytes on their way out: sealed at the back, taken by the driver from the front.
//
//   channel.h (seal) -> OUTPUT -> session.h, client.h -> driver
//
// Whoever fills it bounds it. What was taken is freed, also for a peer that never takes the last byte; an empty one above
// idle_capacity_max bytes goes back to the heap.
#pragma once

#include "core/bytes.h"

namespace statefs {

class Output {
 public:
  static constexpr std::size_t idle_capacity_max = 2048;

  [[nodiscard]] ByteView view() const { return ByteView(bytes_).subspan(taken_); }
  [[nodiscard]] std::size_t size() const { return bytes_.size() - taken_; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t capacity() const { return bytes_.capacity(); }

  // To append up to `more` bytes to. It doubles, as vectors do, but not past `size_max` unless more is needed.
  [[nodiscard]] Bytes& room_for(std::size_t more, std::size_t size_max);
  void taken(std::size_t count);
  void drop();

 private:
  Bytes bytes_;
  std::size_t taken_ = 0;
};

}  // namespace statefs
