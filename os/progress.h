// PROGRESS: one line of a terminal that says how far a transfer is; nothing where standard error is no terminal.
//
//   verb_transfer.cpp -> PROGRESS -> standard error
#pragma once

#include <cstdint>
#include <string>

#include "core/time.h"

namespace statefs {

// `put /state/shared/x [#####     ]  50 %  512.0 KiB of 1.0 MiB`, no wider than `width` columns. `what` is printable.
[[nodiscard]] std::string progress_line(const std::string& what, std::uint64_t done, std::uint64_t total, std::size_t width);

class Progress {
 public:
  // Draws on `fd` if that is a terminal.
  Progress(std::string what, int fd);
  ~Progress();  // wipes the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // At most ten times a second, and when all is done.
  void show(std::uint64_t done, std::uint64_t total, Time now);

 private:
  void draw(const std::string& line);

  std::string what_;
  int fd_;
  bool is_terminal_;
  bool drawn_ = false;
  Time next_{};
};

}  // namespace statefs
