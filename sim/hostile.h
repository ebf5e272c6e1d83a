// HOSTILE: a peer that means harm: it may be enrolled, it may speak the channel, and what it says is chosen to hurt.
//
//   plan.h (HostileKind) -> HOSTILE -> raw_end.h -> the real server
//
// It acts a bounded number of times, with drawn pauses, and makes a new connection whenever it was thrown out. What it must not
// get is judged by the checkers as for everybody else; nobody waits for it.
#pragma once

#include <map>

#include "sim/node.h"
#include "sim/noise.h"
#include "sim/plan.h"
#include "sim/raw_end.h"

namespace statefs::sim {

class Hostile final : public Program {
 public:
  Hostile(Node& node, NodeId server, const PublicKey& server_key, HostileKind kind);
  void leave();    // acts no more, and ends its streams
  void go_on();    // some hundred times more
  [[nodiscard]] bool is_noisy() const { return kind_ == HostileKind::noisy; }

 private:
  void work(const std::vector<StreamEnd>& ready, Now now) override;
  [[nodiscard]] Time deadline() const override { return actions_left_ == 0 ? never : next_; }
  void act();
  void drop(StreamEnd end);
  void greet(RawEnd& raw);
  void name_head(HelloRequest& hello);
  void crowd();
  [[nodiscard]] Duration random_pause();
  [[nodiscard]] Bytes garbage();
  [[nodiscard]] Bytes junk();
  [[nodiscard]] OpenRequest some_open();
  [[nodiscard]] Bytes intrusion();
  [[nodiscard]] Bytes resume_storm();
  [[nodiscard]] Bytes flood();
  [[nodiscard]] Bytes greedy_reads();
  [[nodiscard]] Bytes first_message();
  [[nodiscard]] SlotRef strange_slot();

  NodeId server_;
  PublicKey server_key_;
  HostileKind kind_;
  RandomStream random_;  // `hostile/NODE`
  Noise noise_;
  std::map<StreamEnd, RawEnd> raws_;
  std::uint32_t actions_left_;
  std::uint64_t id_ = 0;
  std::uint64_t session_ = 0;  // of its own, once it has one
  std::optional<HelloResponse> heard_;  // the last
  Time next_;
};

}  // namespace statefs::sim
