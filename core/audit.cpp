#include "core/audit.h"

#include <algorithm>

#include "core/check.h"
#include "core/limits.h"

namespace statefs {
namespace {

constexpr std::size_t fixed_size = 264;
constexpr std::uint8_t flag_allowed = 1;
static_assert(fixed_size + limits::alias_size_max + limits::key_size_max + sizeof(Digest) <= limits::audit_record_size_max);

std::size_t kept_size(std::uint32_t key_size) { return std::min<std::size_t>(key_size, limits::key_size_max); }
bool has_key_digest(std::uint32_t key_size) { return key_size > limits::key_size_max; }

void put_fixed(const AuditRecord& record, Block& out) {
  out.u8(static_cast<std::uint8_t>(record.kind));
  out.u8(static_cast<std::uint8_t>(record.peer.kind));
  out.u8(record.op);
  out.u8(record.allowed ? flag_allowed : std::uint8_t{0});
  out.u16(static_cast<std::uint16_t>(record.status));
  out.u16(record.rule);
  out.u64(record.index);
  out.bytes(record.previous);
  out.u64(static_cast<std::uint64_t>(record.wall_ns));
  out.u64(static_cast<std::uint64_t>(record.monotonic_ns));
  out.u64(record.epoch);
  out.bytes(record.node.bytes);
  out.bytes(record.policy);
  out.bytes(record.peer.key.bytes);
  out.u64(record.at.session);
  out.u64(record.at.sequence);
  out.u32(record.at.generation);
  out.u16(record.at.slot);
  out.u8(static_cast<std::uint8_t>(record.peer.alias.size()));
  out.u8(static_cast<std::uint8_t>(record.key.size()));
  out.u32(record.peer.uid);
  out.u32(record.key_size);
  out.u64(record.count);
  out.u32(record.value_size);
  out.skip(4);
  out.u64(record.old_revision);
  out.u64(record.new_revision);
  out.bytes(record.value_mac);
}

// The sizes of what follows the fixed part.
struct Tail {
  std::size_t alias_size = 0;
  std::size_t key_size = 0;
};

// False where an enumerator, a flag or the reserved field has no meaning.
bool take_fixed(Reader& in, AuditRecord& record, Tail& tail) {
  const std::uint8_t kind = in.u8();
  const std::uint8_t peer_kind = in.u8();
  record.op = in.u8();
  const std::uint8_t flags = in.u8();
  const std::uint16_t status = in.u16();
  record.rule = in.u16();
  record.index = in.u64();
  record.previous = in.array<32>();
  record.wall_ns = static_cast<std::int64_t>(in.u64());
  record.monotonic_ns = static_cast<std::int64_t>(in.u64());
  record.epoch = in.u64();
  record.node.bytes = in.array<32>();
  record.policy = in.array<32>();
  record.peer.key.bytes = in.array<32>();
  record.at.session = in.u64();
  record.at.sequence = in.u64();
  record.at.generation = in.u32();
  record.at.slot = in.u16();
  tail.alias_size = in.u8();
  tail.key_size = in.u8();
  record.peer.uid = in.u32();
  record.key_size = in.u32();
  record.count = in.u64();
  record.value_size = in.u32();
  const bool reserved_zero = in.u32() == 0;
  record.old_revision = in.u64();
  record.new_revision = in.u64();
  record.value_mac = in.array<32>();
  record.kind = static_cast<AuditKind>(kind);
  record.peer.kind = static_cast<PeerKind>(peer_kind);
  record.status = static_cast<Status>(status);
  record.allowed = flags == flag_allowed;
  return in.ok() && reserved_zero && kind >= static_cast<std::uint8_t>(AuditKind::epoch) &&
         kind <= static_cast<std::uint8_t>(AuditKind::restored) && peer_kind <= static_cast<std::uint8_t>(PeerKind::local) &&
         flags <= flag_allowed && is_status(status);
}

}  // namespace

std::size_t reserve_for(AuditKind kind, std::size_t reserve_size) {
  switch (kind) {
    case AuditKind::mutation: return reserve_size;
    case AuditKind::refusals:
    case AuditKind::handshakes:
    case AuditKind::damaged: return reserve_size - reserve_size / 4;
    case AuditKind::policy:
    case AuditKind::session:
    case AuditKind::eviction:
    case AuditKind::restored: return reserve_size / 2;
    case AuditKind::epoch: return 0;
  }
  STATEFS_CHECK(false);
}

void set_audit_key(AuditRecord& record, ByteView key, Sha256& sha) {
  record.key_size = static_cast<std::uint32_t>(key.size());
  record.key = as_text(key.first(kept_size(record.key_size)));
  record.key_digest = has_key_digest(record.key_size) ? sha.of(key) : Digest{};
}

void encode_audit(const AuditRecord& record, Bytes& out) {
  STATEFS_CHECK(record.key.size() == kept_size(record.key_size));
  STATEFS_CHECK(record.peer.alias.size() <= limits::alias_size_max);
  const std::size_t digest_size = has_key_digest(record.key_size) ? sizeof(Digest) : 0;
  Block block(out, fixed_size + record.peer.alias.size() + record.key.size() + digest_size);
  put_fixed(record, block);
  block.bytes(as_bytes(record.peer.alias));
  block.bytes(as_bytes(record.key));
  if (digest_size != 0) block.bytes(record.key_digest);
}

Result<AuditRecord, AuditError> decode_audit(ByteView bytes) {
  AuditRecord record;
  Tail tail;
  Reader in(bytes);
  if (!take_fixed(in, record, tail) || tail.alias_size > limits::alias_size_max || tail.key_size != kept_size(record.key_size)) {
    return AuditError::malformed;
  }
  record.peer.alias = as_text(in.take(tail.alias_size));
  record.key = as_text(in.take(tail.key_size));
  if (has_key_digest(record.key_size)) record.key_digest = in.array<32>();
  if (!in.at_end()) return AuditError::malformed;
  return record;
}

void AuditChain::append(AuditRecord& record, Bytes& out) {
  record.index = next_index_;
  record.previous = hash_;
  const std::size_t start = out.size();
  encode_audit(record, out);
  hash_ = sha_.of(ByteView(out).subspan(start));
  next_index_ += 1;
}

}  // namespace statefs
