// BYTE MASK: eight bytes of text at a time as one integer, and which of them are a wanted byte.
//
//   bytes.h -> BYTE MASK -> key.h (is it well formed), policy.h (where do segments end)
//
// Plain arithmetic, no instruction set beyond the language: byte 0 of the text is the low byte of the word.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/bytes.h"

namespace statefs {

inline constexpr std::uint64_t byte_tops = 0x8080808080808080;

constexpr std::uint64_t every_byte(std::uint8_t byte) { return 0x0101010101010101 * std::uint64_t{byte}; }

// The top bit of each byte of `word` that is zero, and no other bit.
constexpr std::uint64_t zero_bytes(std::uint64_t word) {
  return ~(((word & ~byte_tops) + ~byte_tops) | word | ~byte_tops);
}

// Eight top bits as the low eight bits, in the order of the text.
constexpr std::uint64_t gather_tops(std::uint64_t tops) { return ((tops >> 7) * 0x0102040810204080) >> 56; }

// The word at `at`; where the text ends before the word does, `fill` stands for what is missing.
inline std::uint64_t load_word(ByteView text, std::size_t at, std::uint8_t fill) {
  if (at + 8 <= text.size()) return load_le<std::uint64_t>(text.data() + at);
  const std::size_t count = text.size() - at;  // 1 to 7
  const std::uint64_t padding = every_byte(fill) << (8 * count);
  if (text.size() >= 8) return (load_le<std::uint64_t>(text.data() + text.size() - 8) >> (8 * (8 - count))) | padding;
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; ++i) word |= std::uint64_t{text[at + i]} << (8 * i);
  return word | padding;
}

}  // namespace statefs
