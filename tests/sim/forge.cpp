#include "tests/sim/forge.h"

#include <utility>

namespace statefs::sim {

Forge::Forge() {
  for (std::uint8_t node = 0; node < 4; ++node) {
    PublicKey key;
    key.bytes[0] = static_cast<std::uint8_t>(node + 1);
    context.keys.push_back(key);
    aliases_.push_back(alias_of({node, false}));
  }
  context.servers[0] = {};
  context.server_of = {{1, 0}, {2, 0}};
  context.clients = {1, 2};
  context.policies = {PolicyPlan{}};
  begin_epoch();
  for (const NodeId node : {1u, 2u}) take_open(node);
  flush();
}

CallId Forge::call(NodeId node, const RequestBody& body) {
  const CallId id = trace_call_id(lives_[node], ++calls_[node]);
  Bytes frame;
  encode_request({id, body}, frame);
  add(node, TraceKind::call, id, frame);
  return id;
}

CallId Forge::put(NodeId node, const std::string& key, const std::string& value, std::optional<std::uint64_t> condition) {
  const std::string name = whole(key);
  return call(node, PutRequest{{}, condition, as_bytes(name), static_cast<std::uint32_t>(value.size()), as_bytes(value), {}});
}
CallId Forge::del(NodeId node, const std::string& key, std::optional<std::uint64_t> condition) {
  const std::string name = whole(key);
  return call(node, DeleteRequest{{}, condition, as_bytes(name)});
}
CallId Forge::get(NodeId node, const std::string& key) {
  const std::string name = whole(key);
  return call(node, GetRequest{{}, 0, 1'000, as_bytes(name)});
}
CallId Forge::list(NodeId node, const std::string& prefix, std::uint16_t limit) {
  return call(node, ListRequest{limit, as_bytes(prefix), {}});
}
CallId Forge::sync(NodeId node) { return call(node, SyncRequest{epoch_}); }

AuditRecord Forge::mutation(NodeId node, Op op, const std::string& key, const std::string& value, Status status) {
  AuditRecord record;
  record.op = static_cast<std::uint8_t>(op);
  record.status = status;
  record.peer = {PeerKind::remote, context.keys[node], 0, aliases_[node]};
  record.allowed = status != Status::access_denied && status != Status::invalid_key && status != Status::key_too_long;
  const PolicyPlan& policy = context.policies.at(policy_);
  const bool is_good = shadow_key_check(key, false) == Status::ok;
  const bool is_write = status != Status::access_denied || shadow_verdict(policy, {node, false}, op, key) != Status::ok;
  if (is_good) record.rule = shadow_rule(policy, {node, false}, is_write ? op : Op::get, key);
  record.at = {sessions_[node], 1, 1, 0};
  for (const Kept& each : kept_) record.at.sequence += each.peer == node ? 1 : 0;
  record.key = key;
  record.key_size = static_cast<std::uint32_t>(key.size());
  record.value_size = static_cast<std::uint32_t>(value.size());
  if (op == Op::put) record.value_mac = mac_.of(as_bytes(value));
  return record;
}

std::uint64_t Forge::take(AuditRecord record, Effect::Kind effect, const std::string& key, const std::string& value) {
  std::map<std::string, std::uint64_t> state = kept_.empty() ? decltype(kept_.back().state){} : kept_.back().state;
  const bool is_mutation = record.kind == AuditKind::mutation;
  if (is_mutation) record.old_revision = record.new_revision = state.contains(key) ? state[key] : 0;
  if (effect == Effect::Kind::put) record.new_revision = state[key] = next_index_;
  if (effect == Effect::Kind::erase) record.new_revision = 0, state.erase(key);
  record.index = next_index_++;
  record.epoch = epoch_;
  record.node = context.keys[0];
  record.policy[0] = static_cast<std::uint8_t>(policy_);
  record.previous = head().hash;
  if (twist) std::exchange(twist, nullptr)(record);
  Kept& kept = kept_.emplace_back(Kept{record.index, {}, false, is_mutation ? static_cast<NodeId>(record.peer.key.bytes[0] - 1) : no_node, state});
  encode_audit(record, kept.encoded);
  if (record.kind == AuditKind::epoch) return record.index;
  Bytes payload;
  Writer writer(payload);
  writer.u8(static_cast<std::uint8_t>(effect));
  const std::string effect_key = effect == Effect::Kind::none ? "" : key;
  writer.u16(static_cast<std::uint16_t>(effect_key.size()));
  writer.bytes(as_bytes(effect_key));
  writer.u32(static_cast<std::uint32_t>(kept.encoded.size()));
  writer.bytes(kept.encoded);
  if (effect == Effect::Kind::put) writer.bytes(as_bytes(value));
  add(0, TraceKind::appended, kept.index, payload);
  return kept.index;
}

std::uint64_t Forge::take_put(NodeId node, const std::string& key, const std::string& value, Status status) {
  const std::string name = whole(key);
  return take(mutation(node, Op::put, name, value, status), status == Status::ok ? Effect::Kind::put : Effect::Kind::none, name, value);
}

std::uint64_t Forge::take_del(NodeId node, const std::string& key, Status status) {
  const std::string name = whole(key);
  return take(mutation(node, Op::del, name, "", status), status == Status::ok ? Effect::Kind::erase : Effect::Kind::none, name, "");
}

std::uint64_t Forge::take_open(NodeId node) {
  sessions_[node] = next_index_;
  return take_event(node, AuditKind::session, Op::open);
}

void Forge::restart_client(NodeId node) {
  calls_[node] = 0;
  add(node, TraceKind::node_up, ++lives_[node]);
  take_open(node);
  flush();
}

std::uint64_t Forge::take_event(NodeId node, AuditKind kind, Op op) {
  AuditRecord record = mutation(node, op, "", "", Status::ok);
  record.kind = kind;
  record.at.sequence = 0;
  return take(record, Effect::Kind::none, "", "");
}

std::uint64_t Forge::take_count(NodeId node, AuditKind kind, Op op, Status status) {
  AuditRecord record = mutation(node, op, "", "", status);
  record.kind = kind;
  record.at = {};
  return take(record, Effect::Kind::none, "", "");
}

void Forge::answer(NodeId node, CallId call, Op op, Status status, const ResponseBody& body) {
  Bytes frame{static_cast<std::uint8_t>(CallResult::answered)};
  encode_response({call, static_cast<std::uint8_t>(op), status, body}, frame);
  add(node, TraceKind::completion, call, frame);
}

void Forge::answer_mutation(NodeId node, CallId call, Op op, std::uint64_t index, Status status) {
  MutationResponse body;
  body.index = index;
  if (op == Op::put && status == Status::ok) body.revision = index;
  if (retell) std::exchange(retell, nullptr)(body);
  answer(node, call, op, status, body);
}

void Forge::answer_get(NodeId node, CallId call, Status status, std::uint64_t revision, const std::string& value) {
  answer(node, call, Op::get, status, GetResponse{revision, value.size(), 0, as_bytes(value)});
}

void Forge::answer_list(NodeId node, CallId call, const std::vector<std::pair<std::string, std::uint64_t>>& entries, bool has_more) {
  ListResponse body{has_more, 0, {}};
  // Values in these lists have three bytes.
  for (const auto& [key, revision] : entries) body.entries.push_back({revision, 3, as_bytes(key)});
  answer(node, call, Op::list, Status::ok, body);
}

void Forge::answer_sync(NodeId node, CallId call, Status status) { answer(node, call, Op::sync, status, SyncResponse{epoch_, durable_, 0, {}}); }

void Forge::complete(NodeId node, CallId call, CallResult result) {
  const auto byte = static_cast<std::uint8_t>(result);
  add(node, TraceKind::completion, call, {&byte, 1});
}

std::uint64_t Forge::did_put(NodeId node, const std::string& key, const std::string& value) {
  const CallId id = put(node, key, value);
  const std::uint64_t index = take_put(node, key, value);
  answer_mutation(node, id, Op::put, index);
  return index;
}

std::uint64_t Forge::did_del(NodeId node, const std::string& key) {
  const CallId id = del(node, key);
  const std::uint64_t index = take_del(node, key);
  answer_mutation(node, id, Op::del, index);
  return index;
}

void Forge::arrive(NodeId node) {
  SeenArrival arrival;
  arrival.at = here();
  arrival.peer = node;
  arrival.connection = static_cast<std::uint32_t>(arrivals.size());
  arrival.is_heard = true;
  arrival.last_said = here();
  arrivals.push_back(arrival);
  HelloRequest hello;
  hello.version = 1;
  HelloResponse answer;
  answer.epoch = epoch_;
  answer.slots_per_session = limits::slots_per_session;
  answer.sessions_per_key = limits::sessions_per_key;
  answer.total_value_size_max = limits::total_value_size_default;
  answer.features = feature_sessions | feature_staging;
  answer.durable_index = answer.head.index = durable_;
  answer.head.hash = head().hash;
  answer.last_index = last();
  reply(ask(node, hello), Status::ok, answer);
}

std::size_t Forge::ask(NodeId node, const RequestBody& body) {
  SeenExchange& exchange = exchanges.emplace_back();
  for (const SeenArrival& each : arrivals) exchange.connection = each.peer == node ? each.connection : exchange.connection;
  exchange.peer = node;
  exchange.asked = here();
  exchange.asked_time = schedule_.now();
  exchange.form = SeenExchange::Form::request;
  exchange.id = exchanges.size();
  exchange.op = static_cast<std::uint8_t>(op_of(body));
  Bytes& frame = said_.emplace_back();
  encode_request({exchange.id, body}, frame);
  exchange.request = decode_request(load_frame_header(frame), ByteView(frame).subspan(limits::frame_header_size)).value();
  return exchanges.size() - 1;
}

void Forge::reply(std::size_t asked, Status status, const ResponseBody& body) {
  SeenExchange& exchange = exchanges[asked];
  exchange.answered = here();
  exchange.answered_time = schedule_.now();
  exchange.is_readable = true;
  Bytes& frame = said_.emplace_back();
  encode_response({exchange.id, exchange.op, status, body}, frame);
  exchange.answer = decode_response(load_frame_header(frame), ByteView(frame).subspan(limits::frame_header_size)).value();
}

std::size_t Forge::ask_put(NodeId node, const std::string& key, const std::string& value, const SlotRef& at) {
  const std::string name = whole(key);
  return ask(node, PutRequest{at, {}, as_bytes(name), static_cast<std::uint32_t>(value.size()), as_bytes(value), {}});
}

void Forge::reply_put(std::size_t asked, std::uint64_t index, Status status, bool replayed) {
  MutationResponse body;
  body.index = index;
  body.revision = status == Status::ok ? index : 0;
  body.replayed = replayed;
  if (retell) std::exchange(retell, nullptr)(body);
  reply(asked, status, body);
}

SlotRef Forge::asked_put(NodeId node, const std::string& key, const std::string& value) {
  const SlotRef at = next_slot(node);
  const CallId id = put(node, key, value);
  const std::size_t asked = ask_put(node, key, value, at);
  const std::uint64_t index = take_put(node, key, value);
  reply_put(asked, index);
  answer_mutation(node, id, Op::put, index);
  return at;
}

History Forge::history() const {
  History history = history_of(trace_);
  history.arrivals = arrivals;
  history.exchanges = exchanges;
  history.waits = waits;
  history.rests = rests;
  history.loads = loads;
  history.streams_left = streams_left;
  return history;
}

void Forge::flush() {
  durable_ = last();
  add(0, TraceKind::durable, durable_);
}

void Forge::begin_epoch() {
  next_index_ = epoch_ << 40;
  AuditRecord record;
  record.kind = AuditKind::epoch;
  record.allowed = true;
  take(record, Effect::Kind::none, "", "");
  flush();
}

void Forge::crash(std::uint64_t kept_index) { stop(kept_index, {}); }

void Forge::roll_back(std::uint64_t kept_index) { stop(kept_index, Bytes{1}); }

void Forge::stop(std::uint64_t kept_index, ByteView lost) {
  add(0, TraceKind::node_down, epoch_ - 1);
  while (kept_.back().index > kept_index) kept_.pop_back();
  add(0, TraceKind::store_lost, kept_index, lost);
  add(0, TraceKind::node_up, epoch_);
  ++epoch_;
  begin_epoch();
}

void Forge::lost_write(NodeId node, CallId call, std::uint64_t index, bool certain) {
  Bytes payload;
  Writer writer(payload);
  writer.u64(index);
  writer.u8(certain ? 1 : 0);
  add(node, TraceKind::lost_write, call, payload);
}

void Forge::export_all() {
  for (Kept& each : kept_) {
    if (!each.exported && each.index <= durable_) add(0, TraceKind::audit, each.index, each.encoded);
    each.exported = each.exported || each.index <= durable_;
  }
}

void Forge::tampered(NodeId receiver, std::uint64_t stream) {
  const std::uint8_t payload[10] = {};
  add(receiver, TraceKind::tampered, stream, payload);
}

AuditHead Forge::head() const {
  if (kept_.empty()) return {};
  return {kept_.back().index, Sha256().of(kept_.back().encoded)};
}

std::vector<std::string> Forge::objections() const {
  std::vector<std::string> names;
  for (const CheckResult& each : judge()) {
    if (!each.failure.empty()) names.emplace_back(each.name);
  }
  return names;
}

}  // namespace statefs::sim
