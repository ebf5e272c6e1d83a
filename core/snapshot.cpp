#include "core/snapshot.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/check.h"
#include "core/crc32c.h"

namespace statefs {

namespace {

constexpr std::uint8_t epochs_item = 1;
constexpr std::uint8_t shelf_item = 2;
constexpr std::uint8_t entry_item = 3;

void put_owner(const Owner& owner, BlockBuffer& out) {
  out.u8(static_cast<std::uint8_t>(owner.kind));
  out.u32(owner.uid);
  out.append(owner.key.bytes);
}

bool take_owner(Reader& in, Owner& owner) {
  const std::uint8_t kind = in.u8();
  owner.uid = in.u32();
  owner.key.bytes = in.array<32>();
  owner.kind = static_cast<PeerKind>(kind);
  return kind <= static_cast<std::uint8_t>(PeerKind::local);
}

void put_session(const SlotSession& session, BlockBuffer& out) {
  out.u64(session.number);
  out.append(session.instance);
  out.u32(session.generation);
  out.u64(session.used_index);
  std::uint16_t mask = 0;
  for (std::size_t i = 0; i < session.slots.size(); ++i) {
    if (session.slots[i] != Slot{}) mask = static_cast<std::uint16_t>(mask | 1u << i);
  }
  out.u16(mask);
  for (const Slot& slot : session.slots) {
    if (slot == Slot{}) continue;
    out.u64(slot.sequence);
    out.append(slot.request);
    out.u16(static_cast<std::uint16_t>(slot.status));
    out.u64(slot.index);
    out.u64(slot.revision);
  }
}
static_assert(limits::slots_per_session <= 16, "a session's slots have a mask of 16 bits");

bool take_session(Reader& in, SlotSession& session) {
  session.number = in.u64();
  session.instance = in.array<16>();
  session.generation = in.u32();
  session.used_index = in.u64();
  const std::uint32_t mask = in.u16();
  if ((mask >> limits::slots_per_session) != 0) return false;
  for (std::size_t i = 0; i < session.slots.size(); ++i) {
    if ((mask >> i & 1) == 0) continue;
    Slot& slot = session.slots[i];
    slot.sequence = in.u64();
    slot.request = in.array<32>();
    const std::uint16_t status = in.u16();
    slot.status = static_cast<Status>(status);
    slot.index = in.u64();
    slot.revision = in.u64();
    if (!is_status(status) || slot == Slot{}) return false;
  }
  return in.ok();
}

}  // namespace

std::size_t chunk_size_max(std::size_t chunk_size, std::size_t value_size) {
  const std::size_t entry = Entries::entry_overhead + limits::key_size_max + value_size;
  return block_ceiling(chunk_header_size + chunk_size + std::max({entry, shelf_item_size_max, epochs_item_size_max}));
}

bool SnapshotWriter::step(const State& state, std::uint64_t last_index, BlockBuffer& chunk, std::size_t visits_max) {
  STATEFS_CHECK(!done_);
  if (!open_) {
    chunk.clear();
    chunk.zeros(chunk_header_size);
    open_ = true;
  }
  switch (part_) {
    case Part::epochs: put_epochs(state.epochs, chunk); break;
    case Part::shelves: put_shelf(state.slots, last_index, chunk); break;
    case Part::entries: put_entries(state.entries, chunk, visits_max); break;
    case Part::end: break;
  }
  if (!full(chunk) && part_ != Part::end) return false;
  close(chunk, part_ == Part::end);
  return true;
}

void SnapshotWriter::put_epochs(const Epochs& epochs, BlockBuffer& chunk) {
  chunk.u8(epochs_item);
  chunk.u16(static_cast<std::uint16_t>(epochs.all().size()));
  for (const Epoch& epoch : epochs.all()) {
    chunk.u64(epoch.number);
    chunk.u64(epoch.random);
    chunk.u64(epoch.last.index);
    chunk.append(epoch.last.hash);
  }
  part_ = Part::shelves;
}

void SnapshotWriter::put_shelf(const SlotTable& slots, std::uint64_t last_index, BlockBuffer& chunk) {
  const auto at = owner_ ? slots.shelves().upper_bound(*owner_) : slots.shelves().begin();
  if (at == slots.shelves().end()) {
    part_ = Part::entries;
    return;
  }
  owner_ = at->first;
  const SlotTable::Shelf& shelf = at->second;
  chunk.u8(shelf_item);
  put_owner(at->first, chunk);
  chunk.u64(last_index);
  chunk.u16(static_cast<std::uint16_t>(shelf.live.size()));
  chunk.u16(static_cast<std::uint16_t>(shelf.ended.size()));
  for (const SlotSession& session : shelf.live) put_session(session, chunk);
  for (const SlotSession& session : shelf.ended) put_session(session, chunk);
}

void SnapshotWriter::put_entries(const Entries& entries, BlockBuffer& chunk, std::size_t visits_max) {
  auto at = key_.empty() ? entries.map().begin() : entries.map().upper_bound(key_);
  auto last = entries.map().end();
  for (; at != entries.map().end() && visits_max > 0 && !full(chunk); ++at, --visits_max) {
    last = at;
    const Entries::Entry& entry = at->second;
    if (entry.revision > index_) continue;
    chunk.u8(entry_item);
    put_owner(entry.owner, chunk);
    chunk.u8(static_cast<std::uint8_t>(at->first.size()));
    chunk.u8(0);
    chunk.u32(static_cast<std::uint32_t>(entry.value.size()));
    chunk.u64(entry.revision);
    chunk.append(as_bytes(at->first));
    chunk.append(entry.value);
    ++entry_count_;
  }
  if (last != entries.map().end()) key_ = last->first;
  if (at == entries.map().end()) part_ = Part::end;
}

void SnapshotWriter::close(BlockBuffer& chunk, bool last) {
  const std::size_t size = chunk.size();
  std::uint8_t* const header = chunk.at(0);
  store_le<std::uint32_t>(header + 4, static_cast<std::uint32_t>(size));
  store_le<std::uint64_t>(header + 8, sequence_);
  store_le<std::uint32_t>(header + 16, number_);
  store_le<std::uint32_t>(header + 20, last ? 1 : 0);
  const std::uint32_t crc = crc32c(chunk.bytes().subspan(4));
  store_le<std::uint32_t>(header, crc);
  sum_ = crc32c(chunk.bytes().first(4), sum_);
  chunk.pad();
  size_ += chunk.size();
  ++number_;
  open_ = false;
  done_ = last;
}

Result<std::size_t, SnapshotError> SnapshotReader::take(ByteView bytes) {
  Reader header(bytes);
  const std::uint32_t crc = header.u32();
  const std::uint32_t size = header.u32();
  const std::uint64_t sequence = header.u64();
  const std::uint32_t number = header.u32();
  const std::uint32_t last = header.u32();
  if (!header.ok()) return SnapshotError::incomplete;
  constexpr std::size_t most = limits::journal_read_size + limits::log_record_size_max;
  if (done_ || size < chunk_header_size || size > most || sequence != sequence_ || number != number_ || last > 1) return SnapshotError::bad;
  const std::size_t padded = block_ceiling(size);
  if (bytes.size() < padded) return SnapshotError::incomplete;
  if (crc32c(bytes.first(size).subspan(4)) != crc) return SnapshotError::bad;
  const ByteView padding = bytes.first(padded).subspan(size);
  if (std::any_of(padding.begin(), padding.end(), [](std::uint8_t byte) { return byte != 0; })) return SnapshotError::bad;
  Reader items(bytes.first(size).subspan(chunk_header_size));
  while (!items.rest().empty()) {
    if (!take_items(items) || !items.ok()) return SnapshotError::bad;
  }
  if (part_ == 0) return SnapshotError::bad;
  sum_ = crc32c(bytes.first(4), sum_);
  ++number_;
  done_ = last == 1;
  return padded;
}

// The epochs come first and once; then shelves, then entries.
bool SnapshotReader::take_items(Reader& in) {
  const std::uint8_t kind = in.u8();
  if (kind < epochs_item || kind > entry_item || kind < part_ || (part_ == 0) != (kind == epochs_item)) return false;
  part_ = kind;
  if (kind == epochs_item) return take_epochs(in);
  return kind == shelf_item ? take_shelf(in) : take_entry(in);
}

bool SnapshotReader::take_epochs(Reader& in) {
  const std::size_t count = in.u16();
  if (count > limits::epochs_kept) return false;
  std::vector<Epoch> epochs(count);
  for (Epoch& epoch : epochs) {
    epoch.number = in.u64();
    epoch.random = in.u64();
    epoch.last.index = in.u64();
    epoch.last.hash = in.array<32>();
  }
  return in.ok() && state_.epochs.restore(std::move(epochs));
}

bool SnapshotReader::take_shelf(Reader& in) {
  Owner owner;
  if (!take_owner(in, owner)) return false;
  if (!state_.slots.shelves().empty() && owner <= std::prev(state_.slots.shelves().end())->first) return false;
  const std::uint64_t as_of = in.u64();
  const std::size_t live = in.u16();
  const std::size_t ended = in.u16();
  if (live > limits::sessions_per_key || ended > limits::ended_sessions_per_key) return false;
  SlotTable::Shelf shelf;
  shelf.live.resize(live);
  shelf.ended.resize(ended);
  for (SlotSession& session : shelf.live) {
    if (!take_session(in, session)) return false;
  }
  for (SlotSession& session : shelf.ended) {
    if (!take_session(in, session)) return false;
  }
  if (!in.ok() || as_of < state_.snapshot_index) return false;
  if (as_of > state_.snapshot_index) state_.shelves_as_of[owner] = as_of;
  return state_.slots.restore(owner, std::move(shelf));
}

bool SnapshotReader::take_entry(Reader& in) {
  Owner owner;
  if (!take_owner(in, owner)) return false;
  const std::size_t key_size = in.u8();
  const std::uint8_t zero = in.u8();
  const std::uint32_t value_size = in.u32();
  const std::uint64_t revision = in.u64();
  const ByteView key = in.take(key_size);
  const ByteView value = in.take(value_size);
  if (!in.ok() || zero != 0 || revision == 0 || revision > state_.snapshot_index || value_size > limits::total_value_size_ceiling) return false;
  const auto& map = state_.entries.map();
  if (!map.empty() && as_text(key) <= std::prev(map.end())->first) return false;
  if (!CanonicalKey::from(key).ok()) return false;
  state_.entries.restore(as_text(key), value, owner, revision);
  ++entry_count_;
  return true;
}

}  // namespace statefs
