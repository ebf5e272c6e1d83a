#include "os/disk_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <utility>

#include "core/check.h"
#include "os/file.h"

namespace statefs {
namespace {

Problem about(const std::string& path, const std::string& what) { return {"state " + printable(path) + ": " + what}; }

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool sync_folder(const std::string& path) {
  const Fd folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder.valid() && ::fsync(folder.get()) == 0;
}

// A kill on the way leaves at most PATH.new, which the next try makes anew. link(2) rather than rename(2): where somebody else was
// faster, theirs stays.
std::optional<Problem> make_file(const std::string& path, std::uint64_t size) {
  const std::string fresh = path + ".new";
  if (::unlink(fresh.c_str()) != 0 && errno != ENOENT) return about(fresh, errno_text(errno));
  const Fd fd(::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return about(path, "cannot be made: " + errno_text(errno));
  int error = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(size));
  if (error == 0 && ::fsync(fd.get()) != 0) error = errno;
  if (error == 0 && ::link(fresh.c_str(), path.c_str()) != 0 && errno != EEXIST) error = errno;
  ::unlink(fresh.c_str());
  if (error == 0 && !sync_folder(path)) error = errno;
  if (error != 0) return about(path, "cannot be made with " + std::to_string(size) + " bytes: " + errno_text(error));
  return std::nullopt;
}

struct Opened {
  Fd fd;
  bool direct = false;
};

// An errno in place of a descriptor.
Result<Opened, int> open_file(const std::string& path, int flags) {
  Fd direct(::open(path.c_str(), flags | O_DIRECT));
  if (direct.valid()) return Opened{std::move(direct), true};
  if (errno != EINVAL) return int{errno};
  Fd cached(::open(path.c_str(), flags));
  if (!cached.valid()) return int{errno};
  return Opened{std::move(cached), false};
}

// Devices have links for names (/dev/disk/by-id), whose folder is root's. A file that is written is named itself, and nobody else's.
Result<Opened, Problem> open_to_write(const std::string& path) {
  constexpr int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  auto opened = open_file(path, flags | O_NOFOLLOW);
  const bool is_link = !opened && opened.error() == ELOOP;
  if (is_link) opened = open_file(path, flags);
  if (!opened) return about(path, is_link ? std::string(is_a_link) : errno_text(opened.error()));
  struct stat info {};
  if (::fstat(opened.value().fd.get(), &info) != 0) return about(path, errno_text(errno));
  if (!S_ISREG(info.st_mode)) return std::move(opened).value();
  if (is_link) return about(path, std::string(is_a_link));
  if (const auto wrong = who_else_may_write(path, info); !wrong.empty()) return about(path, wrong);
  return std::move(opened).value();
}

Result<Opened, Problem> open_to_read(const std::string& path) {
  auto opened = open_file(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (!opened) return about(path, errno_text(opened.error()));
  return std::move(opened).value();
}

Result<std::uint64_t, Problem> size_of(const std::string& path, int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return about(path, errno_text(errno));
  std::uint64_t size = static_cast<std::uint64_t>(info.st_size);
  if (S_ISBLK(info.st_mode)) {
    if (::ioctl(fd, BLKGETSIZE64, &size) != 0) return about(path, errno_text(errno));
  } else if (!S_ISREG(info.st_mode)) {
    return about(path, "is neither a regular file nor a block device");
  }
  return size;
}

}  // namespace

Result<DiskFile, Problem> DiskFile::open(const std::string& path, DiskAccess access, std::uint64_t create_size) {
  STATEFS_CHECK(create_size % disk_block_size == 0);
  bool created = false;
  struct stat info {};
  if (access == DiskAccess::create && ::lstat(path.c_str(), &info) != 0 && errno == ENOENT) {
    if (auto problem = make_file(path, create_size)) return std::move(*problem);
    created = true;
  }
  const bool writes = access == DiskAccess::create || access == DiskAccess::existing;
  auto opened = writes ? open_to_write(path) : open_to_read(path);
  if (!opened) return opened.error();
  Fd fd = std::move(opened.value().fd);
  auto size = size_of(path, fd.get());
  if (!size) return size.error();
  // A reader may look on beside others; who writes is alone.
  const bool locked = ::flock(fd.get(), (writes ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0;
  if (!locked && (access != DiskAccess::beside || errno != EWOULDBLOCK)) {
    return about(path, errno == EWOULDBLOCK ? "is in use by another process" : errno_text(errno));
  }
  // Whoever looks on beside a writer must not keep the next one out.
  if (access == DiskAccess::beside) ::flock(fd.get(), LOCK_UN);
  DiskFile file(std::move(fd), size.value(), opened.value().direct, created);
  file.in_use_ = !locked;
  return file;
}

bool DiskFile::perform(const DiskRequest& request) {
  switch (request.kind) {
    case DiskRequest::Kind::read: return read(request.offset, static_cast<std::size_t>(request.size));
    case DiskRequest::Kind::write: return write(request.offset, request.bytes);
    case DiskRequest::Kind::flush: return ::fdatasync(fd_.get()) == 0;
  }
  STATEFS_CHECK(false);
}

void DiskFile::make_room(std::size_t size) {
  if (size <= capacity_) return;
  buffer_.reset(static_cast<std::uint8_t*>(::operator new(size, std::align_val_t{disk_block_size})));
  capacity_ = size;
}

bool DiskFile::read(std::uint64_t offset, std::size_t size) {
  read_size_ = 0;
  make_room(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::pread(fd_.get(), buffer_.get() + done, size - done, static_cast<off_t>(offset + done));
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0 || errno != EINTR) {
      return false;
    }
  }
  read_size_ = size;
  return true;
}

bool DiskFile::write(std::uint64_t offset, ByteView bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    } else if (count == 0 || errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace statefs
