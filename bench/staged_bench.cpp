// STAGED BENCH: a value of 1 MiB in chunks, committed and synced, at the server without sockets: sealed bytes in, sealed answers out,
// journal on a disk that does nothing; beside what the AEAD alone takes to open the same bytes.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/idle_disk.h"
#include "bench/line.h"

namespace statefs {
namespace {

constexpr std::size_t value_size = limits::total_value_size_default;
constexpr std::uint64_t extent_size = 256u << 20;
constexpr std::size_t prepared = 8;  // values, sealed outside the time that counts

using bench::Line;

JournalConfig config_of(const SecretKey& device) {
  JournalConfig config;
  config.node = make_crypto_suite()->import(device)->public_key();
  return config;
}

// All frames of one value, a record or two to each wake-up.
std::vector<Bytes> upload_of(Line& line, std::uint64_t epoch, ByteView value) {
  const SlotRef place = line.next_place();
  std::vector<Bytes> reads;
  const std::string key = "/state/shared/image" + std::to_string(place.sequence % 8);
  for (std::size_t at = 0; at < value.size(); at += limits::chunk_size_max) {
    const ByteView chunk = value.subspan(at, limits::chunk_size_max);
    Bytes frame;
    encode_request({3, StageRequest{place.sequence, value.size(), at, as_bytes(key), static_cast<std::uint32_t>(chunk.size()), chunk}}, frame);
    reads.push_back(line.seal(frame));
  }
  PutRequest put;
  put.at = place;
  put.key = as_bytes(key);
  put.stage = StageCommit{place.sequence, value.size(), Sha256().of(value)};
  Bytes frame;
  encode_request({4, put}, frame);
  encode_request({5, SyncRequest{epoch}}, frame);
  reads.push_back(line.seal(frame));
  return reads;
}

void staged_value(benchmark::State& state) {
  const Bytes value(value_size, 0x61);
  Journal journal(config_of(bench::secret(1)), extent_size);
  for (int i = 0; i < 1'000 && !journal.ready(); ++i) {
    bench::serve(journal);
    journal.advance(Now{Time{1}, 1});
  }
  bench::Drop drop;
  Line line(journal, 1, [&journal] { bench::serve(journal); });
  std::vector<std::vector<Bytes>> ready;
  std::size_t next = 0;
  const std::uint64_t before = line.answered_ok();
  for (auto _ : state) {
    if (next == ready.size()) {
      state.PauseTiming();
      journal.export_audit(drop, ~std::size_t{0});
      ready.clear();
      for (std::size_t i = 0; i < prepared; ++i) ready.push_back(upload_of(line, journal.status().epoch, value));
      next = 0;
      state.ResumeTiming();
    }
    for (const Bytes& read : ready[next]) benchmark::DoNotOptimize(line.take(read));
    ++next;
    line.pass_time();
  }
  constexpr std::uint64_t requests = value_size / limits::chunk_size_max + 2;
  if (line.answered_ok() - before < static_cast<std::uint64_t>(state.iterations()) * requests) state.SkipWithError("a request was not answered OK");
  state.SetBytesProcessed(static_cast<std::int64_t>(static_cast<std::uint64_t>(state.iterations()) * value_size));
}
BENCHMARK(staged_value);

// What no server of this channel can do without.
void staged_value_aead_alone(benchmark::State& state) {
  const auto suite = make_crypto_suite();
  const auto seals = suite->aead(bench::secret(5));
  const auto opens = suite->aead(bench::secret(5));
  const Bytes plain(limits::chunk_size_max - 64, 0x61);
  Bytes sealed(plain.size() + limits::aead_tag_size), out(plain.size());
  std::uint64_t nonce = 0;
  seals->seal(nonce, {}, plain, sealed.data());
  for (auto _ : state) {
    if (!opens->open(nonce, {}, sealed, out.data())) std::abort();
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(static_cast<std::uint64_t>(state.iterations()) * plain.size()));
}
BENCHMARK(staged_value_aead_alone);

}  // namespace
}  // namespace statefs
