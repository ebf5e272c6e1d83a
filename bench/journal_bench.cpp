// What a commit costs in the journal alone: append and submit of one record with a value of 256 bytes, its audit record and
// its slot, on a disk that does nothing. The flush comes when its time has come; exporting is part of it.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/idle_disk.h"
#include "core/memory_store.h"

namespace {

using namespace statefs;
using bench::Drop;
using bench::serve;

constexpr std::size_t key_count = 10'000;
constexpr std::uint64_t extent_size = 256u << 20;

class Load {
 public:
  explicit Load(Store& store) : store_(store), value_(256, 0x5a) {
    for (std::size_t i = 0; i < key_count; ++i) keys_.push_back("/state/shared/benchmark/key" + std::to_string(1'000'000 + i));
    peer_.kind = PeerKind::remote;
    peer_.key.bytes.fill(7);
    SlotChange open;
    open.kind = SlotChange::Kind::open;
    open.generation = 1;
    AuditRecord record;
    record.kind = AuditKind::session;
    record.peer = peer_;
    session_ = store_.append(record, {}, open).value();
  }

  void put() {
    const std::string& key = keys_[count_ * 7919 % key_count];
    Effect effect;
    effect.kind = Effect::Kind::put;
    effect.key = CanonicalKey::from(as_bytes(key)).value();
    effect.value = value_;
    SlotChange use;
    use.kind = SlotChange::Kind::use;
    use.at = {session_, count_ / limits::slots_per_session + 1, 1, static_cast<std::uint16_t>(count_ % limits::slots_per_session)};
    use.result.sequence = use.at.sequence;
    AuditRecord record;
    record.peer = peer_;
    record.at = use.at;
    record.op = static_cast<std::uint8_t>(Op::put);
    record.allowed = true;
    record.key = key;
    record.key_size = static_cast<std::uint32_t>(key.size());
    record.value_size = 256;
    const auto appended = store_.append(record, effect, use);
    STATEFS_CHECK(appended.ok());
    ++count_;
  }

 private:
  Store& store_;
  Bytes value_;
  std::vector<std::string> keys_;
  PeerRef peer_;
  std::uint64_t session_ = 0;
  std::uint64_t count_ = 0;
};

void journal_commit(benchmark::State& state) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  JournalConfig config;
  config.durability = state.range(1) == 0 ? Durability::sync : Durability::commit;
  Journal journal(config, extent_size);
  Now now{Time{1}, 1};
  for (int i = 0; i < 1'000 && !journal.ready(); ++i) {
    serve(journal);
    journal.advance(now);
  }
  STATEFS_CHECK(journal.ready());
  Load load(journal);
  Drop drop;
  for (auto _ : state) {
    for (std::size_t i = 0; i < batch; ++i) load.put();
    now.monotonic = now.monotonic + microseconds(static_cast<std::int64_t>(2 * batch));
    journal.submit(now);
    serve(journal);
    journal.advance(now);
    journal.export_audit(drop, limits::audit_records_per_export);
  }
  STATEFS_CHECK(!journal.status().failed);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(journal_commit)->ArgNames({"batch", "durable"})->ArgsProduct({{1, 16, 128}, {0, 1}});

void memory_commit(benchmark::State& state) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  Now now{Time{1}, 1};
  MemoryStore store(MemoryStoreConfig{}, now);
  Load load(store);
  Drop drop;
  for (auto _ : state) {
    for (std::size_t i = 0; i < batch; ++i) load.put();
    store.submit(now);
    store.export_audit(drop, limits::audit_records_per_export);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(memory_commit)->ArgNames({"batch"})->Arg(1)->Arg(16)->Arg(128);

}  // namespace
