#include "os/audit_export.h"

#include <utility>

#include "core/audit.h"
#include "core/limits.h"
#include "os/clock.h"

namespace statefs {
namespace {

constexpr std::size_t batch_size_max = 256 * 1024;
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
  full_ = batch_.size() >= batch_size_max;
  if (full_) return false;
  const auto record = decode_audit(encoded);
  STATEFS_CHECK(record.ok());  // this process encoded it
  target_->render(record.value(), hash, batch_);
  ends_.push_back(batch_.size());
  return true;
}

std::size_t AuditExport::kept(std::size_t count) {
  const std::size_t out = target_->write(batch_, ends_);
  stuck_ = out < count;
  return out;
}

void AuditExport::export_from(Store& store, Now now) {
  if (stuck_ && retry_at_ > now.monotonic) return;
  batch_.clear();
  ends_.clear();
  full_ = false;
  stuck_ = false;
  const std::size_t count = store.export_audit(*this, limits::audit_records_per_export);
  moved_ = count > 0;
  if (stuck_) {
    const bool busy = moved_ && target_->error() == 0;
    retry_at_ = now.monotonic + (busy ? busy_interval : retry_interval);
    if (!busy) complain_once();
    return;
  }
  if (count > 0) complained_ = false;
  retry_at_ = full_ || count == limits::audit_records_per_export ? Time{0} : never;
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
    if (!stuck_ && retry_at_ == never) {
      target_->make_durable();
      return std::nullopt;
    }
    if (moved_) waited = false;
    if (stuck_ && std::exchange(waited, true)) break;
    if (stuck_) target_->make_room();
  } while (read_monotonic() < end);
  target_->make_durable();
  return Problem{"audit " + printable(where_) +
                 ": records could not be written before the end; a store in a file keeps them"};
}

}  // namespace statefs
