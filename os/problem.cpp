#include "os/problem.h"

#include <poll.h>
#include <unistd.h>

#include <cctype>
#include <cstring>

#include "core/key.h"

namespace statefs {

std::string errno_text(int error_number) {
  char buffer[128];
  std::string text = ::strerror_r(error_number, buffer, sizeof buffer);
  // `Is a directory` reads as part of a sentence in lower case, `I/O error` does not.
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

std::string printable(std::string_view text) {
  constexpr std::size_t shown_size_max = 300;
  constexpr char digits[] = "0123456789abcdef";
  // The rules of keys are what keeps text from reordering, breaking or hiding in a line.
  if (CanonicalKey::from(as_bytes(text)).ok() || CanonicalPrefix::from(as_bytes(text)).ok()) return std::string(text);
  std::string out;
  for (const char c : text.substr(0, shown_size_max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || byte == '\\') {
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  if (text.size() > shown_size_max) out += "...";
  return out;
}

void complain(std::string_view program, std::string_view line) {
  std::string whole(program);
  whole += ": ";
  whole += line;
  whole += '\n';
  // Whoever keeps standard error and does not read it may hold this up a little, once for each trouble, and not for good.
  constexpr int patience_ms = 100;
  std::size_t done = 0;
  while (done < whole.size()) {
    pollfd watched{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&watched, 1, patience_ms) == 0) return;
    const ssize_t count = ::write(STDERR_FILENO, whole.data() + done, whole.size() - done);
    if (count <= 0) return;  // there is nobody left to tell
    done += static_cast<std::size_t>(count);
  }
}

}  // namespace statefs
