// BLOCK BUFFER: bytes of a fixed capacity that start where a disk block may start.
//
//   disk.h -> BLOCK BUFFER -> log_tail.h, snapshot.h
//
// It is filled from the front and padded with zeros to whole blocks before it is written. Memory is not touched before it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

#include "core/bytes.h"
#include "core/disk.h"

namespace statefs {

constexpr std::uint64_t block_floor(std::uint64_t size) { return size / disk_block_size * disk_block_size; }
constexpr std::uint64_t block_ceiling(std::uint64_t size) { return block_floor(size + disk_block_size - 1); }

class BlockBuffer {
 public:
  explicit BlockBuffer(std::size_t capacity)
      : capacity_(block_ceiling(capacity)),
        block_(static_cast<std::uint8_t*>(::operator new(capacity_, std::align_val_t{disk_block_size}))) {}

  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t free_size() const { return capacity_ - size_; }
  [[nodiscard]] ByteView bytes() const { return {block_.get(), size_}; }
  [[nodiscard]] std::uint8_t* at(std::size_t offset) {
    STATEFS_CHECK(offset <= size_);
    return block_.get() + offset;
  }

  void clear() { size_ = 0; }
  void shrink(std::size_t size) {
    STATEFS_CHECK(size <= size_);
    size_ = size;
  }
  // `size` bytes more at the end, of any content: the caller fills them. They fit.
  std::uint8_t* grow(std::size_t size) {
    STATEFS_CHECK(size <= free_size());
    std::uint8_t* const from = block_.get() + size_;
    size_ += size;
    return from;
  }
  void append(ByteView from) {
    std::uint8_t* const to = grow(from.size());
    if (!from.empty()) std::memcpy(to, from.data(), from.size());
  }
  template <typename T>
  void integer(T value) {
    store_le<T>(grow(sizeof(T)), value);
  }
  void u8(std::uint8_t value) { integer(value); }
  void u16(std::uint16_t value) { integer(value); }
  void u32(std::uint32_t value) { integer(value); }
  void u64(std::uint64_t value) { integer(value); }
  void zeros(std::size_t size) { std::memset(grow(size), 0, size); }
  // Zeros up to the next block.
  void pad() { zeros(block_ceiling(size_) - size_); }

 private:
  struct Free {
    void operator()(std::uint8_t* block) const { ::operator delete(block, std::align_val_t{disk_block_size}); }
  };
  std::size_t capacity_;
  std::unique_ptr<std::uint8_t, Free> block_;
  std::size_t size_ = 0;
};

}  // namespace statefs
