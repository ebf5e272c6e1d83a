// SESSION BENCH: what one request costs the server without sockets: sealed request bytes in, sealed answer bytes out, with real
// cryptography, verdict, store, audit record, chain and MAC.
#include <benchmark/benchmark.h>

#include <optional>
#include <string>

#include "core/memory_store.h"
#include "core/server.h"

namespace statefs {
namespace {

SecretKey secret(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(seed);
  return SecretKey(bytes);
}

class Discard final : public AuditSink {
 public:
  bool take(std::uint64_t, ByteView, const Digest&) override { return true; }
};

// One established connection whose client side is a bare channel.
class Bench {
 public:
  explicit Bench(std::size_t grants) {
    PolicySource source;
    source.peers.push_back({peer_->public_key(), "bench"});
    for (std::size_t i = 1; i < grants; ++i) {
      source.default_rules.push_back({"/state/other-" + std::to_string(i) + "/", access_all, false});
    }
    auto policy = Policy::create(source);
    store_.emplace(MemoryStoreConfig{}, now_);
    server_.emplace(*suite_, ServerKeys{device_, secret(9)}, std::move(policy).value(), *store_, ServerLimits{});
    id_ = server_->accept(secret(3), now_).value();
    channel_.emplace(Channel::initiator(*suite_, peer_, device_->public_key(), secret(4)));
    turn(channel_->take_handshake_output());
    turn(channel_->take_handshake_output());
    HelloRequest hello;
    hello.version = protocol_version;
    Bytes frame;
    encode_request({1, hello}, frame);
    encode_request({2, OpenRequest{{1}, 1}}, frame);
    turn(seal(frame));
    const auto sessions = store_->slots().live(owner_of({PeerKind::remote, peer_->public_key(), 0, {}}));
    if (sessions.size() != 1) std::abort();
    at_ = {sessions[0].number, 0, 1, 0};
  }
  // Where the next mutation goes: on one slot, in order.
  SlotRef next_place() {
    ++at_.sequence;
    return at_;
  }
  Bytes seal(ByteView plain) {
    Bytes sealed;
    if (!channel_->seal(plain, sealed)) std::abort();
    return sealed;
  }
  // One wake-up of the server; the answer bytes go nowhere.
  std::size_t serve(ByteView bytes) {
    server_->receive(id_, bytes, now_);
    server_->advance(now_);
    const std::size_t size = server_->output(id_).size();
    server_->output_taken(id_, size, now_);
    return size;
  }
  void drop_audit() { store_->export_audit(discard_, ~std::size_t{0}); }
  [[nodiscard]] std::uint64_t answered_ok() const { return server_->counters().requests_ok; }

 private:
  void turn(const Bytes& bytes) {
    server_->receive(id_, bytes, now_);
    server_->advance(now_);
    Bytes none;
    ByteView out = server_->output(id_);
    const std::size_t size = out.size();
    while (!out.empty()) (void)channel_->receive(out, none);
    server_->output_taken(id_, size, now_);
  }

  Now now_{Time{1}, 1};
  std::unique_ptr<Suite> suite_ = make_crypto_suite();
  std::shared_ptr<const DhKey> device_ = suite_->import(secret(1));
  std::shared_ptr<const DhKey> peer_ = suite_->import(secret(2));
  std::optional<MemoryStore> store_;
  std::optional<Server> server_;
  std::optional<Channel> channel_;
  ConnectionId id_ = 0;
  SlotRef at_;
  Discard discard_;
};

std::string key_of(std::uint64_t i) {
  std::string digits = std::to_string(i % 1000);
  return "/state/shared/key-of-forty-bytes-" + std::string(7 - digits.size(), '0') + digits;
}

Bytes batch_of(Bench& bench, Op op, std::uint64_t from, std::size_t count, ByteView value) {
  Bytes frames;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string key = key_of(from + i);
    if (op == Op::put) {
      PutRequest put;
      put.at = bench.next_place();
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
  Bench bench(8);
  for (std::uint64_t i = 0; i < 1000; i += 100) (void)bench.serve(bench.seal(batch_of(bench, Op::put, i, 100, value)));
  std::vector<Bytes> ready;
  std::size_t next = 0;
  std::uint64_t sent = 0;
  const std::uint64_t before = bench.answered_ok();
  for (auto _ : state) {
    if (next == ready.size()) {
      state.PauseTiming();
      bench.drop_audit();
      ready.clear();
      for (std::size_t i = 0; i < prepared; ++i, sent += batch) ready.push_back(bench.seal(batch_of(bench, op, sent, batch, value)));
      next = 0;
      state.ResumeTiming();
    }
    benchmark::DoNotOptimize(bench.serve(ready[next++]));
  }
  const auto operations = static_cast<std::uint64_t>(state.iterations()) * batch;
  if (bench.answered_ok() - before != operations) state.SkipWithError("a request was not answered OK");
  state.SetItemsProcessed(static_cast<std::int64_t>(operations));
}

void session_put(benchmark::State& state) { run(state, Op::put); }
void session_get(benchmark::State& state) { run(state, Op::get); }
BENCHMARK(session_put)->Args({1, 64})->Args({16, 64})->Args({16, 1024});
BENCHMARK(session_get)->Args({1, 64})->Args({16, 64})->Args({16, 1024});

}  // namespace
}  // namespace statefs
