// STORE: the seam between the service and whatever keeps the state. Commits are submitted and later completed.
//
//   service -> STORE.append{effect, audit record} ... submit() -> completed() -> answers leave
//
// append() takes effect in memory at once and in order: later reads and conditions see it. What was appended since
// the last submit() is one commit. An answer that depends on index i leaves only when completed() >= i. A store whose
// commit failed, or may have failed, is failed for good: nothing pending is ever answered. Views that a read returns
// are valid until the next append. memory_store.h is one store; the journal will be the other.
#pragma once

#include <cstdint>
#include <optional>

#include "core/audit.h"
#include "core/bytes.h"
#include "core/key.h"
#include "core/limits.h"
#include "core/request.h"
#include "core/result.h"
#include "core/slots.h"
#include "core/time.h"

namespace statefs {

struct StoredValue {
  ByteView value;
  std::uint64_t revision = 0;  // the index of the commit that wrote it
  Owner owner;                 // its last writer, whom it is charged to
};
struct StoredEntry {
  std::string_view key;
  std::uint64_t size = 0;
  std::uint64_t revision = 0;
};

// What a commit changes besides the log. The key is canonical because only the validator makes one.
struct Effect {
  enum class Kind : std::uint8_t { none, put, erase };
  Kind kind = Kind::none;
  std::optional<CanonicalKey> key;
  ByteView value;
};

struct Usage {
  std::uint64_t keys = 0;
  std::uint64_t value_bytes = 0;
  std::uint64_t key_bytes = 0;
};

// When a commit is complete, so that answers which depend on it may leave.
enum class Durability : std::uint8_t {
  sync,    // once it is submitted; SYNC is the boundary
  commit,  // once it is durable
};

enum class AppendError {
  log_full,  // the audit record cannot be kept: AUDIT_UNAVAILABLE
  no_space,  // values or keys are at their limit: NO_SPACE
  failed,    // the store has failed: IO_ERROR
};

struct StoreStatus {
  StoreId id{};
  std::uint64_t epoch = 0;
  std::uint64_t last_index = 0;       // appended
  std::uint64_t completed_index = 0;  // answers up to here may leave
  std::uint64_t durable_index = 0;
  AuditHead durable_head;
  bool failed = false;
};

// An exporter's view of the log: take() is called for each record in order; false stops before that one.
class AuditSink {
 public:
  virtual ~AuditSink() = default;
  virtual bool take(std::uint64_t index, ByteView encoded, const Digest& hash) = 0;
  // After the last of `count` that were taken: how many of them, from the first, are out for good. The others come again.
  [[nodiscard]] virtual std::size_t kept(std::size_t count) { return count; }
};

class Store {
 public:
  virtual ~Store() = default;

  // Reads of the state with everything appended.
  [[nodiscard]] virtual std::optional<StoredValue> find(const CanonicalKey& key) const = 0;
  // The first entry whose key is > `after` byte-wise (>= where `inclusive`); none at the end.
  [[nodiscard]] virtual std::optional<StoredEntry> next(std::string_view after, bool inclusive) const = 0;
  [[nodiscard]] virtual Usage usage_of(const PeerRef& writer) const = 0;
  // What the keys of one writer may have on average: longer ones are taken off what it may hold of values.
  [[nodiscard]] virtual std::size_t key_size_mean() const { return limits::key_size_max; }

  // Whether a mutation with this record and effect could be appended now. Nothing is changed.
  [[nodiscard]] virtual bool log_has_room() const = 0;
  // Sets record.index, record.previous, record.epoch, value_mac, old_revision and new_revision. The entry's writer is record.peer.
  [[nodiscard]] virtual Result<std::uint64_t, AppendError> append(AuditRecord& record, const Effect& effect,
                                                                    const SlotChange& change) = 0;
  [[nodiscard]] Result<std::uint64_t, AppendError> append(AuditRecord& record) { return append(record, {}, {}); }
  [[nodiscard]] virtual const SlotTable& slots() const = 0;
  virtual void submit(Now now) = 0;
  // Asks that everything up to `index` becomes durable without waiting for the background flush.
  virtual void request_flush(std::uint64_t index) = 0;
  virtual void advance(Now now) = 0;
  [[nodiscard]] virtual Time deadline() const = 0;
  [[nodiscard]] virtual const StoreStatus& status() const = 0;
  // Whether a durable head that a client saw in `epoch` is of this store's history (epochs.h).
  [[nodiscard]] virtual HeadComparison compare(std::uint64_t epoch, const AuditHead& head) const = 0;
  // How full what keeps records is until they are exported. At 100 nothing can be recorded, and so nothing changed.
  [[nodiscard]] virtual unsigned fill_percent() const = 0;

  // Hands durable records that were not exported yet to `sink`, at most `count_max`, and frees those it kept: so many.
  virtual std::size_t export_audit(AuditSink& sink, std::size_t count_max) = 0;
};

}  // namespace statefs
