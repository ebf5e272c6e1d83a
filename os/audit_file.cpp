#include "os/audit_file.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "core/check.h"
#include "os/file.h"
#include "os/text/audit_text.h"

namespace statefs {
namespace {

// A name that a power cut could take is no file.
bool keep_name(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd.valid() && ::fsync(fd.get()) == 0;
}

Result<Fd, Problem> open_file(const std::string& path) {
  const auto about = [&path](const std::string& what) { return Problem{"audit file " + printable(path) + ": " + what}; };
  Fd fd(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0640));
  if (!fd.valid()) return about(errno == ELOOP ? std::string(is_a_link) : errno_text(errno));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return about(errno_text(errno));
  if (!S_ISREG(info.st_mode)) return about("is not a regular file");
  if (const auto wrong = who_else_may_write(path, info); !wrong.empty()) return about(wrong);
  if (info.st_size == 0 && !keep_name(path)) return about("its folder cannot be synced: " + errno_text(errno));
  // A line that was cut when a machine stopped stays a line of its own; its record comes again.
  char last = '\n';
  if (info.st_size > 0 && ::pread(fd.get(), &last, 1, info.st_size - 1) == 1 && last != '\n' && ::write(fd.get(), "\n", 1) != 1) {
    return about(errno_text(errno));
  }
  return fd;
}

// How much was written; `error` where that is not all.
std::size_t write_some(int fd, std::string_view bytes, int& error) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) error = errno;
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

}  // namespace

Result<std::unique_ptr<AuditTarget>, Problem> AuditFile::open(const std::string& path) {
  auto file = open_file(path);
  if (!file) return file.error();
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return Problem{"eventfd: " + errno_text(errno)};
  std::unique_ptr<AuditFile> target(new AuditFile(path, std::move(file).value(), std::move(event)));
  target->start();
  return std::unique_ptr<AuditTarget>(std::move(target));
}

// Signals are for the thread that waits for them.
void AuditFile::start() {
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { work(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

AuditFile::~AuditFile() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void AuditFile::add(ByteView encoded, const Digest& hash, std::string& out) const { out.append(as_text(hash)).append(as_text(encoded)); }

AuditFile::Batch AuditFile::lines_of(const Batch& batch) {
  Batch lines;
  std::size_t at = 0;
  for (const std::size_t end : batch.ends) {
    const ByteView message = as_bytes(batch.messages).subspan(at, end - at);
    Digest hash{};
    std::copy_n(message.begin(), hash.size(), hash.begin());
    const auto record = decode_audit(message.subspan(hash.size()));
    STATEFS_CHECK(record.ok());  // this process encoded it
    append_audit_json(record.value(), hash, lines.messages);
    lines.ends.push_back(lines.messages.size());
    at = end;
  }
  return lines;
}

std::size_t AuditFile::write(std::string_view messages, std::span<const std::size_t> ends) {
  STATEFS_CHECK(!busy_);
  busy_ = true;
  {
    const std::lock_guard lock(mutex_);
    batch_ = Batch{std::string(messages), {ends.begin(), ends.end()}};
  }
  changed_.notify_all();
  return 0;
}

// What was told before the event is quiet again is seen by whoever looks afterwards.
void AuditFile::be_quiet() const {
  std::uint64_t count = 0;
  while (::read(done_event_.get(), &count, sizeof count) < 0 && errno == EINTR) {
  }
}

std::optional<std::size_t> AuditFile::take_written() {
  be_quiet();
  const std::lock_guard lock(mutex_);
  if (!written_) return std::nullopt;
  const Written written = *std::exchange(written_, std::nullopt);
  busy_ = false;
  error_ = written.error;
  return written.count;
}

std::optional<Problem> AuditFile::reopen() {
  {
    const std::lock_guard lock(mutex_);
    reopening_ = true;
  }
  changed_.notify_all();
  return std::nullopt;
}

std::optional<Problem> AuditFile::take_problem() {
  const std::lock_guard lock(mutex_);
  if (!problem_) return std::nullopt;
  be_quiet();
  if (written_) tell();
  return std::exchange(problem_, std::nullopt);
}

void AuditFile::make_room(Duration patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::nanoseconds(patience.ns), [this] { return !busy_ || written_.has_value(); });
}

void AuditFile::tell() const {
  const std::uint64_t one = 1;
  while (::write(done_event_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

// A line that was cut starts again in the file that is open now, be it another one or the same.
std::optional<Problem> AuditFile::open_again() {
  auto file = open_file(path_);
  if (!file) return file.error();
  file_ = std::move(file).value();
  begun_size_ = 0;
  rest_.clear();
  return std::nullopt;
}

void AuditFile::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || reopening_ || batch_.has_value(); });
    if (std::exchange(reopening_, false)) {
      lock.unlock();
      auto problem = open_again();
      lock.lock();
      if (problem) {
        problem_ = std::move(problem);
        tell();
      }
      continue;
    }
    if (!batch_) return;
    const Batch batch = *std::exchange(batch_, std::nullopt);
    lock.unlock();
    const Written written = write_out(lines_of(batch));
    lock.lock();
    written_ = written;
    changed_.notify_all();
    tell();
  }
}

AuditFile::Written AuditFile::write_out(const Batch& lines) {
  Written out;
  rest_.erase(0, write_some(file_.get(), rest_, out.error));
  if (!rest_.empty()) return out;
  const std::size_t done = begun_size_ + write_some(file_.get(), std::string_view(lines.messages).substr(begun_size_), out.error);
  out.count = static_cast<std::size_t>(std::upper_bound(lines.ends.begin(), lines.ends.end(), done) - lines.ends.begin());
  begun_size_ = done - (out.count == 0 ? 0 : lines.ends[out.count - 1]);
  if (::fdatasync(file_.get()) == 0) return out;
  // Nobody knows what of it is on the disk, and the kernel does not try again: all of it is written once more.
  const int error = errno;
  if (begun_size_ > 0) rest_ = lines.messages.substr(done, lines.ends[out.count] - done);
  begun_size_ = 0;
  return {0, error};
}

}  // namespace statefs
