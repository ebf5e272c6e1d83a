#include "sim/checkers.h"

#include <algorithm>
#include <map>

#include "sim/script.h"
#include "sim/timeline.h"

namespace statefs::sim {
namespace {

// Which call each mutation record belongs to.
struct Matches {
  std::vector<std::size_t> call_of_record;  // by record; no_place: of no call, or no mutation
  CheckResult result{"recorded", 0, {}};
};

class Judge {
 public:
  Judge(const History& history, const CheckContext& context) : history_(history), context_(context), mac_(context.servers.begin()->second.mac_key) {}

  CheckResult completed() const;
  CheckResult chain() const;
  Matches recorded();
  CheckResult policy() const;

 private:
  [[nodiscard]] bool belongs(const SeenRecord& seen, const SeenCall& call) const;
  [[nodiscard]] std::string disagreement(const AuditRecord& record, const SeenCall& call);

  const History& history_;
  const CheckContext& context_;
  HmacSha256 mac_;
};

std::string place(const SeenCall& call) {
  return "node " + std::to_string(call.node) + " call " + std::to_string(call.id) + " " + printable(call.key) + " at entry " +
         std::to_string(call.called);
}

void fail(CheckResult& result, const std::string& what) {
  if (result.failure.empty()) result.failure = what;
}

CheckResult Judge::completed() const {
  CheckResult result{"completed", history_.calls.size(), {}};
  if (history_.unreadable) fail(result, *history_.unreadable);
  for (const SeenCall& call : history_.calls) {
    if (call.completed == no_place) fail(result, place(call) + ": no completion");
  }
  return result;
}

CheckResult Judge::chain() const {
  CheckResult result{"chain", history_.records.size(), {}};
  Sha256 sha;
  for (std::size_t i = 1; i < history_.records.size(); ++i) {
    const AuditRecord& record = history_.records[i].record;
    const SeenRecord& before = history_.records[i - 1];
    const std::string name = "record " + std::to_string(record.index);
    if (record.index != before.record.index + 1) fail(result, name + ": a gap before it");
    if (record.previous != sha.of(before.encoded)) fail(result, name + ": another hash before it");
  }
  return result;
}

bool Judge::belongs(const SeenRecord& seen, const SeenCall& call) const {
  const AuditRecord& record = seen.record;
  return call.is_mutation() && record.op == static_cast<std::uint8_t>(call.op) && call.node < context_.keys.size() &&
         record.peer.kind == PeerKind::remote && record.peer.key == context_.keys[call.node] && record.key_size == call.key.size() &&
         record.key == std::string_view(call.key).substr(0, limits::key_size_max) && record.value_size == call.value.size() &&
         seen.at > call.called;
}

// Between a record and the call that it has the index of, or may be of.
std::string Judge::disagreement(const AuditRecord& record, const SeenCall& call) {
  if (call.op == Op::put && record.status == Status::ok && record.value_mac != mac_.of(call.value)) return "another value";
  if (!call.answered()) return {};
  if (record.status != call.status) return "another status";
  if (call.status != Status::ok) return {};
  if (call.op == Op::del) return record.new_revision == 0 ? "" : "a revision after a DELETE";
  return call.revision == record.index && record.new_revision == record.index ? "" : "another revision";
}

Matches Judge::recorded() {
  Matches matches;
  matches.call_of_record.assign(history_.records.size(), no_place);
  std::map<std::uint64_t, std::size_t> answered;  // calls by the index that they were answered
  std::vector<std::size_t> open;                  // mutations of unknown outcome
  for (std::size_t i = 0; i < history_.calls.size(); ++i) {
    const SeenCall& call = history_.calls[i];
    if (!call.is_mutation() || call.result == CallResult::timed_out) continue;
    if (!call.answered()) {
      open.push_back(i);
    } else if (call.index == 0) {
      fail(matches.result, place(call) + ": answered " + std::string(name_of(call.status)) + " without a record");
    } else if (!answered.emplace(call.index, i).second) {
      fail(matches.result, place(call) + ": answered with the record of another call");
    }
  }
  for (std::size_t i = 0; i < history_.records.size(); ++i) {
    const SeenRecord& seen = history_.records[i];
    if (seen.record.kind != AuditKind::mutation) continue;
    ++matches.result.judged;
    const std::string name = "record " + std::to_string(seen.record.index);
    const auto found = answered.find(seen.record.index);
    std::size_t& match = matches.call_of_record[i];
    if (found != answered.end()) {
      match = found->second;
      answered.erase(found);
      const SeenCall& call = history_.calls[match];
      if (!belongs(seen, call)) fail(matches.result, name + ": is not of " + place(call));
      const std::string difference = disagreement(seen.record, call);
      if (!difference.empty()) fail(matches.result, name + ": " + difference + " than " + place(call));
      if (seen.at > call.completed) fail(matches.result, name + ": recorded after its answer");
      continue;
    }
    const auto of = std::find_if(open.begin(), open.end(), [&](std::size_t at) {
      return belongs(seen, history_.calls[at]) && disagreement(seen.record, history_.calls[at]).empty();
    });
    if (of == open.end()) {
      fail(matches.result, name + ": of no call, or of one that ran already: " + printable(seen.record.key));
      continue;
    }
    match = *of;
    open.erase(of);
  }
  for (const auto& [index, call] : answered) {
    fail(matches.result, place(history_.calls[call]) + ": record " + std::to_string(index) + " is not there");
  }
  return matches;
}

CheckResult Judge::policy() const {
  CheckResult result{"policy", 0, {}};
  const auto is_verdict = [](Status status) {
    return status == Status::access_denied || status == Status::invalid_key || status == Status::key_too_long;
  };
  for (const SeenCall& call : history_.calls) {
    if (!call.answered() || call.op == Op::sync) continue;
    ++result.judged;
    const Status expected = shadow_verdict(context_.policies[0], call.node, call.op, call.key);
    if (expected == Status::ok ? is_verdict(call.status) : call.status != expected) {
      const std::string said = std::string(name_of(call.status)) + ", the shadow policy says " + std::string(name_of(expected));
      fail(result, place(call) + ": answered " + said);
    }
    if (expected != Status::ok && (!call.data.empty() || !call.entries.empty() || call.revision != 0 || call.total_size != 0)) {
      fail(result, place(call) + ": a refusal that tells something");
    }
    for (const SeenEntry& entry : call.entries) {
      if (shadow_verdict(context_.policies[0], call.node, Op::get, entry.key) != Status::ok) fail(result, place(call) + ": lists " + printable(entry.key));
    }
  }
  for (const SeenRecord& seen : history_.records) {
    if (seen.record.kind != AuditKind::mutation || seen.record.status != Status::ok) continue;
    ++result.judged;
    const Status expected = shadow_verdict(context_.policies[0], no_node, Op::put, seen.record.key);
    if (expected != Status::ok || !seen.record.allowed) {
      fail(result, "an effect outside the grant: " + printable(seen.record.key));
    }
  }
  return result;
}

}  // namespace

std::vector<CheckResult> check(const History& history, const CheckContext& context) {
  Judge judge(history, context);
  std::vector<CheckResult> results{judge.completed(), judge.chain()};
  Matches matches = judge.recorded();  // also what the order of effects is known by
  results.push_back(std::move(matches.result));
  results.push_back(judge.policy());
  results.push_back(check_order(history, matches.call_of_record));
  return results;
}

}  // namespace statefs::sim
