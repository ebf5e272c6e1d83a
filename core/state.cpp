#include "core/state.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace statefs {

AuditRecord epoch_record(std::uint64_t number, std::uint64_t random, const AuditHead& before, Now now) {
  AuditRecord record;
  record.kind = AuditKind::epoch;
  record.wall_ns = now.wall_ns;
  record.monotonic_ns = now.monotonic.ns;
  record.epoch = number;
  record.allowed = true;
  record.old_revision = before.index;
  store_le<std::uint64_t>(record.value_mac.data(), random);
  return record;
}

std::uint64_t epoch_random(const AuditRecord& record) { return load_le<std::uint64_t>(record.value_mac.data()); }

bool follows(const AuditRecord& record, const AuditHead& before) {
  if (record.previous != before.hash || epoch_of(record.index) != record.epoch) return false;
  if (record.kind != AuditKind::epoch) return before.index != 0 && record.index == before.index + 1;
  return record.index == first_index_of(record.epoch) && record.epoch > epoch_of(before.index) && record.old_revision == before.index;
}

bool State::replay(const DecodedRecord& decoded) {
  const AuditRecord& audit = decoded.audit;
  const LogRecord& record = decoded.record;
  if (audit.index <= snapshot_index) return true;
  if (audit.kind == AuditKind::epoch) {
    if (record.effect != Effect::Kind::none || record.change.kind != SlotChange::Kind::none) return false;
    if (!epochs.all().empty() && epochs.all().back().number >= audit.epoch) return false;
    epochs.begin(audit.epoch, epoch_random(audit), {audit.old_revision, audit.previous});
    return true;
  }
  const Owner owner = owner_of(audit.peer);
  if (record.effect != Effect::Kind::none) {
    // A key that no validator would make has not been written by this journal.
    if (!CanonicalKey::from(as_bytes(audit.key)).ok() || audit.key.size() != audit.key_size) return false;
    if (record.effect == Effect::Kind::put) entries.restore(audit.key, record.value, owner, audit.index);
    else entries.erase(audit.key);
  }
  const auto as_of = shelves_as_of.find(owner);
  if (as_of != shelves_as_of.end()) {
    if (audit.index <= as_of->second) return true;
    shelves_as_of.erase(as_of);
  }
  if (!slots.fits(owner, record.change)) return false;
  slots.apply(owner, record.change, audit.index);
  return true;
}

}  // namespace statefs
