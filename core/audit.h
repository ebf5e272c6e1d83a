// AUDIT: the record of a decision, its one encoding, and the hash chain it is part of.
//
//   service.h (verdict) -> AUDIT -> store.h (one commit with the effect) -> an exporter outside core
//
// A record never holds a value or a bare hash of one: value length and HMAC-SHA-256 under a key of the node. The
// chain is SHA-256(previous hash || encoded record); whoever holds a later head can see that an earlier record
// was changed. Views in a record point into the request, the policy or the encoding, and live as long as those.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/bytes.h"
#include "core/crypto.h"
#include "core/limits.h"
#include "core/request.h"
#include "core/response.h"
#include "core/result.h"

namespace statefs {

enum class AuditKind : std::uint8_t {
  epoch = 1,      // the store opened; `index` starts here
  mutation = 2,   // a PUT or DELETE, done or refused
  refusals = 3,   // unsequenced refusals (denied reads, malformed frames) of one peer, op and status: `count`
  handshakes = 4, // handshakes that failed for one cause (`op` holds the HandshakeFailure): `count`
  damaged = 5,    // a connection ended by a record that did not authenticate
  policy = 6,     // a policy was loaded
};
enum class HandshakeFailure : std::uint8_t { bad_message = 1, not_enrolled = 2, timed_out = 3, peer_limit = 4 };

enum class PeerKind : std::uint8_t { none = 0, remote = 1, local = 2 };

// Who acted. A remote peer is its static key; a local one the uid that the kernel vouched for.
struct PeerRef {
  PeerKind kind = PeerKind::none;
  PublicKey key;
  std::uint32_t uid = 0;
  std::string_view alias;
};

struct AuditRecord {
  AuditKind kind = AuditKind::mutation;
  std::uint64_t index = 0;            // set by the chain
  Digest previous{};                  // set by the chain
  std::int64_t wall_ns = 0;
  std::int64_t monotonic_ns = 0;
  std::uint64_t epoch = 0;
  PublicKey node;                     // the server's own key
  Digest policy{};                    // version
  PeerRef peer;
  SlotRef at;
  std::uint8_t op = 0;                // Op, or HandshakeFailure
  Status status = Status::ok;
  bool allowed = false;               // the policy's verdict
  std::uint16_t rule = 0;             // what decided: Verdict::rule
  std::uint64_t count = 1;
  std::string_view key;               // the first 255 bytes, as sent: may be no UTF-8
  std::uint32_t key_size = 0;         // as sent
  Digest key_digest{};                // SHA-256 of the whole key where key_size > 255, else zeros
  std::uint32_t value_size = 0;
  Digest value_mac{};                 // zeros where the value was not read
  std::uint64_t old_revision = 0;     // 0: absent
  std::uint64_t new_revision = 0;     // 0: absent, or nothing changed
};

// A fixed part and key, alias; at most limits::audit_record_size_max bytes. Decoding accepts one encoding of each record.
void encode_audit(const AuditRecord& record, Bytes& out);
enum class AuditError { malformed };
[[nodiscard]] Result<AuditRecord, AuditError> decode_audit(ByteView bytes);

// The chain's end: gives each record its index and previous hash, and moves on.
class AuditChain {
 public:
  AuditChain(std::uint64_t next_index, const Digest& previous) : next_index_(next_index), hash_(previous) {}

  // Sets record.index and record.previous, appends the encoding to `out`, and becomes the chain that ends with it.
  void append(AuditRecord& record, Bytes& out);
  [[nodiscard]] std::uint64_t next_index() const { return next_index_; }
  [[nodiscard]] AuditHead head() const { return {next_index_ - 1, hash_}; }

 private:
  std::uint64_t next_index_;
  Digest hash_;
  Sha256 sha_;
};

}  // namespace statefs
