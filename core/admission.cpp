#include "core/admission.h"

#include <utility>

#include "core/check.h"

namespace statefs {

AdmissionError Admission::refuse(AdmissionError why) {
  ++refused_;
  switch (why) {
    case AdmissionError::connections_full: STATEFS_MARK("server.connections_full"); break;
    case AdmissionError::half_open_full: STATEFS_MARK("server.half_open_full"); break;
    case AdmissionError::shutting_down: STATEFS_MARK("server.shutting_down"); break;
    case AdmissionError::unnamed_uid:
      STATEFS_MARK("server.unnamed_uid");
      tally_.count_handshake_failure(HandshakeFailure::unnamed_uid);
      break;
    case AdmissionError::uid_full:
      STATEFS_MARK("server.uid_limit");
      tally_.count_handshake_failure(HandshakeFailure::peer_limit);
      break;
  }
  return why;
}

Result<Standing, AdmissionError> Admission::at_remote_door() {
  if (stopping_) return refuse(AdmissionError::shutting_down);
  if (remote_count_ >= limits_.connections_max) return refuse(AdmissionError::connections_full);
  if (half_open_count_ >= limits_.half_open_max) return refuse(AdmissionError::half_open_full);
  ++accepted_;
  ++remote_count_;
  ++half_open_count_;
  Standing standing;
  standing.half_open = true;
  return standing;
}

Result<Standing, AdmissionError> Admission::at_local_door(std::uint32_t uid, const PeerPolicy* policy) {
  if (stopping_) return refuse(AdmissionError::shutting_down);
  if (policy == nullptr) return refuse(AdmissionError::unnamed_uid);
  if (local_count_ >= limits_.local_connections_max) return refuse(AdmissionError::connections_full);
  const Owner owner{PeerKind::local, {}, uid};
  const auto at = connections_of_.find(owner);
  if (at != connections_of_.end() && at->second >= limits_.local_connections_per_uid_max) return refuse(AdmissionError::uid_full);
  ++accepted_;
  ++local_count_;
  ++connections_of_[owner];
  return Standing{true, false, true, owner};
}

bool Admission::enter(Standing& standing, const PublicKey& peer, const PeerPolicy* policy) {
  if (policy == nullptr) {
    STATEFS_MARK("server.not_enrolled");
    ++not_enrolled_;
    tally_.count_handshake_failure(HandshakeFailure::not_enrolled);
    return false;
  }
  standing.owner = {PeerKind::remote, peer, 0};
  const auto at = connections_of_.find(standing.owner);
  if (at != connections_of_.end() && at->second >= limits_.connections_per_peer_max) {
    STATEFS_MARK("server.peer_limit");
    tally_.count_handshake_failure(HandshakeFailure::peer_limit);
    return false;
  }
  ++connections_of_[standing.owner];
  standing.entered = true;
  ++handshakes_ok_;
  return true;
}

void Admission::handshake_over(Standing& standing) {
  if (std::exchange(standing.half_open, false)) --half_open_count_;
}

bool Admission::leave(Standing& standing) {
  if (!std::exchange(standing.entered, false)) return false;
  const auto at = connections_of_.find(standing.owner);
  STATEFS_CHECK(at != connections_of_.end());
  if (--at->second == 0) connections_of_.erase(at);
  return true;
}

void Admission::release(const Standing& standing) {
  STATEFS_CHECK(!standing.half_open && !standing.entered);
  --(standing.local ? local_count_ : remote_count_);
}

}  // namespace statefs
