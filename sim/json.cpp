#include "sim/json.h"

namespace statefs::sim {

void Json::separate() {
  if (!is_first_ && !is_named_) out_ += ',';
  is_first_ = false;
  is_named_ = false;
}

Json& Json::open(char bracket) {
  separate();
  out_ += bracket;
  is_first_ = true;
  return *this;
}

Json& Json::close(char bracket) {
  out_ += bracket;
  is_first_ = false;
  return *this;
}

void Json::quote(std::string_view value) {
  constexpr std::string_view digits = "0123456789abcdef";
  out_ += '"';
  for (const char c : value) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x20 || byte > 0x7e || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c == '\'') {
      out_.append("\\u00").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    } else {
      out_ += c;
    }
  }
  out_ += '"';
}

Json& Json::name(std::string_view text) {
  separate();
  quote(text);
  out_ += ':';
  is_named_ = true;
  return *this;
}

Json& Json::text(std::string_view value) {
  separate();
  quote(value);
  return *this;
}

Json& Json::number(std::int64_t value) {
  separate();
  out_ += std::to_string(value);
  return *this;
}

Json& Json::microseconds(std::int64_t ns) {
  separate();
  const std::uint64_t size = ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
  if (ns < 0) out_ += '-';
  out_ += std::to_string(size / 1000);
  out_.append(1, '.').append(std::to_string(1000 + size % 1000).substr(1));
  return *this;
}

Json& Json::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

}  // namespace statefs::sim
