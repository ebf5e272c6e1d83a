#include <algorithm>
#include <map>

#include "sim/checks.h"

namespace statefs::sim {
namespace {

// What a client was told is durable is there, or the client says that it is not before it is answered anything else; and it says so
// only where it is so. What it was told counts from completions: HELLO may have told it more.
class Rollbacks {
 public:
  explicit Rollbacks(const Case& of) : of_(of) {}

  CheckResult judge() {
    for (const SeenEvent& event : of_.history().events) {
      if (event.kind == TraceKind::store_lost && event.node == of_.server()) losses_.push_back(&event);
      if (event.kind == TraceKind::rolled_back) take_report(event);
    }
    result_.judged += losses_.size();  // nobody reports one that is none
    for (const SeenEvent* const loss : losses_) {
      if (of_.is_rollback(loss->at)) judge_loss(*loss);
    }
    judge_resumptions();
    return result_;
  }

 private:
  using Client = std::pair<NodeId, std::uint64_t>;  // node and incarnation

  void take_report(const SeenEvent& event);
  void judge_loss(const SeenEvent& loss);
  void judge_resumptions();

  const Case& of_;
  std::vector<const SeenEvent*> losses_;       // so far
  std::map<Client, std::vector<Place>> reports_;
  CheckResult result_{"rollback", 0, {}};
};

void Rollbacks::take_report(const SeenEvent& event) {
  ++result_.judged;
  Reader reader(event.payload);
  std::vector<Place>& reports = reports_[{event.node, reader.u64()}];
  const Place before = reports.empty() ? 0 : reports.back();
  reports.push_back(event.at);
  // Once told, it goes on from what the store has.
  const bool is_true = std::any_of(losses_.begin(), losses_.end(), [&](const SeenEvent* loss) {
    return of_.is_rollback(loss->at) && loss->argument < event.argument && loss->at > before;
  });
  if (!is_true) {
    result_.fail("node " + std::to_string(event.node) + " at entry " + std::to_string(event.at) + ": reports a rollback behind " +
                 std::to_string(event.argument) + ", and nothing was rolled back");
  }
}

void Rollbacks::judge_loss(const SeenEvent& loss) {
  std::map<Client, std::uint64_t> told;
  std::map<Client, const SeenCall*> first;  // that was called after it and answered
  for (const SeenCall& call : of_.history().calls) {
    // Who speaks the protocol without the library compares no heads.
    if (!call.answered() || !of_.context().clients.contains(call.node)) continue;
    const Client client{call.node, call.id >> 40};
    if (call.completed < loss.at) told[client] = std::max({told[client], call.head.index, call.durable_index});
    if (call.called < loss.at) continue;
    const SeenCall*& earliest = first[client];
    if (earliest == nullptr || call.completed < earliest->completed) earliest = &call;
  }
  for (const auto& [client, call] : first) {
    if (told[client] <= loss.argument) continue;
    ++result_.judged;
    const std::vector<Place>& reports = reports_[client];
    const Place answered = call->completed;
    const bool reported = std::any_of(reports.begin(), reports.end(), [&](Place at) { return at > loss.at && at < answered; });
    if (!reported) {
      result_.fail(place_of(*call) + ": answered, and not a word that what was durable up to " + std::to_string(told[client]) + " is gone behind " +
                   std::to_string(loss.argument));
    }
  }
}

// A session of before is left behind.
void Rollbacks::judge_resumptions() {
  std::map<std::pair<NodeId, SessionInstance>, Place> opened;
  for (const SeenExchange& each : of_.history().exchanges) {
    if (each.form != SeenExchange::Form::request) continue;
    if (const auto* open = std::get_if<OpenRequest>(&each.request.body)) opened.try_emplace({each.peer, open->instance}, each.asked);
    const auto* const resume = std::get_if<ResumeRequest>(&each.request.body);
    if (resume == nullptr) continue;
    const auto known = opened.find({each.peer, resume->instance});
    if (known == opened.end()) continue;
    for (const auto& [client, places] : reports_) {
      if (client.first != each.peer) continue;
      const auto is_between = [&](Place at) { return at > known->second && at <= each.asked; };
      if (std::none_of(places.begin(), places.end(), is_between)) continue;
      result_.fail("node " + std::to_string(each.peer) + " behind entry " + std::to_string(each.asked) + ": resumes a session of before a rollback");
    }
  }
}

}  // namespace

CheckResult check_rollback(const Case& of) { return Rollbacks(of).judge(); }

}  // namespace statefs::sim
