// DEVICE: one server over a memory store with one enrolled peer or more, and a client for each, joined by plain memory.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/client.h"
#include "core/memory_store.h"
#include "core/policy.h"
#include "core/server.h"

namespace statefs::test {

inline SecretKey secret(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(seed);
  return SecretKey(bytes);
}

inline std::string text_of(ByteView bytes) { return std::string(as_text(bytes)); }

// An audit record with the bytes its views point into.
struct Recorded {
  std::uint64_t index = 0;
  Digest hash{};
  Bytes encoded;
  [[nodiscard]] AuditRecord record() const {
    auto decoded = decode_audit(encoded);
    EXPECT_TRUE(decoded.ok());
    return decoded.ok() ? decoded.value() : AuditRecord{};
  }
};

class RecordingSink final : public AuditSink {
 public:
  bool take(std::uint64_t index, ByteView encoded, const Digest& hash) override {
    records.push_back({index, hash, Bytes(encoded.begin(), encoded.end())});
    return true;
  }
  std::vector<Recorded> records;
};

struct DeviceOptions {
  std::vector<Rule> rules{{std::string(shared_subtree), access_all, false}};
  std::size_t peers = 1;
  std::vector<LocalEntry> locals;
  std::optional<Quota> quota;
  MemoryStoreConfig store;
  ServerLimits limits;
};

class Device {
 public:
  explicit Device(const DeviceOptions& options = {})
      : options_(options),
        suite_(make_crypto_suite()),
        identity_(suite_->import(secret(1))),
        store_(store_config(options), now_),
        server_(*suite_, {identity_, secret(2)}, policy_of(options), store_, options.limits) {}

  [[nodiscard]] MemoryStoreConfig store_config(const DeviceOptions& options) const {
    MemoryStoreConfig config = options.store;
    config.node = identity_->public_key();
    return config;
  }
  // Peer 0 is the first; a peer at or beyond options.peers is not enrolled.
  [[nodiscard]] std::shared_ptr<const DhKey> peer_key(std::size_t peer) const {
    return suite_->import(secret(static_cast<std::uint8_t>(0x40 + peer)));
  }
  [[nodiscard]] Policy policy_of(const DeviceOptions& options) const {
    PolicySource source;
    for (std::size_t i = 0; i < options.peers; ++i) {
      source.peers.push_back({peer_key(i)->public_key(), "peer-" + std::to_string(i)});
    }
    source.default_rules = options.rules;
    source.default_quota = options.quota;
    source.locals = options.locals;
    auto policy = Policy::create(source);
    EXPECT_TRUE(policy.ok());
    return std::move(policy).value();
  }
  [[nodiscard]] Client client(std::size_t peer = 0) {
    ClientConfig config;
    config.server = identity_->public_key();
    return {*suite_, peer_key(peer), config};
  }
  [[nodiscard]] SecretKey ephemeral() {
    std::array<std::uint8_t, 32> bytes{};
    store_le<std::uint64_t>(bytes.data(), ++ephemerals_);
    bytes[31] = 0x33;
    return SecretKey(bytes);
  }

