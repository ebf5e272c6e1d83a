// TEXT ERROR: why a person's file was refused: where, what is wrong with what, and what to do.
//
//   policy_text.h, peers_text.h, config_text.h -> TEXT ERROR -> one line for a person
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace statefs {

// Lines and columns count from 1; 0 where the whole file, or the whole line, is meant.
struct TextPlace {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend bool operator==(const TextPlace&, const TextPlace&) = default;
};

struct TextError {
  TextPlace place;
  std::string reason;  // `access "putt" does not exist: use put, get, delete or list`
};

// `FILE:LINE:COLUMN: REASON`, one printable line whatever the file held.
[[nodiscard]] std::string line_of(const TextError& error, std::string_view file_name);

// Text from a file as it may stand in a reason: in quotes, one line, at most 64 bytes of it.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace statefs
