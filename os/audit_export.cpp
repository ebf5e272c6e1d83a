#include "os/audit_export.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "core/audit.h"
#include "core/limits.h"
#include "os/text/audit_text.h"

namespace statefs {
namespace {

constexpr std::size_t pending_size_max = 256 * 1024;
constexpr Duration retry_interval = milliseconds(250);

Result<Fd, Problem> open_file(const std::string& path) {
  const auto about = [&path](const std::string& what) { return Problem{"audit file " + printable(path) + ": " + what}; };
  Fd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640));
  if (!fd.valid()) return about(errno_text(errno));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return about(errno_text(errno));
  if (!S_ISREG(info.st_mode)) return about("is not a regular file");
  return fd;
}

}  // namespace

Result<AuditExport, Problem> AuditExport::open(const std::string& path) {
  if (path == "-") return AuditExport(path, Fd(), true);
  auto file = open_file(path);
  if (!file) return file.error();
  return AuditExport(path, std::move(file).value(), false);
}

bool AuditExport::take(std::uint64_t, ByteView encoded, const Digest& hash) {
  if (pending_.size() >= pending_size_max) {
    more_ = true;
    return false;
  }
  const auto record = decode_audit(encoded);
  STATEFS_CHECK(record.ok());  // this process encoded it
  if (console_) {
    append_audit_console(record.value(), hash, pending_);
  } else {
    append_audit_json(record.value(), hash, pending_);
  }
  return true;
}

void AuditExport::export_from(Store& store, Now now) {
  if (!pending_.empty()) {
    if (retry_at_ > now.monotonic) return;
    write_pending(now);
    if (!pending_.empty()) return;
  }
  more_ = false;
  if (store.export_audit(*this, limits::audit_records_per_export) == limits::audit_records_per_export) more_ = true;
  if (!pending_.empty()) write_pending(now);
}

int AuditExport::descriptor() const { return console_ ? STDOUT_FILENO : file_.get(); }

// A console that nobody reads (a stopped pager, a full pipe) must not stop the daemon: only as much is written as poll
// promises to take. A regular file always takes what it can.
std::size_t AuditExport::writable_size() const {
  const std::size_t left = pending_.size() - written_;
  if (!console_) return left;
  struct stat info {};
  if (::fstat(STDOUT_FILENO, &info) == 0 && S_ISREG(info.st_mode)) return left;
  pollfd watched{STDOUT_FILENO, POLLOUT, 0};
  if (::poll(&watched, 1, 0) != 1 || (watched.revents & (POLLOUT | POLLERR)) == 0) return 0;
  return std::min<std::size_t>(left, PIPE_BUF);
}

void AuditExport::write_pending(Now now) {
  retry_at_ = never;
  while (written_ < pending_.size()) {
    const std::size_t size = writable_size();
    const ssize_t count = size == 0 ? 0 : ::write(descriptor(), pending_.data() + written_, size);
    if (count > 0) {
      written_ += static_cast<std::size_t>(count);
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    retry_at_ = now.monotonic + retry_interval;
    if (!complained_) {
      const std::string why = count < 0 ? errno_text(errno) : "it takes no more bytes";
      complain("dsoftbusd", "audit " + printable(path_) + ": cannot be written (" + why +
                                "): records are kept, and changes are refused when there is no room for more");
    }
    complained_ = true;
    return;
  }
  pending_.clear();
  written_ = 0;
  complained_ = false;
}

std::optional<Problem> AuditExport::reopen() {
  if (console_) return std::nullopt;
  auto file = open_file(path_);
  if (!file) return file.error();
  file_ = std::move(file).value();
  // The line that was cut by a short write starts again in the new file.
  const auto line_start = written_ == 0 ? std::string::npos : pending_.rfind('\n', written_ - 1);
  pending_.erase(0, line_start == std::string::npos ? 0 : line_start + 1);
  written_ = 0;
  retry_at_ = Time{0};
  return std::nullopt;
}

std::optional<Problem> AuditExport::finish(Store& store, Now now) {
  constexpr int rounds_max = 1024;
  for (int round = 0; round < rounds_max; ++round) {
    retry_at_ = Time{0};
    export_from(store, now);
    if (!pending_.empty())
      return Problem{"audit " + printable(path_) + ": records could not be written before the end: " +
                     std::to_string(pending_.size() - written_) + " bytes and what the store still held"};
    if (!more_) break;
  }
  if (!console_) ::fsync(file_.get());
  return std::nullopt;
}

}  // namespace statefs