  // A connection whose bytes move by hand.
  struct Link {
    Client client;
    ConnectionId id = 0;
    bool open = false;
  };
  Link connect(std::size_t peer = 0) {
    Link link{client(peer)};
    reconnect(link);
    return link;
  }
  // At the local door.
  Link connect_local(std::uint32_t uid) {
    Link link{Client(*suite_, nullptr, {})};
    const auto id = server_.accept_local(uid, now_);
    EXPECT_TRUE(id.ok());
    if (id.ok()) open(link, id.value());
    return link;
  }
  void reconnect(Link& link) {
    const auto id = server_.accept(ephemeral(), now_);
    ASSERT_TRUE(id.ok());
    open(link, id.value());
  }
  void open(Link& link, ConnectionId id) {
    link.id = id;
    link.open = true;
    std::array<std::uint8_t, client_random_size> random{};
    store_le<std::uint64_t>(random.data(), ++ephemerals_);
    random[30] = 0x44;
    store_le<std::uint64_t>(random.data() + 40, ephemerals_);
    link.client.connected(random, now_);
    pump(link);
  }
  // Moves bytes both ways until nothing moves.
  void pump(Link& link) {
    for (bool moved = true; moved && link.open;) {
      moved = false;
      link.client.advance(now_);
      const ByteView output = link.client.output();
      const ByteView some = output.first(std::min(output.size(), limits::receive_size_max));
      const Bytes up(some.begin(), some.end());
      if (!up.empty() && server_.wants_input(link.id)) {
        link.client.output_taken(up.size());
        server_.receive(link.id, up, now_);
        moved = true;
      }
      server_.advance(now_);
      const Bytes down(server_.output(link.id).begin(), server_.output(link.id).end());
      if (!down.empty()) {
        server_.output_taken(link.id, down.size(), now_);
        link.client.receive(down, now_);
        moved = true;
      }
      if (server_.finished(link.id)) close(link);
      if (link.client.finished()) cut(link);
    }
  }
  // The server has ended the connection.
  void close(Link& link) {
    link.open = false;
    link.client.disconnected(now_);
    server_.released(link.id);
  }
  // The stream breaks for both.
  void cut(Link& link) {
    if (!link.open) return;
    server_.ended(link.id, now_);
    server_.advance(now_);
    close(link);
  }
  Completion call(Link& link, const RequestBody& request) {
    const auto id = link.client.submit(request, never, now_.monotonic);
    EXPECT_TRUE(id.ok());
    pump(link);
    auto completion = link.client.take_completion();
    EXPECT_TRUE(completion.has_value());
    return completion ? std::move(*completion) : Completion{};
  }
  [[nodiscard]] std::vector<Recorded> take_audit() {
    RecordingSink sink;
    store_.export_audit(sink, 1'000'000);
    return sink.records;
  }
  // The records of PUT and DELETE alone.
  [[nodiscard]] std::vector<Recorded> take_mutations() {
    std::vector<Recorded> all = take_audit();
    std::erase_if(all, [](const Recorded& r) { return r.record().kind != AuditKind::mutation; });
    return all;
  }
  void wait(Duration duration) {
    now_.monotonic = now_.monotonic + duration;
    now_.wall_ns += duration.ns;
  }

  [[nodiscard]] Server& server() { return server_; }
  [[nodiscard]] MemoryStore& store() { return store_; }
  [[nodiscard]] Now now() const { return now_; }
  [[nodiscard]] const Suite& suite() const { return *suite_; }
  [[nodiscard]] const PublicKey& key() const { return identity_->public_key(); }

 private:
  DeviceOptions options_;
  std::unique_ptr<Suite> suite_;
  std::shared_ptr<const DhKey> identity_;
  Now now_{Time{1'000}, 1'700'000'000'000'000'000};
  std::uint64_t ephemerals_ = 0;
  MemoryStore store_;
  Server server_;
};

inline PutRequest put_of(std::string_view key, std::string_view value) {
  PutRequest put;
  put.key = as_bytes(key);
  put.value = as_bytes(value);
  put.value_size = static_cast<std::uint32_t>(value.size());
  return put;
}
inline GetRequest get_of(std::string_view key) {
  GetRequest get;
  get.key = as_bytes(key);
  get.length = static_cast<std::uint32_t>(limits::value_size_max);
  return get;
}
inline DeleteRequest delete_of(std::string_view key) {
  DeleteRequest del;
  del.key = as_bytes(key);
  return del;
}
inline ListRequest list_of(std::string_view prefix, std::string_view cursor = {}, std::uint16_t limit = 0) {
  return {limit, as_bytes(prefix), as_bytes(cursor)};
}
inline const MutationResponse& mutation_of(const Completion& completion) {
  return std::get<MutationResponse>(completion.response.body);
}

}  // namespace statefs::test
