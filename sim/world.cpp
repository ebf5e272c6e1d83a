#include "sim/world.h"

#include <utility>

namespace statefs::sim {

World::World(std::uint64_t seed, const Faults& faults, std::unique_ptr<Suite> suite)
    : random_(seed), schedule_(random_), trace_(schedule_), network_(random_, schedule_, trace_, faults), suite_(std::move(suite)) {}

// Programs hold streams, which belong to the network; they go first.
World::~World() { programs_.clear(); }

Node& World::add_node(const NodeOptions& options) {
  const auto id = static_cast<NodeId>(nodes_.size());
  const Node::Ground ground{random_, schedule_, network_, trace_, *suite_, marks_};
  nodes_.push_back(std::make_unique<Node>(id, ground, options));
  return *nodes_.back();
}

PublicKey World::public_key_of(NodeId id) {
  if (id < nodes_.size()) return nodes_[id]->identity()->public_key();
  RandomStream keys = RandomStream(seed(), "key/" + std::to_string(id));
  return suite_->import(Node::secret_from(keys))->public_key();
}

PolicySource World::enrol(const std::vector<NodeId>& peers) {
  PolicySource source;
  for (const NodeId id : peers) source.peers.push_back({public_key_of(id), alias_of(id)});
  return source;
}

ServerProgram& World::add_server(Node& node, const ServerProgramOptions& options) {
  auto program = std::make_unique<ServerProgram>(node, options);
  ServerProgram& added = *program;
  programs_.push_back(std::move(program));
  return added;
}

Repeater& World::add_repeater(Node& node, RepeaterOptions options) {
  options.server_key = public_key_of(options.server);
  auto program = std::make_unique<Repeater>(node, options);
  Repeater& added = *program;
  programs_.push_back(std::move(program));
  return added;
}

ClientProgram& World::add_client(Node& node, NodeId server, CallUser& user, ClientProgramOptions options) {
  options.server = server;
  if (options.config.server == PublicKey{}) options.config.server = public_key_of(server);
  auto program = std::make_unique<ClientProgram>(node, options, user);
  ClientProgram& added = *program;
  programs_.push_back(std::move(program));
  return added;
}

void World::run_until(Time time) {
  while (schedule_.next_time() <= time && step()) {
  }
  schedule_.pass_to(time);
}

namespace {

constexpr std::uint64_t events_per_call_max = 1'000'000;
constexpr Duration call_timeout = seconds(60);

}  // namespace

WorldDriver::WorldDriver(World& world, NodeId server, bool local) : world_(world) {
  ClientProgramOptions options;
  options.local = local;
  client_ = &world.add_client(world.add_node(), server, *this, options);
}

void WorldDriver::completed(ClientProgram&, Completion completion) { last_ = std::move(completion); }

Completion WorldDriver::call(const RequestBody& request) {
  last_.reset();
  STATEFS_CHECK(client_->submit(request, call_timeout).ok());
  STATEFS_CHECK(world_.run_while_not([this] { return last_.has_value(); }, events_per_call_max));
  return std::move(*last_);
}

std::uint64_t WorldDriver::epoch() {
  if (!client_->client().server_hello()) (void)call(SyncRequest{});
  const auto& hello = client_->client().server_hello();
  return hello ? hello->epoch : 0;
}

void WorldDriver::break_stream() { client_->break_stream(); }

std::vector<AuditRecord> audit_in(const Trace& trace) {
  std::vector<AuditRecord> records;
  for (const TraceEntry& entry : trace.entries()) {
    if (entry.kind != TraceKind::audit) continue;
    const auto record = decode_audit(trace.payload(entry));
    STATEFS_CHECK(record.ok());
    records.push_back(record.value());
  }
  return records;
}

}  // namespace statefs::sim
