// TRIAL: the world that most tests of this folder use: one server, on node 0, and a driver's client on node 1.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "sim/world.h"
#include "tests/sim/raw_peer.h"

namespace statefs::sim {

struct Trial {
  explicit Trial(std::uint64_t seed = 1, const Faults& faults = {}, const ServerLimits& limits = {})
      : world(seed, faults), server(add_server(limits)), driver(world, 0) {}

  // Nodes 1 to 4 are enrolled.
  ServerProgram& add_server(const ServerLimits& limits) {
    ServerProgramOptions options;
    options.policy = world.enrol({1, 2, 3, 4});
    options.limits = limits;
    return world.add_server(world.add_node(), options);
  }
  // On a new node.
  RawPeer& add_raw(bool with_handshake) {
    raw.push_back(std::make_unique<RawPeer>(world.add_node(), 0, with_handshake ? std::optional(world.public_key_of(0)) : std::nullopt));
    return *raw.back();
  }
  void run_for(Duration duration) { world.run_until(world.now() + duration); }

  Completion put(std::string_view key, std::string_view value) {
    return driver.call(PutRequest{{}, {}, as_bytes(key), static_cast<std::uint32_t>(value.size()), as_bytes(value), {}});
  }
  Completion get(std::string_view key) { return driver.call(GetRequest{{}, 0, limits::value_size_max, as_bytes(key)}); }
  Completion del(std::string_view key) { return driver.call(DeleteRequest{{}, {}, as_bytes(key)}); }
  Completion list(std::string_view prefix) { return driver.call(ListRequest{0, as_bytes(prefix), {}}); }

  std::vector<AuditRecord> records(AuditKind kind) {
    std::vector<AuditRecord> found = audit_in(world.trace());
    std::erase_if(found, [kind](const AuditRecord& record) { return record.kind != kind; });
    return found;
  }

  World world;
  ServerProgram& server;
  WorldDriver driver;
  std::vector<std::unique_ptr<RawPeer>> raw;  // gone before the world
};

inline std::string value_of(const Completion& completion) {
  const auto* got = std::get_if<GetResponse>(&completion.response.body);
  return got == nullptr ? std::string() : std::string(as_text(got->data));
}

}  // namespace statefs::sim
