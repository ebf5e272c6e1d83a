#include <algorithm>

#include "core/limits.h"
#include "sim/checks.h"
#include "sim/timeline.h"

namespace statefs::sim {
namespace {

class Linearizable {
 public:
  explicit Linearizable(const Case& of) : of_(of), timeline_(of) {}

  CheckResult judge() {
    for (const SeenAppend& append : of_.history().appends) {
      if (!append.is_mutation() || !append.record.allowed) continue;
      ++result_.judged;
      const std::string what = objection(append);
      if (!what.empty()) result_.fail(place_of(append) + ": " + what);
    }
    for (const SeenCall& call : of_.history().calls) {
      if (!call.answered()) continue;
      if (call.op == Op::get) judge_get(call);
      if (call.op == Op::list && call.status == Status::ok) judge_list(call);
    }
    // Whoever asked; and at the server there is less time between request and answer.
    for (const SeenExchange& each : of_.history().exchanges) {
      if (!each.is_answered() || !each.is_readable || each.form != SeenExchange::Form::request) continue;
      if (each.op == static_cast<std::uint8_t>(Op::get)) judge_get(seen_call_of(each));
      if (each.op == static_cast<std::uint8_t>(Op::list) && each.answer.status == Status::ok) judge_list(seen_call_of(each));
    }
    return result_;
  }

 private:
  [[nodiscard]] std::string objection(const SeenAppend& append) const;
  [[nodiscard]] bool shows(const SeenCall& call, const Version& version) const;
  [[nodiscard]] bool page_fits(const SeenCall& call, Place place) const;
  void judge_get(const SeenCall& call);
  void judge_list(const SeenCall& call);

  const Case& of_;
  Timeline timeline_;
  CheckResult result_{"linearizable", 0, {}};
};

std::string Linearizable::objection(const SeenAppend& append) const {
  const AuditRecord& record = append.record;
  const std::uint64_t present = timeline_.before(append).revision;
  const SeenCall* const call = of_.call_of(append);
  const bool is_put = record.op == static_cast<std::uint8_t>(Op::put);
  // A DELETE that is only perhaps of that call may have had another condition.
  const bool certain = call != nullptr && of_.is_certain(append);
  const bool meets = !certain || !call->condition || *call->condition == present;
  const bool told = certain && call->answered() && call->index == append.index;
  if (record.status == Status::ok) {
    if (record.old_revision != present) return "replaced a revision that was not there";
    if (!meets) return "took effect though its condition did not hold";
    if (!is_put && append.effect == Effect::Kind::erase && present == 0) return "deleted what was not there";
    if (!is_put && append.effect == Effect::Kind::none && present != 0) return "did not delete what was there";
  } else if (record.status == Status::revision_conflict) {
    if (certain && meets) return "a conflict though its condition held";
    const bool untold = call != nullptr && call->replayed && call->revision == 0;
    if (told && !untold && call->revision != present) return "a conflict with a revision that was not there";
  } else if (record.status == Status::not_found && present != 0) {
    return "not found though it was there";
  }
  return {};
}

bool Linearizable::shows(const SeenCall& call, const Version& version) const {
  if (call.status == Status::not_found) return version.revision == 0;
  if (version.revision == 0 || version.revision != call.revision || version.value.size() != call.total_size) return false;
  if (call.status == Status::revision_changed) return call.condition != call.revision;
  if (call.condition && *call.condition != call.revision) return false;
  const auto from = static_cast<std::size_t>(std::min<std::uint64_t>(call.offset, version.value.size()));
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(call.wanted, limits::value_size_max));
  return equal(call.data, version.value.subspan(from, std::min(version.value.size() - from, wanted)));
}

void Linearizable::judge_get(const SeenCall& call) {
  if (call.status != Status::ok && call.status != Status::not_found && call.status != Status::revision_changed) return;
  ++result_.judged;
  const auto found = timeline_.keys().find(call.key);
  const auto fits = [&](Place place) {
    return shows(call, found == timeline_.keys().end() ? Version{} : Timeline::at(found->second, place));
  };
  if (!timeline_.at_some_moment(call.called, call.completed, fits)) {
    result_.fail(place_of(call) + ": read what was there at no moment of the call");
  }
}

// The page shows what is there and what the peer may see, of one moment, and is cut only where it is full.
bool Linearizable::page_fits(const SeenCall& call, Place place) const {
  const PolicyPlan& policy = of_.policy_at(place);
  std::size_t next = 0;
  const auto& keys = timeline_.keys();
  for (auto key = keys.lower_bound(std::max(call.key, call.cursor)); key != keys.end() && key->first.starts_with(call.key); ++key) {
    if (key->first == call.cursor || !shadow_shows(policy, of_.shadow_of(call.node), key->first)) continue;
    const Version version = Timeline::at(key->second, place);
    if (version.revision == 0) continue;
    if (next == call.entries.size()) return call.has_more;
    const SeenEntry& entry = call.entries[next++];
    if (entry.key != key->first || entry.revision != version.revision || entry.size != version.value.size()) return false;
  }
  return next == call.entries.size() && !call.has_more;
}

void Linearizable::judge_list(const SeenCall& call) {
  ++result_.judged;
  if (!timeline_.at_some_moment(call.called, call.completed, [&](Place place) { return page_fits(call, place); })) {
    result_.fail(place_of(call) + ": lists what was there at no moment of the call");
  }
  constexpr std::size_t entry_overhead = 18;
  const std::size_t wanted = call.wanted == 0 ? limits::list_entries_max : std::min<std::size_t>(call.wanted, limits::list_entries_max);
  std::size_t size = 0;
  for (const SeenEntry& entry : call.entries) size += entry_overhead + entry.key.size();
  const bool full = call.entries.size() == wanted || size + entry_overhead + limits::key_size_max > limits::list_page_size_max;
  if (call.entries.size() > wanted || (call.has_more && !full)) result_.fail(place_of(call) + ": a page of another size");
}

}  // namespace

CheckResult check_linearizable(const Case& of) { return Linearizable(of).judge(); }

}  // namespace statefs::sim
