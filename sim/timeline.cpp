#include "sim/timeline.h"

#include <algorithm>
#include <map>

#include "sim/script.h"

namespace statefs::sim {
namespace {

struct Version {
  Place from = 0;
  std::uint64_t revision = 0;     // 0: absent
  const Bytes* value = nullptr;   // null: absent, or of a call that is not known
};

class Timeline {
 public:
  Timeline(const History& history, const std::vector<std::size_t>& call_of_record) : history_(history), call_of_record_(call_of_record) {}

  CheckResult judge() {
    for (std::size_t i = 0; i < history_.records.size(); ++i) take(i);
    for (const SeenCall& call : history_.calls) {
      if (!call.answered() || call.is_mutation()) continue;
      if (call.op == Op::get) judge_get(call);
      if (call.op == Op::list && call.status == Status::ok) judge_list(call);
    }
    return result_;
  }

 private:
  using Versions = std::vector<Version>;

  void fail(Place at, std::string_view key, const char* what) {
    if (result_.failure.empty()) result_.failure = "entry " + std::to_string(at) + " " + printable(key) + ": " + what;
  }

  [[nodiscard]] Version at(const std::string& key, Place place) const {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return {};
    const Versions& versions = found->second;
    const auto after = std::upper_bound(versions.begin(), versions.end(), place, [](Place p, const Version& v) { return p < v.from; });
    return after == versions.begin() ? Version{} : *(after - 1);
  }

  // Whether some moment between call and completion satisfies `fits(place)`.
  template <typename Fits>
  [[nodiscard]] bool at_some_moment(const SeenCall& call, Fits fits) const {
    if (fits(call.called)) return true;
    auto change = std::upper_bound(changes_.begin(), changes_.end(), call.called);
    for (; change != changes_.end() && *change < call.completed; ++change) {
      if (fits(*change)) return true;
    }
    return false;
  }

  void take(std::size_t number);
  void judge_get(const SeenCall& call);
  void judge_list(const SeenCall& call);
  [[nodiscard]] bool page_fits(const SeenCall& call, Place place) const;

  const History& history_;
  const std::vector<std::size_t>& call_of_record_;
  std::map<std::string, Versions> keys_;
  std::vector<Place> changes_;
  CheckResult result_{"linearizable", 0, {}};
};

void Timeline::take(std::size_t number) {
  const SeenRecord& seen = history_.records[number];
  const AuditRecord& record = seen.record;
  if (record.kind != AuditKind::mutation || !record.allowed) return;
  ++result_.judged;
  const std::string key(record.key);
  const std::uint64_t present = at(key, seen.at).revision;
  const SeenCall* call = call_of_record_[number] == no_place ? nullptr : &history_.calls[call_of_record_[number]];
  const bool is_put = record.op == static_cast<std::uint8_t>(Op::put);
  // Where the outcome is open and no MAC names the value, another open call of the same peer may be the one.
  const bool is_certain = call != nullptr && (call->answered() || (is_put && record.status == Status::ok));
  const bool meets = !is_certain || !call->condition || *call->condition == present;
  if (record.status == Status::ok) {
    if (record.old_revision != present) fail(seen.at, key, "replaced a revision that was not there");
    if (!meets) fail(seen.at, key, "took effect though its condition did not hold");
    if (!is_put && present == 0) fail(seen.at, key, "deleted what was not there");
    keys_[key].push_back({seen.at, is_put ? record.index : 0, is_put && call != nullptr ? &call->value : nullptr});
    changes_.push_back(seen.at);
  } else if (record.status == Status::revision_conflict) {
    if (is_certain && meets) fail(seen.at, key, "a conflict though its condition held");
    if (call != nullptr && call->answered() && call->revision != present) fail(seen.at, key, "a conflict with a revision that was not there");
  } else if (record.status == Status::not_found) {
    if (present != 0) fail(seen.at, key, "not found though it was there");
  }
}

void Timeline::judge_get(const SeenCall& call) {
  const auto expects = [&call](const Version& version) {
    if (call.status == Status::not_found) return version.revision == 0;
    if (call.status == Status::revision_changed) return version.revision == call.revision && call.condition != call.revision;
    if (version.revision == 0 || version.revision != call.revision || (call.condition && *call.condition != call.revision)) return false;
    return version.value == nullptr || (call.total_size == version.value->size() && equal(call.data, *version.value));
  };
  if (call.status != Status::ok && call.status != Status::not_found && call.status != Status::revision_changed) return;
  ++result_.judged;
  if (!at_some_moment(call, [&](Place place) { return expects(at(call.key, place)); })) {
    fail(call.completed, call.key, "read what was there at no moment of the call");
  }
}

bool Timeline::page_fits(const SeenCall& call, Place place) const {
  std::size_t next = 0;
  for (auto key = keys_.lower_bound(std::max(call.key, call.cursor)); key != keys_.end() && key->first.starts_with(call.key); ++key) {
    if (key->first == call.cursor) continue;
    const Version version = at(key->first, place);
    if (version.revision == 0) continue;
    if (next == call.entries.size()) return call.has_more;
    const SeenEntry& entry = call.entries[next++];
    if (entry.key != key->first || entry.revision != version.revision) return false;
    if (version.value != nullptr && entry.size != version.value->size()) return false;
  }
  return next == call.entries.size() && !call.has_more;
}

void Timeline::judge_list(const SeenCall& call) {
  ++result_.judged;
  if (!at_some_moment(call, [&](Place place) { return page_fits(call, place); })) {
    fail(call.completed, call.key, "lists what was there at no moment of the call");
  }
}

}  // namespace

CheckResult check_order(const History& history, const std::vector<std::size_t>& call_of_record) {
  return Timeline(history, call_of_record).judge();
}

}  // namespace statefs::sim
