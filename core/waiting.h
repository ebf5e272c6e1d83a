// WAITING: how much waits to be sent, or to be worked on, for all connections of a peer and for all there are.
//
//   session.h (waiting_size) -> WAITING -> server.h, which works on less while it is too much
//
// docs/decisions/0014-what-waits-is-bounded-by-peer-and-node.md. Where a peer has limits::waiting_size_per_peer_max, or all have
// limits::waiting_size_max, it is tight: a connection is worked on only while no answer of its own waits, and read in short pieces.
// So each goes on, one answer at a time, as fast as its own peer takes them, whatever others do; and what waits is no more than
// the bound, what the connection that reached it may add, and one answer and one short read of each other.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "core/owner.h"
#include "core/registrar.h"

namespace statefs {

class Waiting {
 public:
  Waiting(std::size_t size_max, std::size_t size_per_peer_max) : size_max_(size_max), size_per_peer_max_(size_per_peer_max) {}

  // Of a stranger, whose peer is not known yet, the kind is none: what waits there counts in all alone.
  [[nodiscard]] bool tight(const Owner& owner) const;
  // So much waits for a connection now. True: it was tight for this peer and is not any more, and take_pressed() has who waited for that.
  [[nodiscard]] bool weigh(ConnectionId connection, const Owner& owner, std::size_t size);
  // A connection has work that it may have to put off until then.
  void press(ConnectionId connection);
  // They are not pressed any more; and may be gone, and others in their place.
  [[nodiscard]] std::vector<ConnectionId> take_pressed();
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Share {
    Owner owner;
    std::size_t size = 0;
    bool pressed = false;  // in `pressed_`
  };
  [[nodiscard]] Share& share(ConnectionId connection);
  [[nodiscard]] bool change(const Owner& owner, std::size_t before, std::size_t after);

  std::size_t size_max_;
  std::size_t size_per_peer_max_;
  std::size_t size_ = 0;
  std::map<Owner, std::size_t> size_of_;  // of whom something waits
  std::vector<Share> shares_;             // by connection
  std::vector<ConnectionId> pressed_;     // each once
};

}  // namespace statefs
