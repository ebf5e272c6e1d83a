#include "sim/network.h"

namespace statefs::sim {

Link& Network::link(NodeId from, NodeId to) {
  std::unique_ptr<Link>& found = links_[{from, to}];
  if (!found) found = std::make_unique<Link>(from, to, faults_, random_, counts_);
  return *found;
}

void Network::set_faults(const Faults& faults) {
  faults_ = faults;
  for (auto& [ends, each] : links_) each->set_faults(faults);
}

void Network::partition(NodeId a, NodeId b) {
  link(a, b).sever();
  link(b, a).sever();
}

void Network::heal(NodeId a, NodeId b) {
  link(a, b).heal();
  link(b, a).heal();
}

void Network::heal_all() {
  for (auto& [ends, each] : links_) {
    each->heal();
    each->block_until(Time{});
    each->tamper() = Tamper{};
  }
}

void Network::revive(NodeId node) {
  for (const std::unique_ptr<Stream>& each : streams_) {
    if (each == nullptr) continue;
    for (const Side side : {Side::connector, Side::acceptor}) {
      if (each->node(side) == node) each->revive(side);
    }
  }
}

StreamEnd Network::connect(NodeId from, NodeId to, StreamUser& user) {
  const auto id = static_cast<StreamId>(streams_.size());
  const Stream::Ground ground{schedule_, trace_, link(from, to), link(to, from), user, listeners_};
  streams_.push_back(std::make_unique<Stream>(id, ground));
  ++live_count_;
  return {id, Side::connector};
}

Stream& Network::stream(StreamEnd end) {
  STATEFS_CHECK(end.stream < streams_.size() && streams_[end.stream] != nullptr);
  return *streams_[end.stream];
}

void Network::release(StreamEnd end) {
  std::unique_ptr<Stream>& found = streams_[end.stream];
  if (!found || !found->finished()) return;
  found.reset();
  --live_count_;
}

}  // namespace statefs::sim
