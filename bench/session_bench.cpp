// SESSION BENCH: what one request costs the server without sockets: sealed request bytes in, sealed answer bytes out, with real
// cryptography, verdict, store, audit record, chain and MAC.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/idle_disk.h"
#include "bench/line.h"
#include "core/memory_store.h"

namespace statefs {
namespace {

using bench::Line;

std::string key_of(std::uint64_t i) {
  std::string digits = std::to_string(i % 1000);
  return "/state/shared/key-of-forty-bytes-" + std::string(7 - digits.size(), '0') + digits;
}

Bytes batch_of(Line& line, Op op, std::uint64_t from, std::size_t count, ByteView value) {
  Bytes frames;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string key = key_of(from + i);
    if (op == Op::put) {
      PutRequest put;
      put.at = line.next_place();
      put.key = as_bytes(key);
      put.value = value;
      put.value_size = static_cast<std::uint32_t>(value.size());
      encode_request({from + i, put}, frames);
    } else {
      GetRequest get;
      get.key = as_bytes(key);
      get.length = static_cast<std::uint32_t>(limits::value_size_max);
      encode_request({from + i, get}, frames);
    }
  }
  return frames;
}

// Arguments: batch, value size.
void run(benchmark::State& state, Op op) {
  constexpr std::size_t prepared = 256;
  const auto batch = static_cast<std::size_t>(state.range(0));
  const Bytes value(static_cast<std::size_t>(state.range(1)), 0x61);
  MemoryStore store(MemoryStoreConfig{}, Now{Time{1}, 1});
  bench::Drop drop;
  Line line(store, 8);
  for (std::uint64_t i = 0; i < 1000; i += 100) (void)line.take(line.seal(batch_of(line, Op::put, i, 100, value)));
  std::vector<Bytes> ready;
  std::size_t next = 0;
  std::uint64_t sent = 0;
  const std::uint64_t before = line.answered_ok();
  for (auto _ : state) {
    if (next == ready.size()) {
      state.PauseTiming();
      store.export_audit(drop, ~std::size_t{0});
      ready.clear();
      for (std::size_t i = 0; i < prepared; ++i, sent += batch) ready.push_back(line.seal(batch_of(line, op, sent, batch, value)));
      next = 0;
      state.ResumeTiming();
    }
    benchmark::DoNotOptimize(line.take(ready[next++]));
  }
  const auto operations = static_cast<std::uint64_t>(state.iterations()) * batch;
  if (line.answered_ok() - before != operations) state.SkipWithError("a request was not answered OK");
  state.SetItemsProcessed(static_cast<std::int64_t>(operations));
}

void session_put(benchmark::State& state) { run(state, Op::put); }
void session_get(benchmark::State& state) { run(state, Op::get); }
BENCHMARK(session_put)->Args({1, 64})->Args({16, 64})->Args({16, 1024});
BENCHMARK(session_get)->Args({1, 64})->Args({16, 64})->Args({16, 1024});

}  // namespace
}  // namespace statefs
