#include "os/witness_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "os/file.h"
#include "os/text/witness_text.h"

namespace statefs {
namespace {

Problem about(const std::string& path, const std::string& what) { return {"witness file " + printable(path) + ": " + what}; }

// The file under that name, once nobody else has it: who waited may hold one that was replaced meanwhile.
Result<Fd, Problem> lock_file(const std::string& path) {
  for (;;) {
    Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
    if (!fd.valid()) return about(path, errno_text(errno));
    while (::flock(fd.get(), LOCK_EX) != 0) {
      if (errno != EINTR) return about(path, errno_text(errno));
    }
    struct stat held {};
    struct stat named {};
    if (::fstat(fd.get(), &held) != 0) return about(path, errno_text(errno));
    if (!S_ISREG(held.st_mode)) return about(path, "is not a regular file");
    if (::stat(path.c_str(), &named) == 0 && named.st_ino == held.st_ino && named.st_dev == held.st_dev) return fd;
  }
}

Result<std::vector<WitnessLine>, Problem> read_lines(const std::string& path) {
  const auto text = read_text_file("witness file", path, text_limits::witness_size_max);
  if (!text) return text.error();
  auto lines = parse_witness(text.value());
  if (!lines) return Problem{"witness file " + line_of(lines.error(), path)};
  return std::move(lines).value();
}

int sync_folder(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd.valid() && ::fsync(fd.get()) == 0 ? 0 : errno;
}

int replace(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  if (::unlink(fresh.c_str()) != 0 && errno != ENOENT) return errno;
  const Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return errno;
  if (const int error = write_all(fd.get(), as_bytes(text)); error != 0) return error;
  if (::fsync(fd.get()) != 0 || std::rename(fresh.c_str(), path.c_str()) != 0) return errno;
  return sync_folder(path);
}

}  // namespace

Result<WitnessFile, Problem> WitnessFile::open(const std::string& path, const std::string& server) {
  const auto lock = lock_file(path);
  if (!lock) return lock.error();
  const auto lines = read_lines(path);
  if (!lines) return lines.error();
  SeenHead seen;
  for (const WitnessLine& line : lines.value()) {
    if (line.server == server) seen = line.seen;
  }
  return WitnessFile(path, server, seen);
}

std::optional<Problem> WitnessFile::keep(const SeenHead& seen) {
  if (seen.epoch == 0 || seen.head.index == 0 || seen == seen_) return std::nullopt;
  const auto lock = lock_file(path_);
  if (!lock) return lock.error();
  auto lines = read_lines(path_);
  if (!lines) return lines.error();
  std::vector<WitnessLine>& all = lines.value();
  const auto place = std::find_if(all.begin(), all.end(), [this](const WitnessLine& line) { return line.server == server_; });
  const bool is_newer = place == all.end() || place->seen.store != seen.store || place->seen.head.index < seen.head.index;
  if (place == all.end())
    all.push_back({server_, seen});
  else if (is_newer)
    place->seen = seen;
  seen_ = seen;
  if (!is_newer) return std::nullopt;
  const std::string text = witness_text(all);
  if (text.size() > text_limits::witness_size_max) return about(path_, "has no room for one more server: remove lines, or use another file");
  if (const int error = replace(path_, text); error != 0) return about(path_, errno_text(error));
  return std::nullopt;
}

}  // namespace statefs
