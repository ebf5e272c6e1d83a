// EPISODE: the world of one plan while it runs: first work under faults, then calm, then the end.
//
//   plan.h -> EPISODE (work, calm, stop) -> world.h, adversary.h, workload.h, hostile.h;   run.h asks what came of it
//
// Safety is judged from the trace by others, and from what is measured here while it runs. Only that a world gets stuck is judged
// here, because only who runs it sees that.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "sim/adversary.h"
#include "sim/checkers.h"
#include "sim/crypto_watch.h"
#include "sim/hostile.h"
#include "sim/plain_watch.h"
#include "sim/plan.h"
#include "sim/tap.h"
#include "sim/world.h"

namespace statefs::sim {

// A world that is not done after so many events never will be.
inline constexpr std::uint64_t events_max_default = 6'000'000;

class Episode {
 public:
  // `plan` outlives it, and `tap`, where there is one.
  Episode(const Plan& plan, Tap* tap, std::uint64_t events_max = events_max_default);

  void work();  // until every workload is through and every incident over
  void calm();  // no more faults: each client that is left does a few more operations
  void stop();  // all clients end; then nothing may be left over

  // From now on, the numbers of the work's events: where an incident may be placed by event.
  void record_points(std::vector<std::uint64_t>* points) { points_ = points; }

  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] const Cast& cast() const { return cast_; }
  [[nodiscard]] CheckContext context();
  [[nodiscard]] CryptoWatch& ciphers() { return watch_; }
  // Once it has stopped: all that checkers look at, and what they say to it, or to a lie about it.
  [[nodiscard]] History history();
  [[nodiscard]] std::vector<CheckResult> judge(const History& history);
  [[nodiscard]] Time worked_until() const { return worked_until_; }
  [[nodiscard]] bool out_of_events() const { return events_left_ == 0; }
  [[nodiscard]] std::uint64_t completed_count() const;
  [[nodiscard]] std::uint64_t reconnect_count() const;

 private:
  void add_servers();
  void add_clients();
  void add_hostile();
  [[nodiscard]] std::vector<ShadowPeer> peers() const;
  void quieten_local_links();
  [[nodiscard]] bool step();
  [[nodiscard]] bool idle() const;
  void stuck(const std::string& what);
  void measure();

  const Plan& plan_;
  CryptoWatch watch_;
  PlainWatch plain_watch_;
  World world_;
  Cast cast_;
  std::vector<std::unique_ptr<Workload>> workloads_;  // of clients, then of hostile nodes that are clients
  std::vector<ClientProgram*> strangers_;
  std::vector<Repeater*> repeaters_;
  std::vector<std::unique_ptr<Hostile>> hostile_;
  std::unique_ptr<Adversary> adversary_;
  std::uint64_t events_max_;
  std::uint64_t events_left_;
  std::vector<std::uint64_t>* points_ = nullptr;
  Time worked_until_;
  std::map<NodeId, SeenLoad> loads_;  // of servers
  std::string stuck_;
};

}  // namespace statefs::sim
