#include "core/ring.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/check.h"

namespace statefs {

bool ByteRing::push(ByteView string) {
  if (string.size() > block_.size() || free_size() < length_size + string.size()) return false;
  std::uint8_t length[length_size];
  store_le<std::uint32_t>(length, static_cast<std::uint32_t>(string.size()));
  copy_in(head_ + used_, length);
  copy_in(head_ + used_ + length_size, string);
  used_ += length_size + string.size();
  return true;
}

std::size_t ByteRing::peek(std::size_t at, Bytes& out) const {
  out.resize(size_at(at));
  copy_out(head_ + at + length_size, out.data(), out.size());
  return at + length_size + out.size();
}

void ByteRing::pop() { drop(length_size + size_at(0)); }

void ByteRing::grow(std::size_t capacity) {
  if (capacity <= block_.size()) return;
  Bytes block(capacity);
  copy_out(head_, block.data(), used_);
  block_ = std::move(block);
  head_ = 0;
}

void ByteRing::drop(std::size_t size) {
  STATEFS_CHECK(size <= used_);
  if (size == 0) return;  // also of a ring without room for anything
  head_ = (head_ + size) % block_.size();
  used_ -= size;
}

std::size_t ByteRing::size_at(std::size_t at) const {
  STATEFS_CHECK(at + length_size <= used_);
  std::uint8_t length[length_size];
  copy_out(head_ + at, length, length_size);
  return load_le<std::uint32_t>(length);
}

void ByteRing::copy_in(std::size_t at, ByteView from) {
  if (from.empty()) return;
  at %= block_.size();
  const std::size_t first = std::min(from.size(), block_.size() - at);
  std::memcpy(block_.data() + at, from.data(), first);
  if (first < from.size()) std::memcpy(block_.data(), from.data() + first, from.size() - first);
}

void ByteRing::copy_out(std::size_t at, std::uint8_t* to, std::size_t size) const {
  if (size == 0) return;
  at %= block_.size();
  const std::size_t first = std::min(size, block_.size() - at);
  std::memcpy(to, block_.data() + at, first);
  if (first < size) std::memcpy(to + first, block_.data(), size - first);
}

}  // namespace statefs
