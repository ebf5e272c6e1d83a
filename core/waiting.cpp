#include "core/waiting.h"

#include <utility>

#include "core/check.h"

namespace statefs {

bool Waiting::tight(const Owner& owner) const {
  if (size_ >= size_max_) return true;
  if (owner.kind == PeerKind::none) return false;
  const auto found = size_of_.find(owner);
  return found != size_of_.end() && found->second >= size_per_peer_max_;
}

Waiting::Share& Waiting::share(ConnectionId connection) {
  if (connection >= shares_.size()) shares_.resize(connection + 1);
  return shares_[connection];
}

bool Waiting::weigh(ConnectionId connection, const Owner& owner, std::size_t size) {
  Share& of = share(connection);
  bool eased = false;
  if (of.owner != owner) {
    eased = change(of.owner, of.size, 0);
    of.owner = owner;
    of.size = 0;
  }
  if (change(owner, of.size, size)) eased = true;
  of.size = size;
  return eased;
}

bool Waiting::change(const Owner& owner, std::size_t before, std::size_t after) {
  if (before == after) return false;
  const bool all_tight = size_ >= size_max_;
  const auto of = size_of_.try_emplace(owner, 0).first;
  const bool own_tight = owner.kind != PeerKind::none && of->second >= size_per_peer_max_;
  STATEFS_CHECK(size_ >= before && of->second >= before);
  size_ = size_ - before + after;
  of->second = of->second - before + after;
  const bool own_eased = own_tight && of->second < size_per_peer_max_;
  if (of->second == 0) size_of_.erase(of);
  return own_eased || (all_tight && size_ < size_max_);
}

void Waiting::press(ConnectionId connection) {
  if (!std::exchange(share(connection).pressed, true)) pressed_.push_back(connection);
}

std::vector<ConnectionId> Waiting::take_pressed() {
  for (const ConnectionId each : pressed_) shares_[each].pressed = false;
  return std::exchange(pressed_, {});
}

}  // namespace statefs
