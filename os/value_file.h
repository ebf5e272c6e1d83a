// VALUE FILE: where the bytes of a value come from and go to: a file by offset, or memory where there is none.
//
//   verb_value.cpp -> VALUE FILE -> core/upload.h (ValueSource), core/download.h (ValueSink)
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/bytes.h"
#include "core/download.h"
#include "core/result.h"
#include "core/upload.h"
#include "os/fd.h"
#include "os/problem.h"

namespace statefs {

// A regular file is read piece by piece as it is needed; a pipe is read to its end, which a value of the largest size bounds.
class ValueInput final : public ValueSource {
 public:
  [[nodiscard]] static Result<ValueInput, Problem> of_file(const std::string& path);
  [[nodiscard]] static Result<ValueInput, Problem> of_descriptor(const std::string& noun, int fd);  // which stays the caller's
  [[nodiscard]] static ValueInput of_bytes(ByteView bytes);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] bool read(std::uint64_t offset, std::span<std::uint8_t> into) override;
  // SHA-256 of all of it, in pieces; a problem where it cannot be read, or has become shorter.
  [[nodiscard]] Result<Digest, Problem> digest();
  [[nodiscard]] Problem problem() const;  // why read() said false

 private:
  std::string noun_;
  Fd file_;
  int fd_ = -1;  // a regular file; -1: bytes_
  Bytes bytes_;
  std::uint64_t size_ = 0;
  int error_ = 0;  // 0: it became shorter
};

// A file takes its name only when the value is whole: until then it is `PATH.part`, beside it, locked against another of the same name.
class FileOutput final : public ValueSink {
 public:
  [[nodiscard]] static Result<FileOutput, Problem> create(const std::string& path);
  FileOutput(FileOutput&&) noexcept = default;
  ~FileOutput() override;  // removes what is not whole

  [[nodiscard]] bool begin(std::uint64_t revision, std::uint64_t total_size) override;
  [[nodiscard]] bool write(ByteView bytes) override;
  // The value is whole: written out, and under its name.
  [[nodiscard]] std::optional<Problem> finish();
  [[nodiscard]] Problem problem() const;  // why begin() or write() said false

 private:
  FileOutput(std::string path, Fd file) : path_(std::move(path)), file_(std::move(file)) {}
  [[nodiscard]] std::string part_path() const { return path_ + ".part"; }

  std::string path_;
  Fd file_;
  int error_ = 0;
};

class MemoryOutput final : public ValueSink {
 public:
  [[nodiscard]] bool begin(std::uint64_t, std::uint64_t total_size) override {
    bytes.clear();
    bytes.reserve(static_cast<std::size_t>(total_size));
    return true;
  }
  [[nodiscard]] bool write(ByteView more) override {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return true;
  }
  Bytes bytes;
};

}  // namespace statefs
