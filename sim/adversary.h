// ADVERSARY: carries out the incidents of a plan in a world, ends each when its time is over, and in the end all of them.
//
//   plan.h (incidents) -> ADVERSARY -> node.h, network.h, server_program.h, client_program.h
//
// Each incident that had something to happen to is counted. After calm() nothing is broken any more but nodes lost for good.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "sim/plan.h"
#include "sim/session_hog.h"
#include "sim/world.h"

namespace statefs::sim {

// The programs of a world; they outlive whoever is given the cast.
struct Cast {
  std::vector<ServerProgram*> servers;    // by node
  std::vector<ClientProgram*> clients;    // in the order of their nodes, after the servers
  std::vector<Workload*> workloads;       // of the clients
  std::vector<Repeater*> repeaters;
  std::vector<PolicySource> policies;     // by number
};

class Adversary final : public Handler {
 public:
  // `world` and `plan` outlive it.
  Adversary(World& world, const Plan& plan, Cast cast);
  ~Adversary() override;

  // Those named by event number, and by the number of a disk's request; and servers whose disk has failed are seen to. Call it before
  // each event of the world.
  void before_event(std::uint64_t number);
  // Whether every incident that is to end has ended, and every one by time has begun.
  [[nodiscard]] bool idle() const { return pending_.empty(); }
  // No more incidents; whatever can be mended is.
  void calm();
  [[nodiscard]] bool dead(NodeId node) const { return dead_.contains(node); }

  void fire(std::uint32_t kind, std::uint64_t argument) override;

 private:
  [[nodiscard]] bool spares(const Incident& incident) const;
  void begin(std::size_t which);
  void end(const Incident& incident);
  void pause(const Incident& incident);
  void change_clock(const Incident& incident);
  void load_policy(const Incident& incident);
  void hurt_store(const Incident& incident);
  void hurt_disk(std::size_t which);
  void swap_disk(std::size_t which);
  void watch_disks();
  void restart_failed(NodeId node);
  void stop(const Incident& incident);
  void start(NodeId node);
  void sever(NodeId from, NodeId to);
  void heal(NodeId from, NodeId to);
  void cut(NodeId a, NodeId b);
  void evict(const Incident& incident);
  void plan_end(std::size_t which, Duration after);
  [[nodiscard]] ServerProgram* server(NodeId node) const;
  [[nodiscard]] ClientProgram* client(NodeId node) const;
  void count(FaultKind kind) { world_.network().counts().add(kind); }

  World& world_;
  const Plan& plan_;
  Cast cast_;
  std::map<std::pair<std::uint32_t, std::size_t>, EventId> pending_;  // by event kind and incident
  std::map<std::pair<NodeId, NodeId>, std::uint32_t> severed_;         // how many incidents sever a link
  std::set<std::size_t> begun_;                                        // of those named by a request
  std::map<std::size_t, JournalStore::Copy> copies_;                   // of disks, by incident
  bool calm_ = false;
  std::set<NodeId> dead_;                                              // for good
  std::map<NodeId, std::uint32_t> down_;                               // how many incidents keep a node down
  std::vector<std::unique_ptr<SessionHog>> hogs_;
};

}  // namespace statefs::sim
