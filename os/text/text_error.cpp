#include "os/text/text_error.h"

namespace statefs {
namespace {

// Bytes outside printable ASCII could end the line or turn the direction of what follows.
void append_printable(std::string_view text, std::string& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
}

}  // namespace

std::string line_of(const TextError& error, std::string_view file_name) {
  std::string out;
  append_printable(file_name, out);
  out += ':';
  if (error.place.line != 0) {
    out += std::to_string(error.place.line) + ':';
    if (error.place.column != 0) out += std::to_string(error.place.column) + ':';
  }
  out += ' ';
  append_printable(error.reason, out);
  return out;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t shown_size_max = 64;
  std::string out = "\"";
  append_printable(text.substr(0, shown_size_max), out);
  return out + (text.size() > shown_size_max ? "...\"" : "\"");
}

}  // namespace statefs
