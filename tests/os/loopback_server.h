// LOOPBACK SERVER: the real server on real sockets in a thread of the test: event loop, stream driver, memory store.
// What it audited is handed over when it has stopped.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/memory_store.h"
#include "core/server.h"
#include "os/endpoint.h"
#include "os/local_socket.h"
#include "os/stream_driver.h"

namespace statefs::test {

// Keeps every record, as encoded, in order.
class KeptAudit final : public AuditOutput, private AuditSink {
 public:
  void export_from(Store& store, Now) override { store.export_audit(*this, limits::audit_records_per_export); }
  [[nodiscard]] Time deadline() const override { return never; }
  [[nodiscard]] std::vector<Bytes>& records() { return records_; }

 private:
  bool take(std::uint64_t, ByteView encoded, const Digest&) override {
    records_.emplace_back(encoded.begin(), encoded.end());
    return true;
  }
  std::vector<Bytes> records_;
};

struct LoopbackOptions {
  std::vector<SecretKey> peers;  // enrolled with the default policy, as `node-1`, `node-2`, ...
  std::string local_path;        // of a local door for the uid of this process; empty: none
  std::vector<Rule> local_rules{local_default_rule()};
  ServerLimits limits;
  StreamDriverLimits driver;
};

class LoopbackServer {
 public:
  explicit LoopbackServer(const LoopbackOptions& options);
  explicit LoopbackServer(const std::vector<SecretKey>& peers, const ServerLimits& limits = {},
                          const StreamDriverLimits& driver = {})
      : LoopbackServer(LoopbackOptions{peers, {}, {local_default_rule()}, limits, driver}) {}
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer();

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] const PublicKey& key() const { return key_; }
  [[nodiscard]] std::size_t connections() const { return connections_; }
  [[nodiscard]] std::size_t buffered_size_max() const { return buffered_size_max_; }
  [[nodiscard]] std::uint64_t turns() const { return turns_; }
  // Ends every stream and the thread.
  [[nodiscard]] std::vector<Bytes> stop();

 private:
  void serve();

  std::unique_ptr<Suite> suite_ = make_crypto_suite();
  std::unique_ptr<MemoryStore> store_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<EventLoop> loop_;
  std::optional<LocalSocket> local_;
  std::unique_ptr<StreamDriver> driver_;
  KeptAudit audit_;
  Endpoint endpoint_;
  PublicKey key_;
  Fd stop_;
  std::atomic<std::size_t> connections_ = 0;
  std::atomic<std::size_t> buffered_size_max_ = 0;
  std::atomic<std::uint64_t> turns_ = 0;
  std::thread thread_;
};

// A private key that is the same in every run: `number` in every byte.
[[nodiscard]] SecretKey test_secret(std::uint8_t number);

}  // namespace statefs::test
