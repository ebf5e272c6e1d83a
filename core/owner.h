// OWNER: whom entries, sessions, stages and rates belong to, and what a policy says of it.
//
//   audit.h (PeerRef) -> OWNER -> slots.h, peer_rates.h, staging.h, server.h
#pragma once

#include <cstdint>

#include "core/audit.h"
#include "core/crypto.h"
#include "core/policy.h"

namespace statefs {

struct Owner {
  PeerKind kind = PeerKind::none;
  PublicKey key;
  std::uint32_t uid = 0;
  friend auto operator<=>(const Owner&, const Owner&) = default;
};
inline Owner owner_of(const PeerRef& peer) { return {peer.kind, peer.key, peer.uid}; }

// What the policy has for a peer or a uid; null: it does not name it. It lives as long as the policy.
[[nodiscard]] inline const PeerPolicy* policy_of(const Owner& owner, const Policy& policy) {
  switch (owner.kind) {
    case PeerKind::remote: return policy.find(owner.key);
    case PeerKind::local: return policy.find_local(owner.uid);
    case PeerKind::none: return nullptr;
  }
  return nullptr;
}

}  // namespace statefs
