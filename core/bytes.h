// BYTES: views of bytes, and a reader and two writers of the wire's integers. Everything that parses stands on this.
//
// Integers are little-endian except the two-byte length of a Noise message, which is big-endian. A ByteView owns
// nothing; it is valid as long as the bytes it was taken from.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "core/check.h"

namespace statefs {

using ByteView = std::span<const std::uint8_t>;
using Bytes = std::vector<std::uint8_t>;
using Digest = std::array<std::uint8_t, 32>;  // SHA-256, HMAC-SHA-256 or BLAKE2s output

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// A copy where the machine's order is the wire's, shifts elsewhere: gcc makes one load of the copy, not of the shifts.
template <typename T>
T load_le(const std::uint8_t* at) {
  T value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&value, at, sizeof(T));
  } else {
    for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value | static_cast<T>(T{at[i]} << (8 * i)));
  }
  return value;
}
template <typename T>
void store_le(std::uint8_t* at, T value) {
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(at, &value, sizeof(T));
  } else {
    for (std::size_t i = 0; i < sizeof(T); ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}
inline std::uint16_t load_be16(const std::uint8_t* at) { return static_cast<std::uint16_t>((at[0] << 8) | at[1]); }
inline void store_be16(std::uint8_t* at, std::uint16_t value) {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}

// Reads from the front of a view. A read past the end yields zeros and makes ok() false for good, so a caller
// reads a whole structure and asks once.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  template <typename T>
  T integer() {
    if (rest_.size() < sizeof(T)) return fail(T{0});
    const T value = load_le<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  std::uint8_t u8() { return integer<std::uint8_t>(); }
  std::uint16_t u16() { return integer<std::uint16_t>(); }
  std::uint32_t u32() { return integer<std::uint32_t>(); }
  std::uint64_t u64() { return integer<std::uint64_t>(); }

  ByteView take(std::size_t size) {
    if (rest_.size() < size) return fail(ByteView{});
    const ByteView head = rest_.first(size);
    rest_ = rest_.subspan(size);
    return head;
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> out{};
    const ByteView from = take(N);
    if (!from.empty()) std::memcpy(out.data(), from.data(), N);
    return out;
  }
  [[nodiscard]] ByteView rest() const { return rest_; }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return ok_ && rest_.empty(); }

 private:
  template <typename T>
  T fail(T value) {
    ok_ = false;
    rest_ = {};
    return value;
  }
  ByteView rest_;
  bool ok_ = true;
};

// Appends to a buffer that the caller owns and bounds.
class Writer {
 public:
  explicit Writer(Bytes& out) : out_(out) {}

  template <typename T>
  void integer(T value) {
    const std::size_t at = out_.size();
    out_.resize(at + sizeof(T));
    store_le<T>(out_.data() + at, value);
  }
  void u8(std::uint8_t value) { integer(value); }
  void u16(std::uint16_t value) { integer(value); }
  void u32(std::uint32_t value) { integer(value); }
  void u64(std::uint64_t value) { integer(value); }
  void bytes(ByteView from) { out_.insert(out_.end(), from.begin(), from.end()); }

  [[nodiscard]] std::size_t size() const { return out_.size(); }
  // Overwrites a u32 written earlier, once what it counts is known.
  void patch_u32(std::size_t at, std::uint32_t value) {
    STATEFS_CHECK(at + 4 <= out_.size());
    store_le<std::uint32_t>(out_.data() + at, value);
  }

 private:
  Bytes& out_;
};

// Grows a buffer by one block of known size and fills it from the front. The block starts as zeros, so what is
// skipped is zero. One growth for a whole structure, where Writer grows for each integer: for the hot path.
class Block {
 public:
  Block(Bytes& out, std::size_t size) {
    const std::size_t start = out.size();
    out.resize(start + size);
    at_ = out.data() + start;
    end_ = at_ + size;
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { STATEFS_CHECK(at_ == end_); }  // the size that was announced is the size that was written

  template <typename T>
  void integer(T value) {
    store_le<T>(claim(sizeof(T)), value);
  }
  void u8(std::uint8_t value) { integer(value); }
  void u16(std::uint16_t value) { integer(value); }
  void u32(std::uint32_t value) { integer(value); }
  void u64(std::uint64_t value) { integer(value); }
  void skip(std::size_t size) { claim(size); }
  void bytes(ByteView from) {
    std::uint8_t* to = claim(from.size());
    if (!from.empty()) std::memcpy(to, from.data(), from.size());
  }

 private:
  std::uint8_t* claim(std::size_t size) {
    STATEFS_CHECK(static_cast<std::size_t>(end_ - at_) >= size);
    std::uint8_t* from = at_;
    at_ += size;
    return from;
  }
  std::uint8_t* at_ = nullptr;
  std::uint8_t* end_ = nullptr;
};

}  // namespace statefs
