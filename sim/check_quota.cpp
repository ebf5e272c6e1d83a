#include <map>

#include "sim/checks.h"

namespace statefs::sim {
namespace {

// Who wrote each key last, as records tell it, and how many keys that makes for each peer. Quotas of bytes are so
// wide in these worlds that only that of keys can be in the way.
class Quotas {
 public:
  explicit Quotas(const Case& of) : of_(of) {}

  CheckResult judge() {
    auto event = of_.history().events.begin();
    for (const SeenAppend& append : of_.history().appends) {
      for (; event != of_.history().events.end() && event->at < append.at; ++event) {
        if (event->kind == TraceKind::store_lost && event->node == of_.server()) take_back(event->argument);
      }
      if (!append.is_mutation() || append.record.op != static_cast<std::uint8_t>(Op::put)) {
        apply(append);
        continue;
      }
      const std::string what = objection(append);
      if (!what.empty()) result_.fail(place_of(append) + ": " + what);
      apply(append);
    }
    return result_;
  }

 private:
  struct Change {
    std::uint64_t index = 0;
    std::string_view key;
    NodeId before = no_node;
  };

  // Keys that the peer would have after a PUT of this one.
  [[nodiscard]] std::uint64_t keys_with(NodeId peer, std::string_view key) const {
    std::uint64_t count = 1;
    for (const auto& [other, owner] : owners_) count += owner == peer && other != key ? 1 : 0;
    return count;
  }

  [[nodiscard]] std::string objection(const SeenAppend& append) {
    const std::uint64_t quota = of_.policy_at(append.at).quota_keys;
    const bool is_over = quota != 0 && keys_with(of_.node_of(append.record.peer.key), append.record.key) > quota;
    if (append.record.status == Status::quota_exceeded) {
      ++result_.judged;
      return is_over ? "" : "over no quota";
    }
    if (append.record.status != Status::ok) return {};
    result_.judged += quota != 0 ? 1 : 0;
    return is_over ? "one key more than its writer may have" : "";
  }

  void apply(const SeenAppend& append) {
    if (append.effect == Effect::Kind::none) return;
    const auto known = owners_.find(append.key);
    changes_.push_back({append.index, append.key, known == owners_.end() ? no_node : known->second});
    if (append.effect == Effect::Kind::erase) owners_.erase(append.key);
    else owners_[append.key] = of_.node_of(append.record.peer.key);
  }

  void take_back(std::uint64_t kept_index) {
    for (; !changes_.empty() && changes_.back().index > kept_index; changes_.pop_back()) {
      const Change& last = changes_.back();
      if (last.before == no_node) owners_.erase(last.key);
      else owners_[last.key] = last.before;
    }
  }

  const Case& of_;
  std::map<std::string_view, NodeId> owners_;
  std::vector<Change> changes_;
  CheckResult result_{"quota", 0, {}};
};

}  // namespace

CheckResult check_quota(const Case& of) { return Quotas(of).judge(); }

}  // namespace statefs::sim
