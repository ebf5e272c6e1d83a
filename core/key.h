// KEY: the one place where bytes become a key. What passes here is stored exactly; nothing is decoded, folded,
// normalised or trimmed.
//
//   request.h (bytes) -> KEY -> policy.h, store.h, audit.h
//
// The rules, in order, first failure wins (docs/PROTOCOL.md, "Keys"): 1 to 255 bytes; strict UTF-8 (RFC 3629); no
// control, backslash, line separator, byte-order mark or bidirectional control; starts with `/`, no empty, `.` or
// `..` segment; a key does not end in `/`, a prefix does.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/bytes.h"
#include "core/result.h"

namespace statefs {

enum class KeyError { invalid, too_long };

// A checked key. A view: valid as long as the bytes it was made from. Only the validator makes one, so policy,
// store and audit cannot disagree about what a key is.
class CanonicalKey {
 public:
  [[nodiscard]] static Result<CanonicalKey, KeyError> from(ByteView bytes);
  [[nodiscard]] ByteView bytes() const { return bytes_; }
  [[nodiscard]] std::string_view text() const { return as_text(bytes_); }

 private:
  friend class StoredKey;  // store.h: a key that was canonical when it was stored
  explicit CanonicalKey(ByteView bytes) : bytes_(bytes) {}
  ByteView bytes_;
};

// A checked LIST prefix: the same rules, but it ends in `/`; `/` itself is well formed.
class CanonicalPrefix {
 public:
  [[nodiscard]] static Result<CanonicalPrefix, KeyError> from(ByteView bytes);
  [[nodiscard]] ByteView bytes() const { return bytes_; }
  [[nodiscard]] std::string_view text() const { return as_text(bytes_); }

 private:
  explicit CanonicalPrefix(ByteView bytes) : bytes_(bytes) {}
  ByteView bytes_;
};

}  // namespace statefs
