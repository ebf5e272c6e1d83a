// BYTE MASK: a block of text at a time, and which of its bytes are wanted, as one bit for each byte.
//
//   bytes.h -> BYTE MASK -> key.h (is it well formed), policy.h (where do segments end)
//
// Blocks of eight bytes are plain 64-bit arithmetic for any machine. Blocks of sixteen are there where the machine has
// them without asking (SSE2 is part of x86-64): chosen when compiled, so the answer depends on nothing at run time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/bytes.h"

namespace statefs {

// The first `count` (1 to 7) bytes of a text, as the low bytes of a word of zeros.
inline std::uint64_t load_head(ByteView text, std::size_t count) {
  if (text.size() >= 8) return load_le<std::uint64_t>(text.data()) & (~std::uint64_t{0} >> (64 - 8 * count));
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; ++i) word |= std::uint64_t{text[i]} << (8 * i);
  return word;
}

struct TextMarks {
  std::uint64_t slashes = 0;  // bit i: byte i of the block
  std::uint64_t dots = 0;
  std::uint64_t special = 0;  // not 0: somewhere a control, DEL, a backslash or a byte above 0x7f
};

class Block8 {
 public:
  static constexpr std::size_t size = 8;
  explicit Block8(const std::uint8_t* at) : word_(load_le<std::uint64_t>(at)) {}
  explicit Block8(std::uint64_t word) : word_(word) {}

  [[nodiscard]] std::uint64_t slashes() const { return gather(zero_bytes(word_ ^ every('/'))); }
  [[nodiscard]] TextMarks marks() const {
    // A dot is 0x2e and a slash 0x2f: found together, told apart by the low bit.
    const std::uint64_t either = zero_bytes((word_ | every(1)) ^ every('/'));
    const std::uint64_t low_bits = word_ << 7;
    // Each sum or difference sets the top bit of a byte that is special. Where a byte is, those above it in the word
    // may be set too by what it carries or borrows; that none is special is exact.
    const std::uint64_t special = word_ | (word_ - every(0x20)) | ((word_ ^ every('\\')) - every(1)) | (word_ + every(1));
    return {gather(either & low_bits), gather(either & ~low_bits), special & tops};
  }

 private:
  static constexpr std::uint64_t tops = 0x8080808080808080;
  static constexpr std::uint64_t every(std::uint8_t byte) { return 0x0101010101010101 * std::uint64_t{byte}; }
  // The top bit of each byte that is zero, and no other bit.
  static constexpr std::uint64_t zero_bytes(std::uint64_t word) { return ~(((word & ~tops) + ~tops) | word | ~tops); }
  // Eight top bits as the low eight bits, in the order of the text.
  static constexpr std::uint64_t gather(std::uint64_t bits) { return ((bits >> 7) * 0x0102040810204080) >> 56; }

  std::uint64_t word_;
};

#if defined(__SSE2__)
class Block16 {
 public:
  static constexpr std::size_t size = 16;
  explicit Block16(const std::uint8_t* at) { std::memcpy(&vector_, at, size); }

  [[nodiscard]] std::uint64_t slashes() const { return bits(vector_ == every('/')); }
  [[nodiscard]] TextMarks marks() const {
    // Signed: a byte above 0x7f is below zero, so one comparison finds it and the controls.
    const auto special = (vector_ < every(0x20)) | (vector_ == every('\\')) | (vector_ == every(0x7f));
    return {slashes(), bits(vector_ == every('.')), bits(special)};
  }

 private:
  typedef char Vector __attribute__((vector_size(16)));  // char is signed where SSE2 is
  static Vector every(char c) { return Vector{c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c}; }
  template <typename Mask>
  static std::uint64_t bits(Mask mask) {
    return static_cast<std::uint32_t>(__builtin_ia32_pmovmskb128(reinterpret_cast<Vector>(mask)));
  }

  Vector vector_;
};
#endif

// Calls `add(offset, block, skip)` for blocks that together cover text[base, end), which is not empty; `offset` is from
// `base`. A block that would reach past the text begins earlier instead, and its first `skip` bytes were seen before.
template <typename Add>
void for_each_block(ByteView text, std::size_t base, std::size_t end, Add add) {
  std::size_t at = base;
#if defined(__SSE2__)
  if (text.size() >= Block16::size) {
    for (; at < end && at + Block16::size <= text.size(); at += Block16::size) add(at - base, Block16(text.data() + at), 0u);
    const std::size_t last = text.size() - Block16::size;
    if (at < end) add(at - base, Block16(text.data() + last), at - last);
    return;
  }
#endif
  for (; at < end && at + Block8::size <= text.size(); at += Block8::size) add(at - base, Block8(text.data() + at), 0u);
  if (at >= end) return;
  if (text.size() >= Block8::size) {
    const std::size_t last = text.size() - Block8::size;
    add(at - base, Block8(text.data() + last), at - last);
    return;
  }
  const std::size_t missing = Block8::size - text.size();
  // What stands for the missing bytes is neither slash nor dot nor special.
  add(at - base, Block8((load_head(text, text.size()) << (8 * missing)) | (0x6161616161616161u >> (8 * text.size()))), missing);
}

}  // namespace statefs
