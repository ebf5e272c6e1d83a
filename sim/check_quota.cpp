#include <map>
#include <optional>

#include "sim/checks.h"

namespace statefs::sim {
namespace {

// Who wrote each key last, as records tell it, and how many keys and bytes of values that makes for each peer. The store has
// bounds of its own, for all together.
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
      std::string what = objection(append);
      apply(append);
      if (what.empty()) what = space_objection();
      if (!what.empty()) result_.fail(place_of(append) + ": " + what);
    }
    return result_;
  }

 private:
  struct Held {
    NodeId owner = no_node;
    std::uint64_t size = 0;
  };
  struct Change {
    std::uint64_t index = 0;
    std::string_view key;
    std::optional<Held> before;
  };

  // What the peer would have after that PUT.
  [[nodiscard]] Usage usage_with(const SeenAppend& put) const {
    Usage usage{1, put.record.value_size};
    for (const auto& [key, held] : held_) {
      if (held.owner != of_.node_of(put.record.peer) || key == put.record.key) continue;
      ++usage.keys;
      usage.value_bytes += held.size;
    }
    return usage;
  }

  [[nodiscard]] std::string objection(const SeenAppend& append) {
    const PolicyPlan& policy = of_.policy_at(append.at);
    const bool has_quota = policy.quota_keys != 0 || policy.quota_bytes != 0;
    const Usage usage = has_quota ? usage_with(append) : Usage{};
    const bool is_over = (policy.quota_keys != 0 && usage.keys > policy.quota_keys) ||
                         (policy.quota_bytes != 0 && usage.value_bytes > policy.quota_bytes);
    if (append.record.status == Status::quota_exceeded) {
      ++result_.judged;
      return is_over ? "" : "over no quota";
    }
    if (append.record.status != Status::ok) return {};
    result_.judged += has_quota ? 1 : 0;
    return is_over ? "more keys or bytes than its writer may have" : "";
  }

  // What is kept is never more than the store may hold.
  [[nodiscard]] std::string space_objection() {
    ++result_.judged;
    if (held_.size() > of_.store().keys_max) return "one key more than the store may hold";
    return bytes_ > of_.store().value_bytes_max ? "more bytes than the store may hold" : "";
  }

  void apply(const SeenAppend& append) {
    if (append.effect == Effect::Kind::none) return;
    std::optional<Held> now;
    if (append.effect == Effect::Kind::put) now = Held{of_.node_of(append.record.peer), append.value.size()};
    const auto known = held_.find(append.key);
    changes_.push_back({append.index, append.key, known == held_.end() ? std::nullopt : std::optional(known->second)});
    put(append.key, now);
  }

  void put(std::string_view key, const std::optional<Held>& held) {
    const auto known = held_.find(key);
    if (known != held_.end()) {
      bytes_ -= known->second.size;
      held_.erase(known);
    }
    if (!held) return;
    bytes_ += held->size;
    held_.emplace(key, *held);
  }

  void take_back(std::uint64_t kept_index) {
    for (; !changes_.empty() && changes_.back().index > kept_index; changes_.pop_back()) put(changes_.back().key, changes_.back().before);
  }

  const Case& of_;
  std::map<std::string_view, Held> held_;
  std::uint64_t bytes_ = 0;
  std::vector<Change> changes_;
  CheckResult result_{"quota", 0, {}};
};

}  // namespace

CheckResult check_quota(const Case& of) { return Quotas(of).judge(); }

}  // namespace statefs::sim
