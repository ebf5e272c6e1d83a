// What opening a store costs: 64 MiB of log replayed record by record, and 64 MiB of values from a snapshot. The disk is memory,
// so the figure is what the processor does; a disk adds the time of reading the same bytes.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "bench/idle_disk.h"

namespace {

using namespace statefs;
using bench::Drop;

constexpr std::size_t value_size = 256;
constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

class MemoryDisk {
 public:
  explicit MemoryDisk(std::uint64_t size) : bytes_(size) {}
  void serve(DiskUser& user) {
    while (const auto request = user.next_request()) {
      ByteView read;
      if (request->kind == DiskRequest::Kind::read) read = ByteView(bytes_).subspan(request->offset, request->size);
      if (request->kind == DiskRequest::Kind::write)
        std::memcpy(bytes_.data() + request->offset, request->bytes.data(), request->size);
      user.completed(request->id, true, read);
    }
  }
  [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }

 private:
  Bytes bytes_;
};

constexpr std::size_t keys_most = 240'000;  // of any store here

void rest(Journal& journal, MemoryDisk& disk, Now& now) {
  while (!journal.settled()) {
    journal.advance(now);
    disk.serve(journal);
    if (journal.deadline() != never) now.monotonic = std::max(now.monotonic, journal.deadline());
  }
}

// A store whose log has `count` records of a PUT each since its last snapshot, or which has `count` keys.
std::unique_ptr<MemoryDisk> make_store(std::uint64_t extent_size, std::size_t count, std::size_t key_count) {
  auto disk = std::make_unique<MemoryDisk>(extent_size);
  JournalConfig config;
  config.limits.keys_max = keys_most;
  Journal journal(config, extent_size);
  Now now{Time{1}, 1};
  while (!journal.ready()) {
    disk->serve(journal);
    journal.advance(now);
  }
  AuditRecord open;
  open.kind = AuditKind::session;
  open.peer.kind = PeerKind::remote;
  SlotChange change;
  change.kind = SlotChange::Kind::open;
  change.generation = 1;
  const std::uint64_t session = journal.append(open, {}, change).value();
  const Bytes value(value_size, 0x5a);
  Drop drop;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string key = "/state/shared/benchmark/key" + std::to_string(10'000'000 + i % key_count);
    Effect effect;
    effect.kind = Effect::Kind::put;
    effect.key = CanonicalKey::from(as_bytes(key)).value();
    effect.value = value;
    SlotChange use;
    use.kind = SlotChange::Kind::use;
    use.at = {session, i + 1, 1, 0};
    use.result.sequence = use.at.sequence;
    AuditRecord record;
    record.peer.kind = PeerKind::remote;
    record.at = use.at;
    record.allowed = true;
    record.key = key;
    record.key_size = static_cast<std::uint32_t>(key.size());
    record.value_size = value_size;
    STATEFS_CHECK(journal.append(record, effect, use).ok());
    if (i % 1024 != 0) continue;
    journal.submit(now);
    journal.request_flush(journal.status().last_index);
    rest(journal, *disk, now);
    while (journal.export_audit(drop, limits::audit_records_per_export) > 0) continue;
  }
  journal.submit(now);
  rest(journal, *disk, now);
  while (journal.export_audit(drop, limits::audit_records_per_export) > 0) continue;
  rest(journal, *disk, now);
  return disk;
}

// `records` of the log are read one by one, then the state is as it was.
void recover_store(benchmark::State& state, const MemoryDisk& from) {
  MemoryDisk disk = from;
  std::uint64_t record_count = 0;
  std::size_t key_count = 0;
  for (auto _ : state) {
    RecoveryConfig config;
    config.limits.keys_max = keys_most;
    Recovery recovery(config, disk.size());
    while (!recovery.done()) disk.serve(recovery);
    STATEFS_CHECK(recovery.report().found == Found::recovered);
    record_count = recovery.report().record_count;
    key_count = recovery.store().state.entries.map().size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(static_cast<std::uint64_t>(state.iterations()) * record_count));
  state.counters["records"] = static_cast<double>(record_count);
  state.counters["keys"] = static_cast<double>(key_count);
}

// 64 MiB of log: a quarter of half a gibibyte is a ring that is half used when the next snapshot begins.
void recover_log(benchmark::State& state) {
  static const auto disk = make_store(512 * mebibyte, 100'000, 10'000);
  recover_store(state, *disk);
}
BENCHMARK(recover_log)->Unit(benchmark::kMillisecond);

// 64 MiB of values, of which the last snapshot has nearly all.
void recover_state(benchmark::State& state) {
  static const auto disk = make_store(512 * mebibyte, keys_most, keys_most);
  recover_store(state, *disk);
}
BENCHMARK(recover_state)->Unit(benchmark::kMillisecond);

}  // namespace
