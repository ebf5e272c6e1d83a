// JSON CHECK: whether a text is one JSON value and nothing else (RFC 8259), without building anything of it.
#pragma once

#include <cstddef>
#include <string_view>

namespace statefs::sim {

class JsonCheck {
 public:
  explicit JsonCheck(std::string_view text) : rest_(text) {}
  bool holds() {
    if (!value(0)) return false;
    space();
    return rest_.empty();
  }

 private:
  void space() {
    while (!rest_.empty() && std::string_view(" \t\r\n").find(rest_.front()) != std::string_view::npos) rest_.remove_prefix(1);
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool string() {
    if (!take("\"")) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') continue;
      if (rest_.empty()) return false;
      const char escape = rest_.front();
      rest_.remove_prefix(1);
      if (escape != 'u') {
        if (std::string_view("\"\\/bfnrt").find(escape) == std::string_view::npos) return false;
        continue;
      }
      if (rest_.size() < 4 || rest_.substr(0, 4).find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) return false;
      rest_.remove_prefix(4);
    }
    return false;
  }
  bool digits() {
    std::size_t count = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++count) rest_.remove_prefix(1);
    return count > 0;
  }
  bool number() {
    take("-");
    if (!take("0") && !digits()) return false;  // nothing comes after a first zero
    return !take(".") || digits();
  }
  bool members(int depth, std::string_view closing, bool named) {
    space();
    if (take(closing)) return true;
    for (;;) {
      space();
      if (named) {
        if (!string()) return false;
        space();
        if (!take(":")) return false;
      }
      if (!value(depth + 1)) return false;
      space();
      if (take(closing)) return true;
      if (!take(",")) return false;
    }
  }
  bool value(int depth) {
    if (depth > 32) return false;
    space();
    if (take("{")) return members(depth, "}", true);
    if (take("[")) return members(depth, "]", false);
    if (rest_.starts_with('"')) return string();
    return take("true") || take("false") || take("null") || number();
  }
  std::string_view rest_;
};

}  // namespace statefs::sim
