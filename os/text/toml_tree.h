// TOML TREE: a TOML document as plain values that know where they stand. The one place that sees the TOML library.
//
//   bytes of a file -> TOML TREE -> policy_text.h, config_text.h
//
// Any bytes may come in. What is bounded before the library looks: the size of the text and of a line, the depth of
// brackets, the parts of a dotted key; so neither its recursion nor its memory is in the hands of the file. Strings
// in several lines (three quotes) are not taken: nothing here needs them, and so a line can be judged alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "os/text/text_error.h"

namespace statefs {

namespace text_limits {
inline constexpr std::size_t toml_size_max = 256 * 1024;
inline constexpr std::size_t toml_line_size_max = 4'096;
inline constexpr std::size_t toml_depth_max = 8;
inline constexpr std::size_t toml_key_parts_max = 8;
inline constexpr std::size_t toml_dots_max = 8'192;  // outside strings; the library looks for each table by scanning
}  // namespace text_limits

struct TomlMember;

struct TomlValue {
  enum class Kind { text, integer, boolean, array, table, other };  // other: a float, a date or a time
  Kind kind = Kind::other;
  TextPlace place;
  std::string text;
  std::int64_t integer = 0;
  bool boolean = false;
  std::vector<TomlValue> items;      // of an array
  std::vector<TomlMember> members;   // of a table, in the order of their names
};

struct TomlMember {
  std::string name;
  TextPlace place;
  TomlValue value;
};

// The document's table.
[[nodiscard]] Result<TomlValue, TextError> parse_toml(std::string_view text);

// `a string`, `an integer`, ... for a reason that says what was found.
[[nodiscard]] std::string_view name_of(TomlValue::Kind kind);

}  // namespace statefs
