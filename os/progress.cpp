#include "os/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "os/file.h"

namespace statefs {
namespace {

constexpr Duration redraw_interval = milliseconds(100);
constexpr std::size_t usual_width = 80;

std::string size_text(std::uint64_t bytes) {
  char text[32];
  if (bytes >= 1u << 20) std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1u << 20));
  else std::snprintf(text, sizeof text, "%.1f KiB", static_cast<double>(bytes) / (1u << 10));
  return text;
}

std::size_t width_of(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual_width;
}

}  // namespace

std::string progress_line(const std::string& what, std::uint64_t done, std::uint64_t total, std::size_t width) {
  constexpr std::size_t bar_width = 20;
  done = std::min(done, total);
  const std::uint64_t percent = total == 0 ? 100 : done * 100 / total;
  const std::size_t filled = total == 0 ? bar_width : static_cast<std::size_t>(done * bar_width / total);
  std::string line = " [" + std::string(filled, '#') + std::string(bar_width - filled, ' ') + "] ";
  line += std::string(percent < 10 ? 2 : percent < 100 ? 1 : 0, ' ') + std::to_string(percent) + " %  " + size_text(done) + " of " + size_text(total);
  // The numbers say more than the end of a long name.
  const std::size_t room = width > line.size() ? width - line.size() : 0;
  return (what.substr(0, room) + line).substr(0, width);
}

Progress::Progress(std::string what, int fd) : what_(std::move(what)), fd_(fd), is_terminal_(::isatty(fd) == 1) {}

Progress::~Progress() {
  if (drawn_) draw("");
}

void Progress::show(std::uint64_t done, std::uint64_t total, Time now) {
  if (!is_terminal_ || (now < next_ && done < total)) return;
  next_ = now + redraw_interval;
  drawn_ = true;
  draw(progress_line(what_, done, total, width_of(fd_) - 1));
}

// A terminal that cannot be written to is no reason to stop.
void Progress::draw(const std::string& line) { (void)write_all(fd_, as_bytes("\r\x1b[K" + line)); }

}  // namespace statefs
