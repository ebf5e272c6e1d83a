// ANSWERS: responses in the order of their requests, held until the store has completed what they depend on.
//
//   service.h -> ANSWERS -> channel.h (seal)
//
// All answers of a wake-up depend on its commit, reads too: what they saw may be part of it. A SYNC, and whatever
// else must be durable before it is said, depends on the flush.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "core/bytes.h"
#include "core/service.h"
#include "core/store.h"

namespace statefs {

// Buffers that keep their size between wake-ups, so that busy connections do not allocate and idle ones hold none.
class BufferPool {
 public:
  void lend(Bytes& to);
  void take_back(Bytes& from);

 private:
  static constexpr std::size_t buffers_max = 64;
  static constexpr std::size_t buffer_size_max = 256 * 1024;
  std::vector<Bytes> buffers_;
};

class Answers {
 public:
  // Where the service appends responses. An empty buffer is lent from `pool` and returned to it.
  [[nodiscard]] Bytes& buffer() { return bytes_; }
  void borrow(BufferPool& pool);
  // The buffer gets `size_max` now where it would next grow past it: vectors double.
  void bound_growth(std::size_t size_max);
  void give_back(BufferPool& pool);

  // The response that was just appended, from `start` on, waits for the flush.
  void hold_for_flush(std::size_t start) { marks_.push_back({bytes_.size(), start, unsettled, true}); }
  // The wake-up ends: what was appended since the last settle() depends on `index`.
  void settle(std::uint64_t index);
  // The bytes that may leave now, from the front. Those that waited for the flush are finished first.
  [[nodiscard]] ByteView ready(const StoreStatus& store, const Service& service);
  // The bytes that ready() returned are gone.
  void taken(std::size_t size);

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::size_t capacity() const { return bytes_.capacity(); }
  void drop();

 private:
  static constexpr std::uint64_t unsettled = ~std::uint64_t{0};  // index 0 is of a store that was refused: what it says depends on nothing
  struct Mark {
    std::size_t end = 0;      // of the bytes it holds back
    std::size_t start = 0;    // of the response that waits for the flush
    std::uint64_t index = unsettled;
    bool flush = false;
  };
  Bytes bytes_;
  std::deque<Mark> marks_;  // ends ascending; at most one a wake-up and one for each of these
};

}  // namespace statefs
