// AUDIT EXPORT: audit records leave the process, in batches, to where the operator wants them.
//
//   store.h (records that nobody has) -> AUDIT EXPORT -> audit_target.h: JSON Lines file | console | journald
//
// At least once: a record leaves the store only when its target has it, and the log is reclaimed only behind that. What a target
// did not take (a full disk, a console that nobody reads, a busy journald) stays in the store and is tried again; without room
// for more the store refuses mutations. An error is told at once, a target that is only slow once it took nothing for
// silence_max. Nothing is dropped; the index tells duplicates. A turn is bounded by one batch, and by 25 ms where the log is
// nearly full and what was given to the target is still being written.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/store.h"
#include "os/audit_target.h"
#include "os/problem.h"
#include "os/stream_driver.h"

namespace statefs {

class AuditExport final : public AuditOutput, private AuditSink {
 public:
  static constexpr Duration silence_max = seconds(2);

  // `where` as open_audit_target() reads it.
  [[nodiscard]] static Result<AuditExport, Problem> open(const std::string& where, Console& console);

  void export_from(Store& store, Now now) override;
  [[nodiscard]] Time deadline() const override { return retry_at_; }
  // Readable when there is something to do before deadline(); -1: never.
  [[nodiscard]] int fd() const { return target_->fd(); }

  // Opens the target by its name again, after a file was renamed away. The old one is kept where that fails; of a file that is told
  // on standard error, when it is known.
  [[nodiscard]] std::optional<Problem> reopen();
  // At the end of the process: exports all there is, or says that some is left.
  [[nodiscard]] std::optional<Problem> finish(Store& store, Now now);

 private:
  AuditExport(std::string where, std::unique_ptr<AuditTarget> target) : where_(std::move(where)), target_(std::move(target)) {}
  bool take(std::uint64_t index, ByteView encoded, const Digest& hash) override;
  [[nodiscard]] std::size_t kept(std::size_t count) override;
  [[nodiscard]] bool written_before(Store& store, Now now);
  void put_off(Now now);
  void hold_back(const Store& store);
  void complain_once();

  std::string where_;
  std::unique_ptr<AuditTarget> target_;
  std::string batch_;
  std::vector<std::size_t> ends_;  // of the messages in it
  Time retry_at_ = never;          // Time{0}: the store holds more than one batch
  bool stuck_ = false;             // the last batch was not taken whole
  bool moved_ = false;             // something of it was taken
  bool passing_ = false;           // records that are out go, and are not looked at
  bool full_ = false;              // it had no room for all there was
  bool complained_ = false;        // once per trouble, not once per try
  std::optional<Time> silent_since_;  // the first try of which nothing was taken, nor of one since
};

}  // namespace statefs
