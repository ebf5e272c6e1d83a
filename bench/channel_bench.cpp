// What a channel costs: records of four sizes, a handshake, and the hashes of a journal record beside them.
#include <benchmark/benchmark.h>

#include <memory>

#include "core/channel.h"

namespace {

using statefs::Bytes;
using statefs::ByteView;
using statefs::Channel;
using statefs::SecretKey;

SecretKey secret(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(seed + 7 * i);
  return SecretKey(bytes);
}

struct Ends {
  Ends() { fresh(); }
  void fresh() {
    client = Channel::initiator(*suite, client_key, server_key->public_key(), secret(3));
    server = Channel::responder(*suite, server_key, secret(4));
  }
  // What `channel` makes of `wire`.
  static void take(Channel& channel, const Bytes& wire, Bytes& plaintext) {
    ByteView rest = wire;
    while (!rest.empty()) benchmark::DoNotOptimize(channel.receive(rest, plaintext));
  }
  void shake_hands() {
    Bytes none;
    take(server, client.take_handshake_output(), none);
    take(client, server.take_handshake_output(), none);
    take(server, client.take_handshake_output(), none);
  }

  std::unique_ptr<statefs::Suite> suite = statefs::make_crypto_suite();
  std::shared_ptr<const statefs::DhKey> client_key = suite->import(secret(1));
  std::shared_ptr<const statefs::DhKey> server_key = suite->import(secret(2));
  Channel client = Channel::initiator(*suite, client_key, server_key->public_key(), secret(3));
  Channel server = Channel::responder(*suite, server_key, secret(4));
};

void bytes_processed(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}

void channel_seal(benchmark::State& state) {
  Ends ends;
  ends.shake_hands();
  const Bytes text(static_cast<std::size_t>(state.range(0)), 7);
  Bytes wire;
  for (auto _ : state) {
    wire.clear();
    benchmark::DoNotOptimize(ends.client.seal(text, wire));
  }
  bytes_processed(state);
}

// A record opens once, so a batch is sealed beforehand with the clock stopped.
void channel_open(benchmark::State& state) {
  constexpr int batch = 256;
  Ends ends;
  ends.shake_hands();
  const Bytes text(static_cast<std::size_t>(state.range(0)), 7);
  Bytes wire;
  Bytes plaintext;
  ByteView rest;
  for (auto _ : state) {
    if (rest.empty()) {
      state.PauseTiming();
      wire.clear();
      for (int i = 0; i < batch; ++i) benchmark::DoNotOptimize(ends.client.seal(text, wire));
      rest = wire;
      state.ResumeTiming();
    }
    plaintext.clear();
    while (plaintext.size() < text.size()) benchmark::DoNotOptimize(ends.server.receive(rest, plaintext));
  }
  bytes_processed(state);
}

void channel_handshake_both(benchmark::State& state) {
  Ends ends;
  for (auto _ : state) {
    ends.fresh();
    ends.shake_hands();
  }
}

// What a server pays for one peer: an ephemeral key, three agreements, two ciphers. The client's messages were made
// beforehand; they fit again and again because the server's ephemeral is the same each time, here alone.
void channel_handshake_responder(benchmark::State& state) {
  Ends ends;
  Bytes none;
  const Bytes message1 = ends.client.take_handshake_output();
  Ends::take(ends.server, message1, none);
  Ends::take(ends.client, ends.server.take_handshake_output(), none);
  const Bytes message3 = ends.client.take_handshake_output();
  for (auto _ : state) {
    Channel server = Channel::responder(*ends.suite, ends.server_key, secret(4));
    Ends::take(server, message1, none);
    benchmark::DoNotOptimize(server.take_handshake_output());
    Ends::take(server, message3, none);
    if (!server.established()) state.SkipWithError("the handshake failed");
  }
}

void sha256(benchmark::State& state) {
  statefs::Sha256 sha;
  const Bytes record(static_cast<std::size_t>(state.range(0)), 7);
  for (auto _ : state) benchmark::DoNotOptimize(sha.of(record));
  bytes_processed(state);
}

void hmac_sha256(benchmark::State& state) {
  statefs::HmacSha256 hmac(secret(5));
  const Bytes value(static_cast<std::size_t>(state.range(0)), 7);
  for (auto _ : state) benchmark::DoNotOptimize(hmac.of(value));
  bytes_processed(state);
}

BENCHMARK(channel_seal)->Arg(64)->Arg(1 << 10)->Arg(16 << 10)->Arg(64 << 10);
BENCHMARK(channel_open)->Arg(64)->Arg(1 << 10)->Arg(16 << 10)->Arg(64 << 10);
BENCHMARK(channel_handshake_both)->Unit(benchmark::kMicrosecond);
BENCHMARK(channel_handshake_responder)->Unit(benchmark::kMicrosecond);
BENCHMARK(sha256)->Arg(64)->Arg(400)->Arg(64 << 10);
BENCHMARK(hmac_sha256)->Arg(64)->Arg(400)->Arg(64 << 10);

}  // namespace
