#include "sim/server_program.h"

#include <algorithm>
#include <utility>

#include "sim/shadow.h"

namespace statefs::sim {
namespace {

MemoryStoreConfig store_config(Node& node, const ServerProgramOptions& options) {
  MemoryStoreConfig config;
  RandomStream id = node.ground().random.stream("store/" + std::to_string(node.id()));
  id.fill(config.id);
  config.node = node.identity()->public_key();
  config.audit_ring_size = options.audit_ring_size;
  config.durability = options.durability;
  config.flush_interval = options.flush_interval;
  config.flush_delay = options.flush_delay;
  config.marks = &node.ground().marks;
  config.value_bytes_max = options.value_bytes_max;
  config.keys_max = options.keys_max;
  return config;
}

// The smallest store that never has less room than the world's own bounds say.
JournalStoreConfig journal_config(Node& node, const ServerProgramOptions& options) {
  JournalStoreConfig config;
  RandomStream id = node.ground().random.stream("store/" + std::to_string(node.id()));
  id.fill(config.journal.fresh_store);
  JournalLimits& limits = config.journal.limits;
  limits.value_bytes_max = options.value_bytes_max;
  limits.keys_max = options.keys_max;
  // Whatever is staged within its limits fits a record; more than all values together may take has no space anyhow.
  limits.value_size_max =
      std::max<std::size_t>(limits::value_size_max, std::min<std::uint64_t>(options.limits.staging.value_size_max, options.value_bytes_max));
  limits.replay_bytes_max = (options.policy.peers.size() + 1) *
      (SlotTable::shelf_footprint + (options.limits.sessions_per_key + limits::ended_sessions_per_key) * SlotTable::session_footprint);
  limits.pending_size = std::max(std::size_t{1} << 20, 2 * record_size_max(limits));
  limits.read_size = 128 * 1024;
  limits.snapshot_chunk_size = options.journal->snapshot_chunk_size;
  if (options.journal->snapshot_after != 0) limits.snapshot_after = options.journal->snapshot_after;
  limits.audit_ring_size = std::max(options.audit_ring_size, 2 * (limits.reserve_size + limits::audit_record_size_max));
  config.journal.durability = options.durability;
  config.journal.flush_interval = options.flush_interval;
  config.journal.node = node.identity()->public_key();
  config.journal.direct = options.journal->direct;
  config.journal.marks = &node.ground().marks;
  config.disk.request_time = options.journal->request_time;
  config.disk.flush_time = options.flush_delay;
  config.disk.forgets = !options.journal->direct;
  return config;
}

ServerLimits limits_with_marks(ServerLimits limits, Marks& marks) {
  limits.marks = &marks;
  return limits;
}

Policy policy_of(const PolicySource& source) {
  auto policy = Policy::create(source);
  STATEFS_CHECK(policy.ok());  // a world's own policy is no input of a peer
  return std::move(policy).value();
}

class TraceSink final : public AuditSink {
 public:
  TraceSink(Trace& trace, NodeId node) : trace_(trace), node_(node) {}
  bool take(std::uint64_t index, ByteView encoded, const Digest&) override {
    trace_.add(node_, TraceKind::audit, index, encoded);
    return true;
  }

