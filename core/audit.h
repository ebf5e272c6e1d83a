// AUDIT: the record of a decision, its one encoding, and the hash chain it is part of.
//
//   service.h (verdict) -> AUDIT -> store.h (one commit with the effect) -> an exporter outside core
//
// A record never holds a value or a bare hash of one: value length and HMAC-SHA-256 under a key of the node (of the SHA-256 of a
// value above limits::value_size_max). The hash of a record is SHA-256 of its encoding, which holds its index and the hash of
// the record before it, so one pass over the bytes makes the chain; whoever holds a later head can see that an earlier record was changed. Views
// in a record point into the request, the policy or the encoding, and live as long as those.
//
// Encoding, little-endian: kind, peer kind, op, flags (bit 0 allowed): u8 each; status, rule: u16; index: u64;
// previous: 32; wall, monotonic time: i64; epoch: u64; node, policy, peer key: 32 each; session, sequence: u64;
// generation: u32; slot: u16; alias size, key size as kept: u8; uid, key size as sent: u32; count: u64; value size,
// zero: u32; old, new revision: u64; value MAC: 32; then alias, key as kept, and the key digest (32) of a longer key.
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
  session = 7,    // a session was opened, resumed or closed: `op`, `at`
  eviction = 8,   // a session was ended to make room for another of its peer
  restored = 9,   // the store was made of a backup: `old_revision` its last index, `value_mac` the ids of the store it is of and of this one
};
// What a record of this kind leaves free of the room that a log keeps for its own: a peer's mutation all of it, counts of what
// peers did three quarters, sessions and policies a half, and an epoch nothing, so that a full log can still be opened again.
[[nodiscard]] std::size_t reserve_for(AuditKind kind, std::size_t reserve_size);
enum class HandshakeFailure : std::uint8_t {
  bad_message = 1,
  not_enrolled = 2,
  timed_out = 3,
  peer_limit = 4,   // of connections of one peer or uid
  unnamed_uid = 5,  // at the local door, a uid that the policy does not name
};
inline constexpr std::size_t handshake_failure_count = 5;

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
  std::uint64_t old_revision = 0;     // 0: absent, or not for this peer to know
  std::uint64_t new_revision = 0;     // 0: absent; as the old one where nothing changed
};

// Names the key of a request, as sent: its first bytes, its size, and its digest where it is longer than a key can be.
void set_audit_key(AuditRecord& record, ByteView key, Sha256& sha);

// At most limits::audit_record_size_max bytes. Decoding accepts one encoding of each record, and nothing after it.
// The record's key fields agree with each other, as set_audit_key leaves them; the alias is within its limit.
void encode_audit(const AuditRecord& record, Bytes& out);
enum class AuditError { malformed };
[[nodiscard]] Result<AuditRecord, AuditError> decode_audit(ByteView bytes);

// The chain's end: gives each record its index and previous hash, and moves on.
class AuditChain {
 public:
  AuditChain(std::uint64_t next_index, const Digest& previous) : next_index_(next_index), hash_(previous) {}
  AuditChain(const AuditChain& other) : AuditChain(other.next_index_, other.hash_) {}
  AuditChain& operator=(const AuditChain& other) {
    next_index_ = other.next_index_;
    hash_ = other.hash_;
    return *this;
  }
  ~AuditChain() = default;

  // Sets record.index and record.previous, appends the encoding to `out`, and becomes the chain that ends with it.
  void append(AuditRecord& record, Bytes& out);
  // Becomes the chain that ends with a record of this head, which is not looked at.
  void follow(const AuditHead& head) {
    next_index_ = head.index + 1;
    hash_ = head.hash;
  }
  [[nodiscard]] std::uint64_t next_index() const { return next_index_; }
  [[nodiscard]] AuditHead head() const { return {next_index_ - 1, hash_}; }

 private:
  std::uint64_t next_index_;
  Digest hash_;
  Sha256 sha_;
};

}  // namespace statefs
