// CONSOLE: lines to a descriptor that nobody may be reading: never waited for, never mixed, and told when some were lost.
//
//   daemon.h (markers), audit_target.h (console lines of records) -> CONSOLE -> write(2) on standard output
//
// A pipe or a terminal is opened once more, so that only this process's writes never wait and its parent's are as they were.
// What is not taken at once waits here: markers up to queue_size_max, and the rest of a line that has begun.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/time.h"
#include "os/fd.h"

namespace statefs {

class Console {
 public:
  static constexpr std::size_t queue_size_max = 64 * 1024;

  // `fd` stays the caller's, open as long as this.
  explicit Console(int fd);

  // One line, without its newline, behind everything that waits. Where there is no room it is counted, and the count is told
  // in its place.
  void say(std::string_view line);
  // Lines that end at `ends`, each with its newline: how many of them were taken. None while something waits.
  [[nodiscard]] std::size_t write(std::string_view lines, std::span<const std::size_t> ends);
  // Goes on with what waits.
  void flush(Now now);
  [[nodiscard]] bool idle() const { return waiting_.empty() && lost_count_ == 0; }
  [[nodiscard]] Time deadline() const { return retry_at_; }  // of the next flush()
  // Gives a reader a last chance.
  void drain(Duration patience);
  // Why the last write took less than it was given: an errno, 0 where there was no room.
  [[nodiscard]] int error() const { return error_; }

 private:
  [[nodiscard]] std::size_t write_some(std::string_view bytes);

  int fd_;
  Fd own_;  // the same file, where writes never wait; or none, and then:
  bool regular_ = false;
  bool socket_ = false;
  std::string waiting_;
  std::uint64_t lost_count_ = 0;  // lines of say()
  Time retry_at_ = never;
  int error_ = 0;
};

}  // namespace statefs
