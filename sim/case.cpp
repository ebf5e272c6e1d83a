#include "sim/case.h"

#include <algorithm>

#include "core/check.h"

namespace statefs::sim {

Case::Case(const History& history, const CheckContext& context, NodeId server)
    : history_(history), context_(context), server_(server), mine_(context.servers.at(server)) {
  for (NodeId node = 0; node < context.keys.size(); ++node) nodes_.emplace(context.keys[node], node);
  STATEFS_CHECK(!context.policies.empty());
  policies_.push_back({0, &context.policies[0]});
  for (const SeenEvent& event : history.events) take_event(event);
  take_opened();
  HmacSha256 mac(mine_.mac_key);
  for (const SeenCall& call : history.calls) macs_.push_back(call.op == Op::put ? mac.of(call.value) : Digest{});
  for (std::size_t i = 0; i < history.appends.size(); ++i) by_index_.emplace(history.appends[i].index, i);
  call_of_.assign(history.appends.size(), no_place);
  certain_.assign(history.appends.size(), false);
  appends_of_.resize(history.calls.size());
  match_answered();
  match_rest();
}

void Case::take_event(const SeenEvent& event) {
  if (event.kind == TraceKind::node_up) ups_[event.node].push_back({event.at, event.argument});
  if (event.node != server_) return;
  if (event.kind == TraceKind::store_lost && !event.payload.empty()) rollbacks_.insert(event.at);
  if (event.kind != TraceKind::policy) return;
  STATEFS_CHECK(event.argument < context_.policies.size());
  policies_.push_back({event.at, &context_.policies[event.argument]});
}

void Case::take_opened() {
  for (const SeenAppend& append : history_.appends) {
    const bool is_open = append.record.kind == AuditKind::session && append.record.op == static_cast<std::uint8_t>(Op::open);
    if (is_open) opened_[{node_of(append.record.peer), append.record.at.session}].push_back(append.at);
  }
}

bool Case::reported_rollback(NodeId node, Place from, Place to) const {
  return std::any_of(history_.events.begin(), history_.events.end(), [&](const SeenEvent& event) {
    return event.kind == TraceKind::rolled_back && event.node == node && event.at > from && event.at < to;
  });
}

NodeId Case::node_of(const PeerRef& peer) const {
  if (peer.kind == PeerKind::local) {
    const NodeId node = node_of_uid(peer.uid);
    return context_.locals.contains(node) ? node : no_node;
  }
  const auto found = nodes_.find(peer.key);
  return found == nodes_.end() ? no_node : found->second;
}

bool Case::watched(NodeId peer) const {
  const auto server = context_.server_of.find(peer);
  return server != context_.server_of.end() && server->second == server_;
}

const SeenAppend* Case::append_of_index(std::uint64_t index) const {
  const auto found = by_index_.find(index);
  return found == by_index_.end() ? nullptr : &history_.appends[found->second];
}

const SeenCall* Case::call_of(const SeenAppend& append) const {
  const std::size_t number = call_of_[number_of(append)];
  return number == no_place ? nullptr : &history_.calls[number];
}

const PolicyPlan& Case::policy_at(Place place) const {
  const auto after = std::upper_bound(policies_.begin() + 1, policies_.end(), place, [](Place p, const auto& each) { return p < each.first; });
  return *(after - 1)->second;
}

void Case::match(const SeenAppend& append, const SeenCall& call, bool certain) {
  call_of_[number_of(append)] = number_of(call);
  certain_[number_of(append)] = certain;
  appends_of_[number_of(call)].push_back(&append);
}

void Case::match_answered() {
  for (const SeenCall& call : history_.calls) {
    if (!call.is_mutation() || !call.answered() || call.index == 0) continue;
    const SeenAppend* const append = append_of_index(call.index);
    if (append != nullptr && append->is_mutation() && call_of(*append) == nullptr) match(*append, call, true);
  }
}

// Whether the record's session was opened while that incarnation of its client was up.
bool Case::is_same_life(const SeenAppend& append, const SeenCall& call) const {
  const auto sessions = opened_.find({node_of(append.record.peer), append.record.at.session});
  if (sessions == opened_.end()) return true;
  const auto opened = std::upper_bound(sessions->second.begin(), sessions->second.end(), append.at);
  if (opened == sessions->second.begin()) return true;
  const auto lives = ups_.find(call.node);
  if (lives == ups_.end()) return incarnation_of(call.id) == 0;
  const auto life = std::upper_bound(lives->second.begin(), lives->second.end(), *(opened - 1),
                                     [](Place place, const auto& each) { return place < each.first; });
  return incarnation_of(call.id) == (life == lives->second.begin() ? 0 : (life - 1)->second);
}

// Whether the record can be of a DELETE that has no record of its own by index.
bool Case::may_be(const SeenAppend& append, const SeenCall& call) const {
  if (call.called > append.at || !is_same_life(append, call)) return false;
  const auto runs = [&append](const SeenAppend* other) { return other->alive_at(append.at); };
  if (std::any_of(appends_of(call).begin(), appends_of(call).end(), runs)) return false;
  if (call.answered()) {
    const SeenAppend* const answered = call.index == 0 ? nullptr : append_of_index(call.index);
    return append.lost <= (answered == nullptr ? call.completed : answered->at);
  }
  return call.completed == no_place || call.result != CallResult::timed_out || append.lost <= call.completed;
}

void Case::match_rest() {
  std::map<Name, std::vector<std::size_t>> calls;
  for (std::size_t i = 0; i < history_.calls.size(); ++i) {
    const SeenCall& call = history_.calls[i];
    if (call.is_mutation()) calls[{call.node, call.op, std::string_view(call.key).substr(0, limits::key_size_max)}].push_back(i);
  }
  for (std::size_t i = 0; i < history_.appends.size(); ++i) {
    const SeenAppend& append = history_.appends[i];
    if (!append.is_mutation() || call_of_[i] != no_place) continue;
    const auto found = calls.find({node_of(append.record.peer), static_cast<Op>(append.record.op), append.record.key});
    if (found == calls.end()) continue;
    const bool is_put = append.record.op == static_cast<std::uint8_t>(Op::put);
    const SeenCall* best = nullptr;
    bool named = false, fitting = false;
    Place best_end = no_place;
    for (const std::size_t number : found->second) {
      const SeenCall& call = history_.calls[number];
      if (call.key.size() != append.record.key_size || call.value_size != append.record.value_size) continue;
      const bool names = is_put && call.value.size() == call.value_size && macs_[number] == append.record.value_mac;
      if (is_put && !names && call.value.size() == call.value_size) continue;
      const bool fits = may_be(append, call);
      const Place end = call.answered() ? call.completed : no_place;
      // A value names its call even where it cannot be; that is for a checker to say.
      if (!fits && (!names || best != nullptr)) continue;
      if (fitting && end >= best_end) continue;
      best = &call;
      named = names;
      fitting = fits;
      best_end = end;
    }
    if (best != nullptr) match(append, *best, named);
  }
}

}  // namespace statefs::sim
