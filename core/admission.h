// ADMISSION: who may enter: connections counted in all, before they are known, at the local door, and of each peer.
//
//   policy.h (who is named) -> ADMISSION -> server.h
//
// The two doors have room of their own, so neither can keep the other's peers out. Who is turned away is counted, in the
// counters or as a failed handshake with its cause; nothing is kept for it.
#pragma once

#include <cstdint>
#include <map>

#include "core/marks.h"
#include "core/owner.h"
#include "core/policy.h"
#include "core/result.h"
#include "core/session.h"
#include "core/tally.h"

namespace statefs {

enum class AdmissionError {
  connections_full,
  half_open_full,
  shutting_down,
  unnamed_uid,  // the policy does not name it
  uid_full,     // it has as many connections as one may
};

// What is counted for one connection.
struct Standing {
  bool local = false;
  bool half_open = false;
  bool entered = false;  // counted for `owner`
  Owner owner;
};

class Admission {
 public:
  // All of it outlives the admission.
  Admission(const ServerLimits& limits, Tally& tally, Marks& marks) : limits_(limits), tally_(tally), marks_(marks) {}

  // A stream at the remote door: nobody is known yet.
  [[nodiscard]] Result<Standing, AdmissionError> at_remote_door();
  // One at the local door, of a uid that the kernel vouches for. `policy` names it, or is null.
  [[nodiscard]] Result<Standing, AdmissionError> at_local_door(std::uint32_t uid, const PeerPolicy* policy);
  // The peer of a connection has become known. False: it may not enter.
  [[nodiscard]] bool enter(Standing& standing, const PublicKey& peer, const PeerPolicy* policy);

  void handshake_over(Standing& standing);
  // The connection is closed: true where its owner has one less.
  bool leave(Standing& standing);
  // Its place is free again.
  void release(const Standing& standing);
  void stop() { stopping_ = true; }

  [[nodiscard]] std::size_t count() const { return remote_count_ + local_count_; }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] std::uint64_t handshakes_ok() const { return handshakes_ok_; }
  [[nodiscard]] std::uint64_t not_enrolled() const { return not_enrolled_; }

 private:
  [[nodiscard]] AdmissionError refuse(AdmissionError why);

  const ServerLimits& limits_;
  Tally& tally_;
  Marks& marks_;
  std::map<Owner, std::size_t> connections_of_;
  std::size_t remote_count_ = 0;
  std::size_t local_count_ = 0;
  std::size_t half_open_count_ = 0;
  bool stopping_ = false;
  std::uint64_t accepted_ = 0, refused_ = 0, handshakes_ok_ = 0, not_enrolled_ = 0;
};

}  // namespace statefs
