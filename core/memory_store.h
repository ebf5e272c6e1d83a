// MEMORY STORE: an ordered map and a bounded ring of audit records, both gone with the process.
//
//   service -> store.h <- MEMORY STORE
//
// For trials, tests and as the model of the simulator. It commits like a durable store does: what is submitted
// completes after `commit_delay`, or fails for good. With delay zero a commit completes inside submit().
#pragma once

#include <deque>
#include <map>
#include <string>

#include "core/audit.h"
#include "core/limits.h"
#include "core/ring.h"
#include "core/store.h"

namespace statefs {

struct MemoryStoreConfig {
  StoreId id{};
  std::uint64_t epoch = 1;  // 1 to 2^24 - 1: indices start at epoch * 2^40
  PublicKey node;           // named in every record
  std::uint64_t value_bytes_max = limits::store_value_bytes_default;
  std::uint64_t keys_max = limits::store_keys_default;
  std::size_t audit_ring_size = limits::audit_ring_size;
  Duration commit_delay{};
};

class MemoryStore final : public Store {
 public:
  // `mac_key` keys the HMAC of values in audit records. The first record is the epoch's.
  MemoryStore(const MemoryStoreConfig& config, const SecretKey& mac_key, Now now);

  [[nodiscard]] std::optional<StoredValue> find(const CanonicalKey& key) const override;
  [[nodiscard]] std::optional<StoredEntry> next(std::string_view after, bool inclusive) const override;
  [[nodiscard]] Usage usage_of(const PeerRef& writer) const override;
  [[nodiscard]] bool log_has_room() const override;
  [[nodiscard]] Result<std::uint64_t, AppendError> append(AuditRecord& record, const Effect& effect) override;
  void submit(Now now) override;
  void request_flush(std::uint64_t index) override;
  void advance(Now now) override;
  [[nodiscard]] Time deadline() const override;
  [[nodiscard]] const StoreStatus& status() const override { return status_; }
  std::size_t export_audit(AuditSink& sink, std::size_t count_max) override;

  // The medium is gone: whatever has not completed never will.
  void fail() { status_.failed = true; }

 private:
  struct Entry {
    Bytes value;
    std::uint64_t revision = 0;
    Owner owner;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  struct Commit {
    std::uint64_t last_index = 0;
    Digest hash{};
    Time due;
  };

  [[nodiscard]] bool fits(Entries::const_iterator at, const Effect& effect) const;
  void apply(Entries::iterator at, const Effect& effect, const PeerRef& writer, std::uint64_t revision);
  void charge(const Owner& owner, std::uint64_t keys, std::uint64_t bytes);
  void discharge(const Owner& owner, std::uint64_t bytes);

  MemoryStoreConfig config_;
  HmacSha256 mac_;
  AuditChain chain_;
  Entries entries_;
  std::map<Owner, Usage> usage_;
  std::uint64_t value_bytes_ = 0;
  ByteRing log_;                  // each record as u64 index, 32-byte hash, encoding
  Bytes encoded_;                 // of the record being appended
  std::deque<Commit> submitted_;  // at most one for each wake-up within commit_delay
  std::uint64_t submitted_index_ = 0;
  StoreStatus status_;
};

}  // namespace statefs
