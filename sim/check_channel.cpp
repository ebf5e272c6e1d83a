#include <map>
#include <set>

#include "sim/checks.h"

namespace statefs::sim {
namespace {

// A client sends whatever it is asked on the stream that it has, in order. So a call made after a byte of that stream was
// tampered with can only have arrived behind it, and its answer likewise, until the client has another stream. While a node has
// two streams (somebody hogs sessions with its key) it is not known which is the client's, and nothing is said of either; the
// ciphers are watched all the same (crypto_watch.h).
class Channels {
 public:
  explicit Channels(const Case& of) : of_(of) {}

  CheckResult judge() {
    for (const SeenEvent& event : of_.history().events) {
      if (event.kind == TraceKind::stream_opened) open(event);
      if (event.kind == TraceKind::tampered) take(event);
      if (event.kind == TraceKind::stream_closed) closed_.insert({event.node, event.argument});
      if (event.kind == TraceKind::node_down) open_of_.erase(event.node);
      if (event.kind == TraceKind::distrusted) judge_distrust(event);
    }
    for (const auto& [way, from] : tampered_) judge_span(way, from, of_.history().end);
    judge_failures();
    judge_refusals();
    for (const SeenArrival& each : of_.history().arrivals) judge_silence(each);
    return result_;
  }

 private:
  // One direction of the stream that a client has.
  struct Way {
    NodeId client = 0;
    bool towards_server = false;
    friend auto operator<=>(const Way&, const Way&) = default;
  };

  void open(const SeenEvent& event);
  void take(const SeenEvent& event);
  void judge_span(const Way& way, Place from, Place until);
  void judge_failures();
  void judge_distrust(const SeenEvent& event);
  void judge_refusals();
  void judge_silence(const SeenArrival& arrival);
  [[nodiscard]] Place last_written_tally() const;

