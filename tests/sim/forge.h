// FORGE: a trace written by hand, true unless a test twists it, so that each check can be shown what it must object to.
//
// Node 0 is the server; nodes 1 and 2 are its clients, each with a session that the first steps open, always on slot 0.
// Every step writes what a true world would; `twist` changes the next record before it is encoded.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/checkers.h"

namespace statefs::sim {

class Forge {
 public:
  Forge();

  // A call, without its answer. Keys are below /state/shared/ unless they begin with a slash.
  CallId put(NodeId node, const std::string& key, const std::string& value, std::optional<std::uint64_t> condition = {});
  CallId del(NodeId node, const std::string& key, std::optional<std::uint64_t> condition = {});
  CallId get(NodeId node, const std::string& key);
  CallId list(NodeId node, const std::string& prefix, std::uint16_t limit = 0);
  CallId sync(NodeId node);
  // Its record, appended and answered or not. Returns the index.
  std::uint64_t take_put(NodeId node, const std::string& key, const std::string& value, Status status = Status::ok);
  std::uint64_t take_del(NodeId node, const std::string& key, Status status = Status::ok);
  std::uint64_t take_open(NodeId node);
  std::uint64_t take_event(NodeId node, AuditKind kind, Op op);
  std::uint64_t take_count(NodeId node, AuditKind kind, Op op, Status status);
  // As take_put() and take_del() would, with another effect.
  std::uint64_t take(AuditRecord record, Effect::Kind effect, const std::string& key, const std::string& value);
  AuditRecord mutation(NodeId node, Op op, const std::string& key, const std::string& value, Status status);

  void answer(NodeId node, CallId call, Op op, Status status, const ResponseBody& body);
  void answer_mutation(NodeId node, CallId call, Op op, std::uint64_t index, Status status = Status::ok);
  void answer_get(NodeId node, CallId call, Status status, std::uint64_t revision, const std::string& value);
  void answer_list(NodeId node, CallId call, const std::vector<std::pair<std::string, std::uint64_t>>& entries, bool has_more = false);
  void answer_sync(NodeId node, CallId call, Status status = Status::ok);
  void complete(NodeId node, CallId call, CallResult result);
  // The whole of a call that goes well.
  std::uint64_t did_put(NodeId node, const std::string& key, const std::string& value);
  std::uint64_t did_del(NodeId node, const std::string& key);

  // What passed between a peer and the server. A peer that arrives has said HELLO and was answered.
  void arrive(NodeId node);
  std::size_t ask(NodeId node, const RequestBody& body);
  void reply(std::size_t asked, Status status, const ResponseBody& body);
  std::size_t ask_put(NodeId node, const std::string& key, const std::string& value, const SlotRef& at);
  void reply_put(std::size_t asked, std::uint64_t index, Status status = Status::ok, bool replayed = false);
  // A PUT that goes well, in its session's next sequence; returns its place there.
  SlotRef asked_put(NodeId node, const std::string& key, const std::string& value);
  [[nodiscard]] SlotRef next_slot(NodeId node) { return mutation(node, Op::put, "", "", Status::ok).at; }

  void pass(Duration time) { schedule_.pass_to(schedule_.now() + time); }
  // The server does not read that peer for a second, though it had room for its answers.
  void rest(NodeId node) { rests.push_back({here(), 0, node, schedule_.now(), schedule_.now() + seconds(1)}); }
  void flush();                         // all that was appended is durable
  void crash(std::uint64_t kept_index); // the server, and it is up again in the next epoch
  void roll_back(std::uint64_t kept_index);  // the same, and its disk lost what was durable
  void crash_client(NodeId node) { add(node, TraceKind::node_down, lives_[node]); }
  void restart_client(NodeId node);     // in a new session
  void lost_write(NodeId node, CallId call, std::uint64_t index, bool certain = true);
  void export_all();                    // that is durable
  void leave_out() { kept_.back().exported = true; }
  void policy(std::uint64_t number) {
    policy_ = number;
    add(0, TraceKind::policy, number);
  }
  void tampered(NodeId receiver, std::uint64_t stream);
  void add(NodeId node, TraceKind kind, std::uint64_t argument, ByteView payload = {}) { trace_.add(node, kind, argument, payload); }

  std::function<void(AuditRecord&)> twist;         // the next record
  std::function<void(MutationResponse&)> retell;  // the next answer to a PUT or DELETE
  [[nodiscard]] std::uint64_t last() const { return next_index_ - 1; }
  [[nodiscard]] AuditHead head() const;            // of all that is alive
  [[nodiscard]] Place here() const { return trace_.here(); }

  [[nodiscard]] std::vector<CheckResult> judge() const { return check(history(), context); }
  [[nodiscard]] std::vector<std::string> objections() const;

  CheckContext context;
  std::vector<SeenArrival> arrivals;
  std::vector<SeenExchange> exchanges;
  std::vector<SeenLoad> loads;
  std::vector<SeenWait> waits;
  std::vector<SeenRest> rests;
  std::uint64_t streams_left = 0;

 private:
  struct Kept {
    std::uint64_t index = 0;
    Bytes encoded;
    bool exported = false;
    NodeId peer = no_node;                       // of a mutation
    std::map<std::string, std::uint64_t> state;  // revisions, after it
  };
  CallId call(NodeId node, const RequestBody& body);
  [[nodiscard]] History history() const;
  void begin_epoch();
  void stop(std::uint64_t kept_index, ByteView lost);
  [[nodiscard]] static std::string whole(const std::string& key) { return key[0] == '/' ? key : "/state/shared/" + key; }

  RandomSource random_{1};
  Schedule schedule_{random_};
  Trace trace_{schedule_};
  HmacSha256 mac_{SecretKey{}};
  std::vector<Kept> kept_;
  std::map<NodeId, std::uint64_t> sessions_;
  std::map<NodeId, CallId> calls_;
  std::map<NodeId, std::uint64_t> lives_;  // how often it was restarted
  std::uint64_t epoch_ = 1;
  std::uint64_t policy_ = 0;
  std::vector<std::string> aliases_;  // by node
  std::uint64_t next_index_ = 0;
  std::uint64_t durable_ = 0;
  std::deque<Bytes> said_;  // exchanges point into it
};

}  // namespace statefs::sim
