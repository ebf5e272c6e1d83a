// PROBLEM: what a person is told when something outside this program is wrong: one line that says what was wrong,
// with what, and what to do. Never a stack of causes, never a secret.
//
//   every file of os/ -> PROBLEM -> one line on stderr, exit 1
#pragma once

#include <string>
#include <string_view>

namespace statefs {

struct Problem {
  std::string line;  // without the program's name and without a newline
};

// The system's word for an errno, in lower case: `no such file or directory`.
[[nodiscard]] std::string errno_text(int error_number);

// The bytes of a string from outside as one printable line: a well-formed key or prefix as it is; of anything else, what is
// not printable ASCII, and backslash, as \xNN, and at most 300 bytes.
[[nodiscard]] std::string printable(std::string_view text);

// Prints `PROGRAM: LINE` to stderr in one write. Where nobody has made room within 100 ms, it is not printed.
void complain(std::string_view program, std::string_view line);

}  // namespace statefs