  const Case& of_;
  std::map<std::uint64_t, NodeId> client_of_;        // streams
  std::map<NodeId, std::uint64_t> stream_of_;        // clients: the one that they have, where they have one
  std::map<NodeId, std::set<std::uint64_t>> open_of_;
  std::set<std::pair<NodeId, std::uint64_t>> closed_;
  std::map<Way, Place> tampered_;                    // where first
  std::set<std::uint64_t> touched_;                   // streams tampered with, either way
  std::map<NodeId, std::set<std::uint64_t>> marred_;  // streams tampered with towards the server, by client
  CheckResult result_{"channel", 0, {}};
};

void Channels::open(const SeenEvent& event) {
  for (const bool towards_server : {false, true}) {
    const auto found = tampered_.find({event.node, towards_server});
    if (found == tampered_.end()) continue;
    judge_span(found->first, found->second, event.at);
    tampered_.erase(found);
  }
  client_of_[event.argument] = event.node;
  std::set<std::uint64_t>& open = open_of_[event.node];
  std::erase_if(open, [&](std::uint64_t stream) { return closed_.contains({event.node, stream}); });
  open.insert(event.argument);
  if (open.size() == 1) stream_of_[event.node] = event.argument;
  else stream_of_.erase(event.node);
}

void Channels::take(const SeenEvent& event) {
  const auto client = client_of_.find(event.argument);
  if (client == client_of_.end()) return;
  ++result_.judged;
  touched_.insert(event.argument);
  const bool towards_server = event.node == of_.server();
  if (towards_server) marred_[client->second].insert(event.argument);
  const auto own = stream_of_.find(client->second);
  if (own != stream_of_.end() && own->second == event.argument) tampered_.try_emplace({client->second, towards_server}, event.at);
}

void Channels::judge_span(const Way& way, Place from, Place until) {
  if (!way.towards_server) {
    for (const SeenCall& call : of_.history().calls) {
      if (call.node != way.client || call.called < from || call.called > until || !call.answered()) continue;
      ++result_.judged;
      if (call.completed < until) result_.fail(place_of(call) + ": answered behind what was tampered with at entry " + std::to_string(from));
    }
    return;
  }
  for (const SeenAppend& append : of_.history().appends) {
    if (append.at < from || append.at > until || !append.is_mutation()) continue;
    const SeenCall* const call = of_.call_of(append);
    if (call == nullptr || call->node != way.client || !of_.is_certain(append)) continue;
    ++result_.judged;
    if (call->called > from) result_.fail(place_of(append) + ": taken from behind what was tampered with at entry " + std::to_string(from));
  }
}

// A client believes what its server says, as long as nobody changed it on the way.
void Channels::judge_distrust(const SeenEvent& event) {
  ++result_.judged;
  if (touched_.contains(event.argument)) return;
  result_.fail("node " + std::to_string(event.node) + " at entry " + std::to_string(event.at) + ": does not believe what nobody tampered with");
}

// Where the last mutation was recorded the log had room, and the next flush shows that its wake-up is over.
Place Channels::last_written_tally() const {
  Place flushed = 0;
  for (const SeenEvent& event : of_.history().events) {
    if (event.kind == TraceKind::durable && event.node == of_.server()) flushed = event.at;
  }
  for (auto append = of_.history().appends.rbegin(); append != of_.history().appends.rend(); ++append) {
    if (append->is_mutation() && append->at < flushed) return append->at;
  }
  return 0;
}

// Each record that did not authenticate is in a record with a count, unless a crash took the number with it.
void Channels::judge_refusals() {
  for (const SeenEvent& event : of_.history().events) {
    if (event.kind == TraceKind::node_down && event.node == of_.server()) return;
  }
  const Place written = last_written_tally();
  std::uint64_t refused = 0, recorded = 0;
  for (const SeenRefusal& refusal : of_.context().refusals) {
    if (refusal.node != of_.server() || refusal.is_handshake || refusal.at >= written) continue;
    ++refused;
  }
  for (const SeenAppend& append : of_.history().appends) {
    if (append.record.kind == AuditKind::damaged) recorded += append.record.count;
  }
  result_.judged += refused;
  if (recorded < refused) {
    result_.fail(std::to_string(refused) + " records did not authenticate, and " + std::to_string(recorded) + " are recorded as damage");
  }
}

// A connection ends with what did not authenticate: nothing more is said on it, whatever waits.
void Channels::judge_silence(const SeenArrival& arrival) {
  if (arrival.refused == no_place || arrival.last_said == no_place) return;
  ++result_.judged;
  if (arrival.last_said <= arrival.refused) return;
  result_.fail("node " + std::to_string(arrival.peer) + " at entry " + std::to_string(arrival.at) + ": is spoken to at entry " +
               std::to_string(arrival.last_said) + ", behind what did not authenticate at entry " + std::to_string(arrival.refused));
}

// What nobody tampered with is never taken for damage, on any stream.
void Channels::judge_failures() {
  result_.judged += client_of_.size();
  std::map<NodeId, std::uint64_t> damaged;
  std::uint64_t bad_handshakes = 0, marred_count = 0;
  for (const SeenAppend& append : of_.history().appends) {
    const AuditRecord& record = append.record;
    if (record.kind == AuditKind::damaged) damaged[of_.node_of(record.peer)] += record.count;
    const bool is_bad = record.kind == AuditKind::handshakes && record.op == static_cast<std::uint8_t>(HandshakeFailure::bad_message);
    if (is_bad) bad_handshakes += record.count;
  }
  for (const auto& [client, streams] : marred_) marred_count += streams.size();
  for (const auto& [client, count] : damaged) {
    if (of_.watched(client) && count > marred_[client].size()) {
      result_.fail("node " + std::to_string(client) + ": more damage recorded than was done");
    }
  }
  if (bad_handshakes > marred_count && !of_.context().handshakes_fail) result_.fail("handshakes failed that nobody tampered with");
}

}  // namespace

CheckResult check_channel(const Case& of) { return Channels(of).judge(); }

}  // namespace statefs::sim
