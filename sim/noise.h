// NOISE: what a peer says that wants the whole of a server for itself: as much as it can of everything, allowed or not.
//
//   hostile.h -> NOISE -> core/request.h
#pragma once

#include <array>
#include <string>

#include "core/bytes.h"
#include "core/request.h"
#include "sim/random.h"

namespace statefs::sim {

class Noise {
 public:
  // `name` is in every value that it writes, so that no other writes the same.
  explicit Noise(std::string name) : name_(std::move(name)) {}

  // HELLO, and OPEN of a session of its own.
  [[nodiscard]] Bytes greeting(RandomStream& random, std::uint64_t& id);
  void opened(std::uint64_t session);
  // Frames, none of which it waits for, of one kind: denied reads, refused PUTs, session verbs, good reads, large values.
  [[nodiscard]] Bytes next(RandomStream& random, std::uint64_t& id);

 private:
  [[nodiscard]] SlotRef next_slot(RandomStream& random);
  void session_verb(RandomStream& random, std::uint64_t& id, Bytes& frames);
  void put(RandomStream& random, std::uint64_t& id, bool is_denied, std::size_t size_max, Bytes& frames);

  std::string name_;
  std::uint64_t session_ = 0;
  std::vector<SessionInstance> opened_;        // the last ones that it asked for
  std::array<std::uint64_t, 4> sequences_{};  // last used, by slot
};

}  // namespace statefs::sim