 private:
  Trace& trace_;
  NodeId node_;
};

}  // namespace

SecretKey ServerProgram::mac_key_of(RandomSource& random, NodeId id) {
  RandomStream stream = random.stream("mac/" + std::to_string(id));
  return Node::secret_from(stream);
}

ServerProgram::ServerProgram(Node& node, const ServerProgramOptions& options)
    : Program(node),
      options_(options),
      store_(make_store()),
      connection_watch_(options.limits) {
  if (store_->ready()) make_server();
  node.ground().network.listen(node.id(), this);
  request_wake();
}

ServerProgram::~ServerProgram() { node().ground().network.listen(node().id(), nullptr); }

std::unique_ptr<MachineStore> ServerProgram::make_store() {
  const Node::Ground& ground = node().ground();
  if (!options_.journal) {
    return std::make_unique<Statefs>(ground.trace, node().id(), store_config(node(), options_), node().now(), options_.crashable);
  }
  const JournalStore::Ground own{ground.trace, ground.schedule, ground.random};
  DiskOwner& owner = *this;
  auto store = std::make_unique<JournalStore>(own, node().id(), journal_config(node(), options_), owner, node().now());
  journal_ = store.get();
  return store;
}

void ServerProgram::disk_failed(DiskRequest::Kind kind) {
  constexpr FaultKind kinds[] = {FaultKind::disk_read_error, FaultKind::disk_write_error, FaultKind::disk_flush_error};
  node().ground().network.counts().add(kinds[static_cast<std::size_t>(kind)]);
}

void ServerProgram::disk_misdirected() { node().ground().network.counts().add(FaultKind::disk_misdirected); }

void ServerProgram::make_server() {
  const Node::Ground& ground = node().ground();
  server_.emplace(ground.suite, ServerKeys{node().identity(), mac_key_of(ground.random, node().id())}, policy_of(options_.policy), *store_,
                  limits_with_marks(options_.limits, ground.marks));
}

void ServerProgram::crash(std::int64_t amount, bool silent) {
  if (!up()) return;
  Program::crash(silent);
  server_.reset();
  connections_.clear();
  connection_watch_.crashed();
  rest_watch_.crashed();
  ends_.clear();
  local_.clear();
  store_->crash(amount);
}

void ServerProgram::started() {
  store_->reopen(node().now());
  if (store_->ready()) make_server();
}

void ServerProgram::reload(const PolicySource& policy, std::uint64_t number) {
  options_.policy = policy;
  node().ground().trace.add(node().id(), TraceKind::policy, number);  // a server that is down starts with it
  if (!serves()) return;
  server_->reload(policy_of(policy), node().now());
  request_wake();
}

void ServerProgram::stall_export(bool stalled) {
  export_stalled_ = stalled;
  if (up()) request_wake();
}

Time ServerProgram::deadline() const {
  if (serves()) return server_->deadline();
  return up() ? store_->deadline() : never;
}

void ServerProgram::work(const std::vector<StreamEnd>& ready, Now now) {
  if (!serves()) {
    store_->advance(now);
    if (!store_->ready()) return;
    if (store_->lost_count() > 0) node().ground().network.counts().add(FaultKind::store_loss);
    make_server();
    return request_wake();
  }
  for (const StreamEnd end : ready) serve(end, now);
  server_->advance(now);
  raise(load_.waiting_size, load_.at.waiting_size, server_->waiting_size(), node().ground().trace.here());
  // A copy, because releasing a connection may not disturb the walk.
  const std::vector<ConnectionId> touched(server_->touched().begin(), server_->touched().end());
  for (const ConnectionId connection : touched) watch_output(connection);
  for (const ConnectionId connection : touched) watch_rest(connection);
  for (const ConnectionId connection : touched) {
    const auto at = ends_.find(connection);
    if (at != ends_.end()) write_output(at->second, connection, now);
  }
  connection_watch_.look(now, [this](StreamEnd end) { return server_->wants_input(connections_.at(end)); });
  watch_limits();
  export_audit();
}

std::optional<ConnectionId> ServerProgram::admit(StreamEnd end, Now now) {
  const NodeId peer = stream(end).node(other(end.side));
  if (!options_.locals.contains(peer)) {
    const auto accepted = server_->accept(node().fresh_key(), now);
    if (!accepted.ok()) {
      connection_watch_.turned_away();
      return std::nullopt;
    }
    connection_watch_.accepted(end, now);
    return accepted.value();
  }
  const std::size_t number = options_.plain_watch == nullptr ? 0 : options_.plain_watch->arrived(node().id(), uid_of(peer));
  const auto accepted = server_->accept_local(uid_of(peer), now);
  if (!accepted.ok()) return std::nullopt;
  local_[accepted.value()] = {number, 0};
  return accepted.value();
}

// What a local connection has to say more than before.
void ServerProgram::watch_output(ConnectionId connection) {
  const auto found = local_.find(connection);
  if (found == local_.end() || options_.plain_watch == nullptr) return;
  const ByteView output = server_->output(connection);
  if (output.size() > found->second.waiting) options_.plain_watch->said(found->second.number, output.subspan(found->second.waiting));
  found->second.waiting = output.size();
}

void ServerProgram::watch_rest(ConnectionId connection) {
  const auto at = ends_.find(connection);
  if (at == ends_.end()) return;
  const Node::Ground& ground = node().ground();
  const NodeId peer = stream(at->second).node(other(at->second.side));
  const SeenRest now{ground.trace.here(), node().id(), peer, ground.schedule.now(), {}, server_->pressed(connection)};
  rest_watch_.look(at->second, now, server_->wants_input(connection), server_->output(connection).size(), options_.limits.output_size_max);
}

std::size_t ServerProgram::most_buffered() const {
  std::size_t most = 0;
  for (const auto& [connection, end] : ends_) most = std::max(most, server_->buffered_size(connection));
  return most;
}

void ServerProgram::watch_limits() {
  const Place here = node().ground().trace.here();
  count_to(load_.one_too_many, load_.at.one_too_many, connection_watch_.one_too_many(), here);
  count_to(load_.one_too_few, load_.at.one_too_few, connection_watch_.one_too_few(), here);
  count_to(load_.overdue, load_.at.overdue, connection_watch_.overdue(), here);
  load_.timed_out = connection_watch_.timed_out();
}

void ServerProgram::serve(StreamEnd end, Now now) {
  auto known = connections_.find(end);
  if (known == connections_.end()) {
    const auto admitted = admit(end, now);
    if (!admitted) return close(end);
    known = connections_.emplace(end, *admitted).first;
    ends_.emplace(*admitted, end);
  }
  const ConnectionId connection = known->second;
  Stream& from = stream(end);
  if (server_->wants_input(connection)) {
    // What was below the bound may be above it once it is sealed.
    const std::size_t full = options_.limits.output_size_max;
    const std::size_t seals = (full / limits::record_plaintext_size_max + 1) * (limits::record_length_size + limits::aead_tag_size);
    const bool is_full = server_->output(connection).size() >= full + seals;
    if (is_full) count_to(load_.reads_when_full, load_.at.reads_when_full, load_.reads_when_full + 1, node().ground().trace.here());
    const ByteView bytes = from.read(end.side, std::min(options_.read_size, server_->read_size(connection)));
    const auto local = local_.find(connection);
    if (!bytes.empty() && local == local_.end()) connection_watch_.received(end, bytes.size(), now);
    if (!bytes.empty() && local != local_.end() && options_.plain_watch != nullptr) options_.plain_watch->heard(local->second.number, bytes);
    if (!bytes.empty()) server_->receive(connection, bytes, now);
  }
  if (from.at_end(end.side) || from.broken(end.side)) {
    connection_watch_.ended_by_peer(end);
    return server_->ended(connection, now);
  }
  write_output(end, connection, now);
}

void ServerProgram::write_output(StreamEnd end, ConnectionId connection, Now now) {
  Stream& to = stream(end);
  raise(load_.output_size, load_.at.output_size, server_->output(connection).size(), node().ground().trace.here());
  for (ByteView output = server_->output(connection); !output.empty(); output = server_->output(connection)) {
    if (to.write_broken(end.side)) {
      connection_watch_.ended_by_peer(end);
      server_->ended(connection, now);
      request_wake();
      break;
    }
    const std::size_t count = to.write(end.side, output);
    if (count == 0) break;
    wrote();
    server_->output_taken(connection, count, now);
    rest_watch_.sent(end, count);
    const auto local = local_.find(connection);
    if (local == local_.end()) connection_watch_.sent(end, count);
    else local->second.waiting -= std::min(count, local->second.waiting);
  }
  if (server_->finished(connection)) {
    server_->released(connection);
    local_.erase(connection);
    ends_.erase(connection);
    connections_.erase(end);
    connection_watch_.ended(end, now);
    rest_watch_.ended(end, node().ground().schedule.now());
    return close(end);
  }
  if (server_->wants_input(connection) && to.unread_size(end.side) > 0) stream_ready(end);
}

void ServerProgram::export_audit() {
  if (export_stalled_) return;
  TraceSink sink(node().ground().trace, node().id());
  store_->export_audit(sink, limits::audit_records_per_export);
}

}  // namespace statefs::sim
