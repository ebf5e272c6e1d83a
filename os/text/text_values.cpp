#include "os/text/text_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace statefs {
namespace {

int value_of_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

struct Scale {
  std::string_view name;
  std::uint64_t size;
};

// Digits, then one of `units`; nullopt where it is anything else or more than `max` in the end.
template <std::size_t N>
std::optional<std::uint64_t> number_with_unit(std::string_view text, const std::array<Scale, N>& units, std::uint64_t max) {
  std::uint64_t number = 0;
  const std::from_chars_result read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{}) return std::nullopt;
  const std::string_view name = text.substr(static_cast<std::size_t>(read.ptr - text.data()));
  for (const Scale& unit : units) {
    if (unit.name == name && number <= max / unit.size) return number * unit.size;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Bytes> bytes_of_hex(std::string_view digits) {
  if (digits.size() % 2 != 0) return std::nullopt;
  Bytes out;
  out.reserve(digits.size() / 2);
  for (std::size_t at = 0; at < digits.size(); at += 2) {
    const int high = value_of_digit(digits[at]);
    const int low = value_of_digit(digits[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return out;
}

std::optional<PublicKey> key_of_hex(std::string_view digits) {
  PublicKey key;
  if (digits.size() != 2 * key.bytes.size()) return std::nullopt;
  const std::optional<Bytes> bytes = bytes_of_hex(digits);
  if (!bytes) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), key.bytes.begin());
  return key;
}

std::string hex_of(ByteView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string hex_of_key(const PublicKey& key) { return hex_of(key.bytes); }

std::optional<std::uint64_t> size_of_text(std::string_view text) {
  constexpr std::array<Scale, 4> units{{{"", 1}, {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}}};
  return number_with_unit(text, units, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}

std::optional<Duration> duration_of_text(std::string_view text) {
  constexpr std::uint64_t ns_of_s = 1'000'000'000;
  constexpr std::array<Scale, 4> units{{{"ms", 1'000'000}, {"s", ns_of_s}, {"m", 60 * ns_of_s}, {"h", 3'600 * ns_of_s}}};
  const std::optional<std::uint64_t> ns = number_with_unit(text, units, 366 * 24 * 3'600 * ns_of_s);
  if (!ns || *ns == 0) return std::nullopt;
  return nanoseconds(static_cast<std::int64_t>(*ns));
}

std::optional<Durability> durability_of_text(std::string_view text) {
  if (text == "sync") return Durability::sync;
  if (text == "commit") return Durability::commit;
  return std::nullopt;
}

}  // namespace statefs
