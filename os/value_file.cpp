#include "os/value_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "core/crypto.h"
#include "core/limits.h"
#include "os/file.h"

namespace statefs {
namespace {

constexpr std::size_t piece_size = 64 * 1024;
constexpr mode_t file_mode = 0666;  // less the umask, as for any file that a person makes

}  // namespace

Result<ValueInput, Problem> ValueInput::of_file(const std::string& path) {
  const std::string noun = "value file " + printable(path);
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file.valid()) return Problem{noun + ": " + errno_text(errno)};
  auto input = of_descriptor(noun, file.get());
  if (input) input.value().file_ = std::move(file);
  return input;
}

Result<ValueInput, Problem> ValueInput::of_descriptor(const std::string& noun, int fd) {
  ValueInput input;
  input.noun_ = noun;
  struct stat info {};
  // Standard input may be a file that somebody has read a part of.
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && ::lseek(fd, 0, SEEK_CUR) == 0) {
    input.fd_ = fd;
    input.size_ = static_cast<std::uint64_t>(info.st_size);
    return input;
  }
  auto bytes = read_all(noun, fd, limits::total_value_size_ceiling);
  if (!bytes) return bytes.error();
  input.bytes_ = std::move(bytes).value();
  input.size_ = input.bytes_.size();
  return input;
}

ValueInput ValueInput::of_bytes(ByteView bytes) {
  ValueInput input;
  input.noun_ = "value";
  input.bytes_.assign(bytes.begin(), bytes.end());
  input.size_ = bytes.size();
  return input;
}

bool ValueInput::read(std::uint64_t offset, std::span<std::uint8_t> into) {
  if (fd_ < 0) {
    if (offset > bytes_.size() || into.size() > bytes_.size() - offset) return false;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return true;
  }
  while (!into.empty()) {
    const ssize_t count = ::pread(fd_, into.data(), into.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      error_ = count < 0 ? errno : 0;
      return false;
    }
    into = into.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return true;
}

Result<Digest, Problem> ValueInput::digest() {
  Sha256 sha;
  sha.begin();
  Bytes piece(piece_size);
  for (std::uint64_t at = 0; at < size_;) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), size_ - at));
    if (!read(at, std::span(piece).first(count))) return problem();
    sha.update(ByteView(piece).first(count));
    at += count;
  }
  return sha.finish();
}

Problem ValueInput::problem() const {
  return {noun_ + ": " + (error_ != 0 ? errno_text(error_) : "became shorter while it was read: put it again when nobody writes to it")};
}

// One that a kill left is taken over; one that is being written is not. Whoever finished it in between has given it its name.
Result<FileOutput, Problem> FileOutput::create(const std::string& path) {
  FileOutput output(path, Fd());
  const std::string part = output.part_path();
  const auto about = [&part](const std::string& what) { return Problem{"file " + printable(part) + ": " + what}; };
  for (;;) {
    Fd file(::open(part.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, file_mode));
    if (!file.valid() && errno == ENXIO) return about("is not a regular file");  // a FIFO that nobody reads
    if (!file.valid()) return about(errno == ELOOP ? std::string(is_a_link) : errno_text(errno));
    struct stat held {};
    if (::fstat(file.get(), &held) != 0) return about(errno_text(errno));
    if (!S_ISREG(held.st_mode)) return about("is not a regular file");
    if (held.st_uid != ::geteuid()) return about("belongs to uid " + std::to_string(held.st_uid) + ": remove it, or take another name");
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      return about(errno == EWOULDBLOCK ? "another program is writing it: wait for it, or take another name" : errno_text(errno));
    }
    struct stat named {};
    if (::lstat(part.c_str(), &named) != 0 || named.st_dev != held.st_dev || named.st_ino != held.st_ino) continue;
    if (named.st_nlink > 1) return about("has another name, whose bytes would be overwritten: remove it, or take another name");
    output.file_ = std::move(file);
    return output;
  }
}

FileOutput::~FileOutput() {
  if (file_.valid()) ::unlink(part_path().c_str());
}

bool FileOutput::begin(std::uint64_t, std::uint64_t) {
  if (::ftruncate(file_.get(), 0) == 0 && ::lseek(file_.get(), 0, SEEK_SET) == 0) return true;
  error_ = errno;
  return false;
}

bool FileOutput::write(ByteView bytes) {
  error_ = write_all(file_.get(), bytes);
  return error_ == 0;
}

std::optional<Problem> FileOutput::finish() {
  if (::fsync(file_.get()) != 0 || std::rename(part_path().c_str(), path_.c_str()) != 0) {
    return Problem{"file " + printable(path_) + ": " + errno_text(errno)};
  }
  file_.reset();
  return std::nullopt;
}

Problem FileOutput::problem() const { return {"file " + printable(part_path()) + ": " + errno_text(error_)}; }

}  // namespace statefs
