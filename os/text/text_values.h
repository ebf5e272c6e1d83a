// TEXT VALUES: keys, sizes and durations as people write them in files and flags.
//
//   TEXT VALUES -> peers_text.h, policy_text.h, config_text.h, programs
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/crypto.h"
#include "core/store.h"
#include "core/time.h"

namespace statefs {

// Hexadecimal digits of either case, two for a byte; the empty text is no bytes.
[[nodiscard]] std::optional<Bytes> bytes_of_hex(std::string_view digits);
// Exactly 64 of them.
[[nodiscard]] std::optional<PublicKey> key_of_hex(std::string_view digits);
// Lower-case digits, two for a byte.
[[nodiscard]] std::string hex_of(ByteView bytes);
// 64 lower-case digits.
[[nodiscard]] std::string hex_of_key(const PublicKey& key);

// `65536`, `64KiB`, `4MiB`, `1GiB`: bytes, no more than 2^63 - 1.
[[nodiscard]] std::optional<std::uint64_t> size_of_text(std::string_view text);
// `250ms`, `5s`, `2m`, `24h`: more than zero and at most a year.
[[nodiscard]] std::optional<Duration> duration_of_text(std::string_view text);
// `sync` or `commit`.
[[nodiscard]] std::optional<Durability> durability_of_text(std::string_view text);

}  // namespace statefs
