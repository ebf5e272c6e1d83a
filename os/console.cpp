#include "os/console.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "os/clock.h"

namespace statefs {
namespace {

constexpr Duration retry_interval = milliseconds(100);
constexpr std::size_t cautious_size = 256;  // what a terminal that is ready takes without waiting

bool nobody_reads(int error_number) {
  return error_number == EPIPE || error_number == EBADF || error_number == EIO || error_number == ECONNRESET;
}

}  // namespace

Console::Console(int fd) : fd_(fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return;
  regular_ = S_ISREG(info.st_mode);
  socket_ = S_ISSOCK(info.st_mode);
  if (regular_ || socket_) return;
  const std::string name = "/proc/self/fd/" + std::to_string(fd);
  own_ = Fd(::open(name.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

// Without a descriptor of its own (no /proc, a foreign terminal) only as much is written as poll(2) promises to take.
std::size_t Console::write_some(std::string_view bytes) {
  error_ = 0;
  std::size_t done = 0;
  while (done < bytes.size()) {
    std::size_t size = bytes.size() - done;
    ssize_t count = 0;
    if (regular_) {
      count = ::write(fd_, bytes.data() + done, size);
    } else if (socket_) {
      count = ::send(fd_, bytes.data() + done, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else if (own_.valid()) {
      count = ::write(own_.get(), bytes.data() + done, size);
    } else {
      pollfd watched{fd_, POLLOUT, 0};
      if (::poll(&watched, 1, 0) != 1 || (watched.revents & (POLLOUT | POLLERR)) == 0) break;
      count = ::write(fd_, bytes.data() + done, std::min(size, cautious_size));
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) error_ = errno;
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

void Console::say(std::string_view line) {
  std::string whole = std::string(line) + "\n";
  if (lost_count_ > 0 || waiting_.size() + whole.size() > queue_size_max) {
    ++lost_count_;
    return;
  }
  waiting_ += whole;
  flush(read_clock());
}

std::size_t Console::write(std::string_view lines, std::span<const std::size_t> ends) {
  if (!idle()) return 0;
  const std::size_t done = write_some(lines);
  const auto begun = std::lower_bound(ends.begin(), ends.end(), done);  // the first line that is not out, or ends just there
  std::size_t count = static_cast<std::size_t>(begun - ends.begin());
  if (begun == ends.end()) return count;
  const std::size_t start = count == 0 ? 0 : ends[count - 1];
  if (done > start) {
    waiting_ = std::string(lines.substr(done, *begun - done));
    ++count;
  }
  retry_at_ = waiting_.empty() ? never : read_monotonic() + retry_interval;
  return count;
}

void Console::flush(Now now) {
  for (;;) {
    waiting_.erase(0, write_some(waiting_));
    // There is nobody left to tell.
    if (nobody_reads(error_)) {
      waiting_.clear();
      lost_count_ = 0;
    }
    if (!waiting_.empty() || lost_count_ == 0) break;
    waiting_ = "dsoftbusd: " + std::to_string(lost_count_) + " lines found no room here and are lost\n";
    lost_count_ = 0;
  }
  retry_at_ = waiting_.empty() ? never : now.monotonic + retry_interval;
}

void Console::drain(Duration patience) {
  const Time deadline = read_monotonic() + patience;
  for (Now now = read_clock(); !idle() && now.monotonic < deadline; now = read_clock()) {
    flush(now);
    if (idle()) return;
    ::poll(nullptr, 0, 10);
  }
}

}  // namespace statefs
