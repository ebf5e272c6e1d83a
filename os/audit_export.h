// AUDIT EXPORT: audit records leave the process as lines, in a file or on the console.
//
//   store.h (ring of records) -> AUDIT EXPORT -> JSON Lines file | console line each
//
// Records taken from the store are rendered, and written in one write(2) per turn. What the file did not take (a full
// disk, an error) stays here, bounded by one batch, and is tried again; meanwhile records stay in the store's ring, and
// when that is full the store refuses mutations: nothing is dropped. A reader may see a line twice, never half a line
// followed by another; the index tells duplicates.
#pragma once

#include <optional>
#include <string>

#include "core/store.h"
#include "os/fd.h"
#include "os/problem.h"
#include "os/stream_driver.h"

namespace statefs {

class AuditExport final : public AuditOutput, private AuditSink {
 public:
  // Appends to `path`, made with mode 0640 where it is missing; `-` is standard output, with console lines.
  [[nodiscard]] static Result<AuditExport, Problem> open(const std::string& path);

  void export_from(Store& store, Now now) override;
  [[nodiscard]] Time deadline() const override { return pending_.empty() && more_ ? Time{0} : retry_at_; }

  // Opens the file by its name again, after it was renamed away. The old one is kept where that fails.
  [[nodiscard]] std::optional<Problem> reopen();
  // At the end of the process: exports all there is, or says how many bytes could not be written.
  [[nodiscard]] std::optional<Problem> finish(Store& store, Now now);

 private:
  AuditExport(std::string path, Fd file, bool console) : path_(std::move(path)), file_(std::move(file)), console_(console) {}
  bool take(std::uint64_t index, ByteView encoded, const Digest& hash) override;
  void write_pending(Now now);
  [[nodiscard]] int descriptor() const;
  [[nodiscard]] std::size_t writable_size() const;

  std::string path_;
  Fd file_;
  bool console_ = false;
  std::string pending_;  // whole lines, of which written_ bytes are out
  std::size_t written_ = 0;
  Time retry_at_ = never;
  bool more_ = false;        // the store holds records that the last batch had no room for
  bool complained_ = false;  // once per trouble, not once per try
};

}  // namespace statefs
