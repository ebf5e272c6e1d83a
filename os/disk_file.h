// DISK FILE: a preallocated file or a whole block device as the extent of a journal.
//
//   core/disk.h requests -> disk_thread.h -> DISK FILE -> pread(2), pwrite(2), fdatasync(2)
//
// The cache of the system is passed by (O_DIRECT) where the file system allows it; direct() says whether. A file that is not
// there is made whole or not at all: its blocks are allocated under another name, made durable, and then it gets its own. One
// process has it at a time. A file that is written is refused where others may write to it (file.h) or its name is a link; a device
// is not.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/disk.h"
#include "core/result.h"
#include "os/fd.h"
#include "os/problem.h"

namespace statefs {

enum class DiskAccess {
  create,    // read and write; a missing file is made, of `create_size` bytes
  existing,  // read and write
  read_only,
  beside,    // read only, also where a daemon has it and writes
};

class DiskFile {
 public:
  // `create_size` is a multiple of disk_block_size. A file that is there keeps its size, of which whole blocks are used.
  [[nodiscard]] static Result<DiskFile, Problem> open(const std::string& path, DiskAccess access, std::uint64_t create_size = 0);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  // With what is behind its last whole block, which is not used.
  [[nodiscard]] std::uint64_t file_size() const { return file_size_; }
  [[nodiscard]] bool direct() const { return direct_; }
  [[nodiscard]] bool created() const { return created_; }
  // Of `beside`: another process has it, so that what is read may be older or newer from one block to the next.
  [[nodiscard]] bool in_use() const { return in_use_; }

  // Does it, whole, before it returns. False where it was not done or nobody knows; what a read has read is in read_bytes().
  [[nodiscard]] bool perform(const DiskRequest& request);
  // Valid until the next perform().
  [[nodiscard]] ByteView read_bytes() const { return {buffer_.get(), read_size_}; }

 private:
  struct Free {
    void operator()(std::uint8_t* block) const { ::operator delete(block, std::align_val_t{disk_block_size}); }
  };
  DiskFile(Fd fd, std::uint64_t file_size, bool direct, bool created)
      : fd_(std::move(fd)), file_size_(file_size), size_(file_size / disk_block_size * disk_block_size), direct_(direct), created_(created) {}
  [[nodiscard]] bool read(std::uint64_t offset, std::size_t size);
  [[nodiscard]] bool write(std::uint64_t offset, ByteView bytes) const;
  void make_room(std::size_t size);

  Fd fd_;
  std::uint64_t file_size_;
  std::uint64_t size_;
  bool direct_;
  bool created_;
  bool in_use_ = false;
  std::unique_ptr<std::uint8_t, Free> buffer_;  // of reads, aligned; as large as the largest so far
  std::size_t capacity_ = 0;
  std::size_t read_size_ = 0;
};

}  // namespace statefs
