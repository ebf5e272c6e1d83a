#include "os/file.h"

#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace statefs {
namespace {

Problem about(const std::string& noun, const std::string& path, const std::string& what) {
  return {noun + " " + printable(path) + ": " + what};
}

std::string octal(mode_t mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

std::string open_to_all(const std::string& path, const struct stat& info) {
  return "anybody may write to it (mode " + octal(info.st_mode) + "): run 'chmod o-w " + printable(path) + "'";
}

// O_NONBLOCK so that a FIFO under the name of a file cannot hang the program before it is recognised.
Result<Fd, Problem> open_regular(const std::string& noun, const std::string& path, int extra_flags, struct stat& info) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | extra_flags));
  if (!fd.valid()) {
    if (errno == ELOOP && (extra_flags & O_NOFOLLOW) != 0) {
      return about(noun, path, std::string(is_a_link));
    }
    return about(noun, path, errno_text(errno));
  }
  if (::fstat(fd.get(), &info) != 0) return about(noun, path, errno_text(errno));
  if (!S_ISREG(info.st_mode)) return about(noun, path, "is not a regular file");
  return fd;
}

Result<std::string, Problem> read_text(const std::string& noun, const std::string& path, const Fd& fd, std::size_t size_max) {
  auto bytes = read_all(noun + " " + printable(path), fd.get(), size_max);
  if (!bytes) return bytes.error();
  std::string text(as_text(bytes.value()));
  ::explicit_bzero(bytes.value().data(), bytes.value().size());  // it may be a secret
  return text;
}

}  // namespace

Result<std::string, Problem> read_text_file(const std::string& noun, const std::string& path, std::size_t size_max) {
  struct stat info {};
  auto fd = open_regular(noun, path, 0, info);
  if (!fd) return fd.error();
  if ((info.st_mode & S_IWOTH) != 0) return about(noun, path, open_to_all(path, info));
  return read_text(noun, path, fd.value(), size_max);
}

std::string who_else_may_write(const std::string& path, const struct stat& info) {
  if ((info.st_mode & S_IWOTH) != 0) return open_to_all(path, info);
  if (info.st_uid == 0 || info.st_uid == ::geteuid()) return {};
  return "belongs to uid " + std::to_string(info.st_uid) + ", who is neither root nor uid " + std::to_string(::geteuid()) +
         " that runs this: run 'chown " + std::to_string(::geteuid()) + " " + printable(path) + "' if what is in it can be trusted";
}

Result<std::string, Problem> read_secret_file(const std::string& noun, const std::string& path, std::size_t size_max) {
  struct stat info {};
  auto fd = open_regular(noun, path, O_NOFOLLOW, info);
  if (!fd) return fd.error();
  if (info.st_uid != ::geteuid()) {
    return about(noun, path,
                 "belongs to uid " + std::to_string(info.st_uid) + ", not to uid " + std::to_string(::geteuid()) +
                     " that runs this: give each user an identity of its own");
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return about(noun, path,
                 "group or others may access it (mode " + octal(info.st_mode) + "): run 'chmod 600 " + printable(path) +
                     "', and make a new identity if somebody may have read it");
  }
  return read_text(noun, path, fd.value(), size_max);
}

Result<Bytes, Problem> read_all(const std::string& noun, int fd, std::size_t size_max) {
  Bytes out;
  std::size_t used = 0;
  for (;;) {
    // One byte more than allowed is asked for, to tell a file of the limit from one over it.
    out.resize(std::min(size_max + 1, std::max<std::size_t>(4096, used * 2)));
    if (used == out.size()) return Problem{noun + ": is larger than " + std::to_string(size_max) + " bytes"};
    const ssize_t count = ::read(fd, out.data() + used, out.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Problem{noun + ": " + errno_text(errno)};
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  out.resize(used);
  return out;
}

int write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace statefs
