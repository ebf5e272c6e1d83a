// STAGED BENCH: a value of 1 MiB in chunks, committed and synced, at the server without sockets: sealed bytes in, sealed answers out,
// journal on a disk that does nothing; beside what the AEAD alone takes to open the same bytes.
#include <benchmark/benchmark.h>

#include <optional>
#include <string>
#include <vector>

#include "core/journal.h"
#include "core/server.h"

namespace statefs {
namespace {

constexpr std::size_t value_size = limits::total_value_size_default;
constexpr std::uint64_t extent_size = 256u << 20;
constexpr std::size_t prepared = 8;  // values, sealed outside the time that counts

SecretKey secret(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(seed);
  return SecretKey(bytes);
}

class Discard final : public AuditSink {
 public:
  bool take(std::uint64_t, ByteView, const Digest&) override { return true; }
};

void serve(Journal& journal) {
  static const Bytes zeros(limits::journal_read_size);
  while (const auto request = journal.next_request()) {
    const bool read = request->kind == DiskRequest::Kind::read;
    journal.completed(request->id, true, read ? ByteView(zeros).first(request->size) : ByteView{});
  }
}

// One established connection whose client side is a bare channel.
class Line {
 public:
  Line() : journal_(config_of(device_->public_key()), extent_size) {
    for (int i = 0; i < 1'000 && !journal_.ready(); ++i) {
      serve(journal_);
      journal_.advance(now_);
    }
    PolicySource source;
    source.peers.push_back({peer_->public_key(), "bench"});
    server_.emplace(*suite_, ServerKeys{device_, secret(9)}, Policy::create(source).value(), journal_, ServerLimits{});
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
    turn({});
    const auto sessions = journal_.slots().live(owner_of({PeerKind::remote, peer_->public_key(), 0, {}}));
    if (sessions.size() != 1) std::abort();
    at_ = {sessions[0].number, 0, 1, 0};
  }
  Bytes seal(ByteView plain) {
    Bytes sealed;
    if (!channel_->seal(plain, sealed)) std::abort();
    return sealed;
  }
  // All frames of one value, a record or two to each wake-up.
  std::vector<Bytes> upload_of(ByteView value) {
    std::vector<Bytes> reads;
    const std::string key = "/state/shared/image" + std::to_string(++at_.sequence % 8);
    for (std::size_t at = 0; at < value.size(); at += limits::chunk_size_max) {
      const ByteView chunk = value.subspan(at, limits::chunk_size_max);
      Bytes frame;
      encode_request({3, StageRequest{at_.sequence, value.size(), at, as_bytes(key), static_cast<std::uint32_t>(chunk.size()), chunk}}, frame);
      reads.push_back(seal(frame));
    }
    PutRequest put;
    put.at = at_;
    put.key = as_bytes(key);
    put.stage = StageCommit{at_.sequence, value.size(), Sha256().of(value)};
    Bytes frame;
    encode_request({4, put}, frame);
    encode_request({5, SyncRequest{journal_.status().epoch}}, frame);
    reads.push_back(seal(frame));
    return reads;
  }
  std::size_t take(const Bytes& bytes) {
    server_->receive(id_, bytes, now_);
    server_->advance(now_);
    serve(journal_);
    server_->advance(now_);
    const std::size_t size = server_->output(id_).size();
    server_->output_taken(id_, size, now_);
    return size;
  }
  void drop_audit() { journal_.export_audit(discard_, ~std::size_t{0}); }
  void pass_time() { now_.monotonic = now_.monotonic + milliseconds(1); }
  [[nodiscard]] std::uint64_t answered_ok() const { return server_->counters().requests_ok; }

 private:
  static JournalConfig config_of(const PublicKey& node) {
    JournalConfig config;
    config.node = node;
    return config;
  }
  void turn(const Bytes& bytes) {
    server_->receive(id_, bytes, now_);
    server_->advance(now_);
    serve(journal_);
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
  Journal journal_;
  std::optional<Server> server_;
  std::optional<Channel> channel_;
  ConnectionId id_ = 0;
  SlotRef at_;
  Discard discard_;
};

void staged_value(benchmark::State& state) {
  const Bytes value(value_size, 0x61);
  Line line;
  std::vector<std::vector<Bytes>> ready;
  std::size_t next = 0;
  const std::uint64_t before = line.answered_ok();
  for (auto _ : state) {
    if (next == ready.size()) {
      state.PauseTiming();
      line.drop_audit();
      ready.clear();
      for (std::size_t i = 0; i < prepared; ++i) ready.push_back(line.upload_of(value));
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
  const auto seals = suite->aead(secret(5));
  const auto opens = suite->aead(secret(5));
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
