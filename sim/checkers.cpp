#include "sim/checkers.h"

#include <algorithm>
#include <array>

#include "sim/script.h"

namespace statefs::sim {
namespace {

constexpr std::array checks{check_completed,  check_recorded, check_exactly_once, check_sessions, check_linearizable,
                            check_durability, check_audit,    check_policy,       check_quota,
                            check_answers,    check_staged,   check_counted,      check_channel,  check_links,
                            check_waits,      check_rates,    check_bounds,   check_liveness,     check_rollback};

History part_of(const History& history, const CheckContext& context, NodeId server) {
  const auto is_of = [&](NodeId node) {
    const auto of = context.server_of.find(node);
    return node == server || (of != context.server_of.end() && of->second == server);
  };
  const auto copy = [&is_of](const auto& from, auto& to) {
    std::copy_if(from.begin(), from.end(), std::back_inserter(to), [&is_of](const auto& each) { return is_of(each.node); });
  };
  History part;
  copy(history.calls, part.calls);
  copy(history.appends, part.appends);
  copy(history.exports, part.exports);
  copy(history.lost_writes, part.lost_writes);
  std::copy_if(history.events.begin(), history.events.end(), std::back_inserter(part.events),
               [&](const SeenEvent& each) {
                 const auto visit = context.visits.find(each.node);
                 const bool visits = visit != context.visits.end() && visit->second == server;
                 return is_of(each.node) || visits || each.kind == TraceKind::calm;
               });
  copy(history.exchanges, part.exchanges);
  copy(history.arrivals, part.arrivals);
  copy(history.loads, part.loads);
  copy(history.waits, part.waits);
  copy(history.rests, part.rests);
  part.streams_left = history.streams_left;
  part.events_left = history.events_left;
  part.end = history.end;
  part.unreadable = history.unreadable;
  return part;
}

void judge(const Case& of, std::vector<CheckResult>& results) {
  for (std::size_t i = 0; i < checks.size(); ++i) {
    CheckResult one = checks[i](of);
    if (i == results.size()) {
      results.push_back(std::move(one));
      continue;
    }
    results[i].judged += one.judged;
    results[i].fail(one.failure);
  }
}

}  // namespace

std::vector<CheckResult> check(const History& history, const CheckContext& context) {
  std::vector<CheckResult> results;
  for (const auto& [server, mine] : context.servers) {
    if (context.servers.size() == 1) {
      judge(Case(history, context, server), results);
    } else {
      const History part = part_of(history, context, server);
      judge(Case(part, context, server), results);
    }
  }
  return results;
}

std::string place_of(const SeenCall& call) {
  return "node " + std::to_string(call.node) + " call " + std::to_string(call.id) + " " + printable(call.key) + " at entry " +
         std::to_string(call.called);
}

std::string behind(Place place) { return place == no_place ? "" : " behind entry " + std::to_string(place); }

std::string place_of(const SeenAppend& append) {
  return "record " + std::to_string(append.index) + " " + printable(append.record.key) + " at entry " + std::to_string(append.at);
}

}  // namespace statefs::sim
