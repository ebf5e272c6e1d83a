// AUDIT SAMPLES: one record of each kind, with every field different from its neighbours.
#pragma once

#include <string>
#include <vector>

#include "core/audit.h"
#include "tests/core/hex.h"

namespace statefs {

struct AuditSample {
  std::string name;
  AuditRecord record;
};

inline AuditRecord sample_mutation() {
  AuditRecord record;
  record.kind = AuditKind::mutation;
  record.index = 0x0000'0501'0203'0405;
  record.previous = counted<32>(0x10);
  record.wall_ns = 1'700'000'000'123'456'789;
  record.monotonic_ns = 0x2122232425262728;
  record.epoch = 5;
  record.node.bytes = counted<32>(0x30);
  record.policy = counted<32>(0x50);
  record.peer = {PeerKind::remote, {counted<32>(0x70)}, 0, "lamp"};
  record.at = {0x4142434445464748, 0x5152535455565758, 0x61626364, 7};
  record.op = static_cast<std::uint8_t>(Op::put);
  record.status = Status::ok;
  record.allowed = true;
  record.rule = 3;
  record.key = "/state/shared/lamp";
  record.key_size = 18;
  record.value_size = 2;
  record.value_mac = counted<32>(0x90);
  record.old_revision = 0x0000'0401'0203'0405;
  record.new_revision = record.index;
  return record;
}

inline std::vector<AuditSample> audit_samples() {
  static const std::string long_key(255, 'k');
  AuditRecord denied = sample_mutation();
  denied.op = static_cast<std::uint8_t>(Op::del);
  denied.status = Status::access_denied;
  denied.allowed = false;
  denied.key = "/state/keystore/root";
  denied.key_size = 20;
  denied.old_revision = denied.new_revision = 0;
  AuditRecord too_long = denied;
  too_long.status = Status::key_too_long;
  too_long.key = long_key;
  too_long.key_size = 256;
  too_long.key_digest = counted<32>(0xb0);
  AuditRecord local = sample_mutation();
  local.peer = {PeerKind::local, {}, 1000, {}};
  AuditRecord refusals;
  refusals.kind = AuditKind::refusals;
  refusals.index = 9;
  refusals.peer = {PeerKind::remote, {counted<32>(0x70)}, 0, {}};
  refusals.op = static_cast<std::uint8_t>(Op::get);
  refusals.status = Status::access_denied;
  refusals.count = 17;
  AuditRecord handshakes;
  handshakes.kind = AuditKind::handshakes;
  handshakes.op = static_cast<std::uint8_t>(HandshakeFailure::not_enrolled);
  handshakes.count = 4;
  AuditRecord unnamed = handshakes;
  unnamed.op = static_cast<std::uint8_t>(HandshakeFailure::unnamed_uid);
  AuditRecord local_refusals = refusals;
  local_refusals.peer = {PeerKind::local, {}, 1000, {}};
  AuditRecord damaged = refusals;
  damaged.kind = AuditKind::damaged;
  damaged.op = 0;
  damaged.count = 1;
  AuditRecord epoch;
  epoch.kind = AuditKind::epoch;
  epoch.epoch = 6;
  epoch.wall_ns = -1;
  AuditRecord policy = epoch;
  policy.kind = AuditKind::policy;
  policy.policy = counted<32>(0x50);
  AuditRecord restored = epoch;
  restored.kind = AuditKind::restored;
  restored.index = 0x0000'0600'0000'0001;
  restored.allowed = true;
  restored.old_revision = restored.new_revision = 0x0000'0501'0203'0405;
  restored.value_mac = counted<32>(0x90);
  return {{"mutation_put_ok", sample_mutation()}, {"mutation_delete_denied", denied}, {"mutation_key_over_limit", too_long},
          {"mutation_by_local_uid", local},       {"refusals_of_get", refusals},      {"handshakes_not_enrolled", handshakes},
          {"handshakes_unnamed_uid", unnamed},    {"refusals_of_local_uid", local_refusals},
          {"damaged_record", damaged},            {"epoch", epoch},                   {"policy_loaded", policy},
          {"restored", restored}};
}

}  // namespace statefs
