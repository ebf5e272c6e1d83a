// RING: a bounded queue of byte strings in one block of memory, which is allocated once unless somebody makes it grow.
//
//   memory_store.h keeps its audit records in one
#pragma once

#include <cstdint>

#include "core/bytes.h"

namespace statefs {

class ByteRing {
 public:
  // `capacity` is bytes, each string's 4-byte length included.
  explicit ByteRing(std::size_t capacity) : block_(capacity) {}

  [[nodiscard]] std::size_t capacity() const { return block_.size(); }
  [[nodiscard]] std::size_t free_size() const { return block_.size() - used_; }
  [[nodiscard]] bool empty() const { return used_ == 0; }

  // False, and nothing changed, where it does not fit.
  [[nodiscard]] bool push(ByteView string);
  // Copies the oldest string to `out`; the ring is not empty.
  void front(Bytes& out) const { (void)peek(0, out); }
  void pop();
  // Copies the string that begins `at` bytes behind the oldest, and returns where the next one begins; size() at the end.
  [[nodiscard]] std::size_t peek(std::size_t at, Bytes& out) const;
  [[nodiscard]] std::size_t size() const { return used_; }
  // Makes room for `capacity` bytes in all, where there is less.
  void grow(std::size_t capacity);
  // Forgets the oldest `size` bytes: whole strings, as peek() told.
  void drop(std::size_t size);

 private:
  static constexpr std::size_t length_size = 4;
  void copy_in(std::size_t at, ByteView from);
  void copy_out(std::size_t at, std::uint8_t* to, std::size_t size) const;
  [[nodiscard]] std::size_t size_at(std::size_t at) const;

  Bytes block_;
  std::size_t head_ = 0;  // offset of the oldest string
  std::size_t used_ = 0;
};

}  // namespace statefs
