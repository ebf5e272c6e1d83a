#include "os/audit_export.h"

#include <utility>

#include "core/audit.h"
#include "core/limits.h"
#include "os/clock.h"

namespace statefs {
namespace {

constexpr std::size_t batch_size_max = 256 * 1024;
constexpr std::size_t large_batch_size_max = 4u << 20;  // of a target that writes beside us: bounded by the number of records
constexpr Duration retry_interval = milliseconds(250);
constexpr Duration busy_interval = milliseconds(2);  // of a target that takes records, and not all at once
constexpr Duration last_patience = seconds(60);      // with a target that goes on taking them when the process ends

}  // namespace

Result<AuditExport, Problem> AuditExport::open(const std::string& where, Console& console) {
  auto target = open_audit_target(where, console);
  if (!target) return target.error();
  return AuditExport(where, std::move(target).value());
}

bool AuditExport::take(std::uint64_t, ByteView encoded, const Digest& hash) {
  if (passing_) return true;
  full_ = batch_.size() >= (target_->fd() >= 0 ? large_batch_size_max : batch_size_max);
  if (full_) return false;
  target_->add(encoded, hash, batch_);
  ends_.push_back(batch_.size());
  return true;
}

std::size_t AuditExport::kept(std::size_t count) {
  if (passing_) return count;
  const std::size_t out = target_->write(batch_, ends_);
  stuck_ = out < count && !target_->busy();
  return out;
}

// Lets go what a busy target has written since; false while it is not done, or where it did not write all.
bool AuditExport::written_before(Store& store, Now now) {
  const auto out = target_->take_written();
  if (!out) return false;
  passing_ = true;
  const std::size_t gone = *out == 0 ? 0 : store.export_audit(*this, *out);
  passing_ = false;
  STATEFS_CHECK(gone == *out);
  moved_ = gone > 0;
  stuck_ = gone < ends_.size();
  if (stuck_) {
    put_off(now);
    return false;
  }
  complained_ = false;
  silent_since_.reset();
  return true;
}

// Whoever changes much more than can be written is slowed down before the log is full and all changes are refused: above half of
// it, each turn waits some milliseconds for what is being written.
void AuditExport::hold_back(const Store& store) {
  constexpr unsigned free_percent = 50;
  const unsigned fill = store.fill_percent();
  if (fill > free_percent) target_->make_room(microseconds(500 * static_cast<std::int64_t>(fill - free_percent)));
}

void AuditExport::export_from(Store& store, Now now) {
  if (const auto problem = target_->take_problem()) complain("dsoftbusd", "not reopened: " + problem->line);
  if (target_->busy()) hold_back(store);
  if (target_->busy() && !written_before(store, now)) return;
  if (stuck_ && retry_at_ > now.monotonic) return;
  batch_.clear();
  ends_.clear();
  full_ = false;
  stuck_ = false;
  const std::size_t count = store.export_audit(*this, limits::audit_records_per_export);
  if (target_->busy()) {
    retry_at_ = never;
    return;
  }
  moved_ = count > 0;
  if (stuck_) return put_off(now);
  if (moved_) {
    complained_ = false;
    silent_since_.reset();
  }
  retry_at_ = full_ || count == limits::audit_records_per_export ? Time{0} : never;
}

void AuditExport::put_off(Now now) {
  const bool busy = moved_ && target_->error() == 0;
  retry_at_ = now.monotonic + (busy ? busy_interval : retry_interval);
  if (moved_) silent_since_.reset();
  else if (!silent_since_) silent_since_ = now.monotonic;
  if (target_->error() != 0 || (silent_since_ && now.monotonic >= *silent_since_ + silence_max)) complain_once();
}

void AuditExport::complain_once() {
  if (complained_) return;
  complained_ = true;
  const std::string why = target_->error() == 0 ? "it takes no more bytes" : errno_text(target_->error());
  complain("dsoftbusd", "audit " + printable(where_) + ": cannot be written (" + why +
                            "): records are kept, and changes are refused when there is no room for more");
}

std::optional<Problem> AuditExport::reopen() {
  auto problem = target_->reopen();
  if (!problem && stuck_) retry_at_ = Time{0};
  return problem;
}

std::optional<Problem> AuditExport::finish(Store& store, Now now) {
  const Time end = read_monotonic() + last_patience;
  bool waited = false;  // since it last took a record
  do {
    retry_at_ = Time{0};
    export_from(store, now);
    if (!target_->busy() && !stuck_ && retry_at_ == never) {
      target_->make_durable();
      return std::nullopt;
    }
    if (moved_) waited = false;
    if (stuck_ && std::exchange(waited, true)) break;
    if (stuck_ || target_->busy()) target_->make_room(seconds(1));
  } while (read_monotonic() < end);
  target_->make_durable();
  return Problem{"audit " + printable(where_) +
                 ": records could not be written before the end; a store in a file keeps them"};
}

}  // namespace statefs
