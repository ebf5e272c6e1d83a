// AUDIT FILE: the audit target that is a file of JSON Lines, made, written and synced by a thread of its own.
//
//   audit_export.h -> AUDIT FILE -> write(2), fdatasync(2)
//
// A file system that stalls must not hold whoever serves, and a record is out only when a power cut cannot take it any more: so a
// batch is handed over, and what of it is out is known when fd() says so. What was not taken is given again, and a line that had
// begun goes on where it stopped. At most one batch is under way. Only the thread looks at the file: between two of its writes the
// end of it is where a line ends or was cut.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "os/audit_target.h"

namespace statefs {

class AuditFile final : public AuditTarget {
 public:
  [[nodiscard]] static Result<std::unique_ptr<AuditTarget>, Problem> open(const std::string& path);
  AuditFile(const AuditFile&) = delete;
  AuditFile& operator=(const AuditFile&) = delete;
  // Waits for what is under way.
  ~AuditFile() override;

  // A message is the record as it was encoded, behind its hash: the thread makes the line of it.
  void add(ByteView encoded, const Digest& hash, std::string& out) const override;
  [[nodiscard]] std::size_t write(std::string_view messages, std::span<const std::size_t> ends) override;
  [[nodiscard]] int error() const override { return error_; }
  [[nodiscard]] int fd() const override { return done_event_.get(); }
  [[nodiscard]] bool busy() const override { return busy_; }
  [[nodiscard]] std::optional<std::size_t> take_written() override;
  // The thread does it, behind the batch under way, and mends a line that was cut; what went wrong is in take_problem().
  [[nodiscard]] std::optional<Problem> reopen() override;
  [[nodiscard]] std::optional<Problem> take_problem() override;
  void make_room(Duration patience) override;

 private:
  struct Batch {
    std::string messages;  // then lines: at most limits::audit_records_per_export of them
    std::vector<std::size_t> ends;
  };
  struct Written {
    std::size_t count = 0;  // whole messages, on the disk
    int error = 0;
  };
  AuditFile(std::string path, Fd file, Fd done_event)
      : path_(std::move(path)), done_event_(std::move(done_event)), file_(std::move(file)) {}
  void start();
  void work();
  void tell() const;
  void be_quiet() const;
  [[nodiscard]] std::optional<Problem> open_again();
  [[nodiscard]] static Batch lines_of(const Batch& batch);
  [[nodiscard]] Written write_out(const Batch& lines);

  // Of both, and never changed:
  const std::string path_;
  const Fd done_event_;
  // Of the caller's thread:
  bool busy_ = false;
  int error_ = 0;
  // Of both, under the mutex:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Batch> batch_;
  std::optional<Written> written_;
  std::optional<Problem> problem_;  // of the last reopen()
  bool reopening_ = false;
  bool stopping_ = false;
  // Of the writing thread:
  Fd file_;
  std::size_t begun_size_ = 0;  // of the first message of the next batch, that is in the file
  std::string rest_;            // or what is missing of the line that the file ends in, where that is written anew behind it
  std::thread thread_;
};

}  // namespace statefs
