// NODE: one machine of a world: a clock, random streams of its own, and the programs that it runs.
//
//   schedule.h (wake, timer), stream.h (ready) -> NODE, Program -> core by the five-function face
//
// A program works in wake-ups, as an epoll loop does: whatever became ready at its streams since the last one, or a
// deadline that came, is worked on in one go with one `now`. A wake-up comes some drawn time after what caused it, so that
// more may join it. When a program stops its streams and events are gone with it; it may be started again, and then
// knows nothing of before but what its machine kept.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/crypto.h"
#include "core/marks.h"
#include "sim/clock.h"
#include "sim/network.h"

namespace statefs::sim {

struct NodeOptions {
  ClockOptions clock;
  Duration wake_delay_max;  // drawn anew for each wake-up
};

class Node {
 public:
  // All of it outlives the node.
  struct Ground {
    RandomSource& random;
    Schedule& schedule;
    Network& network;
    Trace& trace;
    const Suite& suite;
    Marks& marks;
  };
  Node(NodeId id, const Ground& ground, const NodeOptions& options);

  [[nodiscard]] NodeId id() const { return id_; }
  [[nodiscard]] Now now() const { return clock_.now(ground_.schedule.now()); }
  [[nodiscard]] NodeClock& clock() { return clock_; }
  [[nodiscard]] const Ground& ground() const { return ground_; }
  [[nodiscard]] const std::shared_ptr<const DhKey>& identity() const { return identity_; }
  [[nodiscard]] SecretKey fresh_key() { return secret_from(ephemerals_); }  // an ephemeral
  [[nodiscard]] RandomStream& random() { return random_; }
  [[nodiscard]] Time wake_time();      // of a wake-up that is asked for now
  [[nodiscard]] static SecretKey secret_from(RandomStream& stream);

 private:
  NodeId id_;
  Ground ground_;
  NodeOptions options_;
  NodeClock clock_;
  RandomStream keys_;        // `key/ID`: the identity
  RandomStream ephemerals_;  // split from it
  RandomStream random_;      // `node/ID`: everything else
  std::shared_ptr<const DhKey> identity_;
};

class Program : public Handler, public StreamUser {
 public:
  explicit Program(Node& node) : node_(node) {}
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() override;

  [[nodiscard]] Node& node() const { return node_; }
  void request_wake();
  // Ends everything, and the program does nothing until it is started again. Peers see resets, as of a dying process, or
  // nothing at all, as where the power fails.
  void crash(bool silent);
  void restart();
  [[nodiscard]] bool up() const { return !crashed_; }
  [[nodiscard]] std::uint64_t incarnation() const { return incarnation_; }  // how often it was restarted
  // Stands still until then; what happens meanwhile is found afterwards.
  void pause_until(Time time) { paused_until_ = time; }
  [[nodiscard]] const std::set<StreamEnd>& ends() const { return ends_; }
  // Of timers in a row that had no effect, how many more there were than the time that they took explains; the highest.
  [[nodiscard]] std::uint64_t idle_timers() const { return idle_timers_most_; }
  [[nodiscard]] Place idle_timers_at() const { return idle_timers_at_; }  // where there first was one

  // Takes every stream, as a listen backlog does; the program sees it in its next wake-up.
  bool stream_offered(StreamEnd end) final;
  void stream_ready(StreamEnd end) final;
  void fire(std::uint32_t kind, std::uint64_t argument) final;

 protected:
  // One wake-up. `ready` names each end once, in the order in which they became ready.
  virtual void work(const std::vector<StreamEnd>& ready, Now now) = 0;
  // On the node's monotonic clock.
  [[nodiscard]] virtual Time deadline() const = 0;
  // Whether streams are taken; else they are refused.
  [[nodiscard]] virtual bool accepts() const { return true; }
  // Bytes were written to a stream, which may schedule nothing while others are under way.
  void wrote() { wrote_ = true; }
  // After a crash and before the first wake-up of the next incarnation.
  virtual void started() {}
  [[nodiscard]] Stream& stream(StreamEnd end) const { return node_.ground().network.stream(end); }
  [[nodiscard]] StreamEnd connect(NodeId to);
  void close(StreamEnd end);  // and forgets it

 private:
  void arm_timer();
  void note_timer(bool had_effect);
  void stop();
  void end_streams(bool silent);
  Node& node_;
  std::set<StreamEnd> ends_;
  std::vector<StreamEnd> ready_;
  bool crashed_ = false;
  std::uint64_t incarnation_ = 0;
  Time paused_until_;
  EventId wake_event_ = 0;
  EventId timer_event_ = 0;
  Time timer_time_;
  Time idle_since_;
  bool wrote_ = false;
  std::uint64_t idle_timers_ = 0;
  std::uint64_t idle_timers_most_ = 0;
  Place idle_timers_at_ = no_place;
};

}  // namespace statefs::sim
