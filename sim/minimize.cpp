#include "sim/minimize.h"

#include <algorithm>
#include <set>
#include <type_traits>
#include <utility>

#include "sim/ddmin.h"

namespace statefs::sim {
namespace {

// Calls edit(name, member, default) for the number at this place of for_each_number().
template <typename Edit>
void edit_number(Plan& plan, std::size_t at, Edit edit) {
  const Plan usual;
  std::size_t i = 0;
  for_each_number(plan, [&](std::string_view name, auto& member) {
    if (i++ != at) return;
    std::size_t j = 0;
    for_each_number(usual, [&](std::string_view, const auto& value) {
      if constexpr (std::is_same_v<std::decay_t<decltype(member)>, std::decay_t<decltype(value)>>) {
        if (j == at) edit(name, member, value);
      }
      ++j;
    });
  });
}

std::size_t number_count() {
  Plan plan;
  std::size_t count = 0;
  for_each_number(plan, [&count](std::string_view, auto&) { ++count; });
  return count;
}

// What the plan has of these is reduced by taking it away, and not by another number.
bool is_size_of_plan(std::string_view name) {
  return name == "seed" || name == "servers" || name == "clients" || name == "work.operations" || name == "calm.operations";
}

// Less than `value`, the least first.
std::vector<Duration> rounded_down(Duration value) {
  std::vector<Duration> less{{}};
  if (value == for_good) return {};
  for (const Duration unit : {seconds(10), seconds(1), milliseconds(100), milliseconds(10), milliseconds(1)}) {
    if (value > unit) less.push_back({value.ns - value.ns % unit.ns});
  }
  less.erase(std::unique(less.begin(), less.end()), less.end());
  return less;
}

std::vector<std::uint32_t> halves(std::uint32_t value, std::uint32_t least) {
  std::vector<std::uint32_t> less;
  for (std::uint32_t half = least; half < value; half = half == 0 ? 1 : half * 2) less.push_back(half);
  return less;
}

// The part of a plan that a number belongs to: `link` of `link.latency_ns`.
std::string_view part_of(std::string_view name) { return name.substr(0, name.find('.')); }

// Another try at much the same: every draw is another, and what happens at a request of the disk happens earlier.
Plan varied(Plan plan, std::uint64_t number, std::uint64_t variants) {
  plan.seed = number;
  for (Incident& each : plan.incidents) {
    if (each.event > 1) each.event = std::max<std::uint64_t>(1, each.event * (variants - number) / variants);
  }
  return plan;
}

template <typename Thing>
std::vector<Thing> only(const std::vector<Thing>& all, const std::vector<std::size_t>& kept) {
  std::vector<Thing> some;
  for (const std::size_t i : kept) some.push_back(all[i]);
  return some;
}

class Minimizer {
 public:
  Minimizer(const Plan& plan, std::string_view check, const FailedCheck& failed_check, std::uint64_t runs_max)
      : check_(check), failed_check_(failed_check), runs_max_(runs_max), plan_(plan) {
    tried_.insert(print(plan_));
  }

  Minimized all() {
    bound_ = runs_max_ / 4;
    until_nothing_helps();
    bound_ = runs_max_;
    bounded_ = false;
    if (line_count(plan_) > scenario_lines_wanted) look_for_others();
    until_nothing_helps();
    // One line less, and the same run: no client does all of them.
    if (plan_.operations.size() == plan_.client_count) plan_.workload.operation_count = Plan{}.workload.operation_count;
    return {plan_, runs_, bounded_};
  }

 private:
  using Steps = std::initializer_list<void (Minimizer::*)()>;

  void take(Steps steps) {
    for (const auto step : steps) {
      if (!bounded_) (this->*step)();
    }
  }

  void until_nothing_helps() {
    std::string before;
    do {
      before = print(plan_);
      // What takes a line, and few runs, before what there is most of.
      take({&Minimizer::incidents, &Minimizer::hostile, &Minimizer::clients, &Minimizer::nodes, &Minimizer::node_options, &Minimizer::policies,
            &Minimizer::numbers, &Minimizer::operations, &Minimizer::values});
    } while (!bounded_ && print(plan_) != before);
  }

  // Some failures need one moment to be met: whatever is left out moves it. Then with less of everything it is looked for anew.
  void look_for_others() {
    varies_ = true;
    take({&Minimizer::parts, &Minimizer::incidents, &Minimizer::hostile, &Minimizer::clients, &Minimizer::nodes, &Minimizer::numbers,
          &Minimizer::node_options, &Minimizer::policies});
    varies_ = false;
  }

  bool attempt(const Plan& smaller) {
    if (!varies_) return attempt_one(smaller);
    constexpr std::uint64_t variants = 24;
    Plan other = smaller;
    other.seed = plan_.seed;
    if (attempt_one(other)) return true;
    for (std::uint64_t number = 1; number < variants && !bounded_; ++number) {
      if (attempt_one(varied(smaller, number, variants))) return true;
    }
    return false;
  }

  // Takes it for the plan if it is another that fails likewise.
  bool attempt_one(const Plan& smaller) {
    if (bounded_) return false;
    const std::string text = print(smaller);
    if (tried_.contains(text)) return false;
    const auto parsed = parse_plan(text);
    if (!parsed.ok()) return false;
    bounded_ = runs_ == bound_;
    if (bounded_) return false;
    ++runs_;
    tried_.insert(text);
    if (failed_check_(parsed.value()) != check_) return false;
    plan_ = parsed.value();
    return true;
  }

  // ddmin over `count` things; `with` makes the plan that has only those.
  template <typename With>
  void leave_out(std::size_t count, With with) {
    (void)ddmin(count, [&](const std::vector<std::size_t>& kept) { return attempt(with(kept)); }, [this] { return bounded_; });
  }

  template <typename Thing>
  void leave_out_of(std::vector<Thing> Plan::*member) {
    const Plan whole = plan_;
    leave_out((whole.*member).size(), [&](const std::vector<std::size_t>& kept) {
      Plan less = whole;
      less.*member = only(whole.*member, kept);
      return less;
    });
  }

  // Whole kinds of incidents, all numbers of one part, and the like at once.
  void parts() {
    const Plan whole = plan_;
    std::set<std::string_view> names;
    for_each_number(whole, [&names](std::string_view name, const auto&) {
      if (!is_size_of_plan(name)) names.insert(part_of(name));
    });
    std::vector<std::function<void(Plan&)>> removals;
    for (const std::string_view part : names) {
      removals.emplace_back([part](Plan& plan) {
        for (std::size_t at = 0; at < number_count(); ++at) {
          edit_number(plan, at, [part](std::string_view name, auto& member, const auto& usual) {
            if (!is_size_of_plan(name) && part_of(name) == part) member = usual;
          });
        }
      });
    }
    std::set<IncidentKind> kinds;
    for (const Incident& each : whole.incidents) kinds.insert(each.kind);
    for (const IncidentKind kind : kinds) {
      removals.emplace_back([kind](Plan& plan) { std::erase_if(plan.incidents, [kind](const Incident& each) { return each.kind == kind; }); });
    }
    removals.emplace_back([](Plan& plan) { plan.hostile.clear(); });
    removals.emplace_back([](Plan& plan) { plan.nodes.clear(); });
    leave_out(removals.size(), [&](const std::vector<std::size_t>& kept) {
      Plan less = whole;
      for (std::size_t i = 0; i < removals.size(); ++i) {
        if (!std::binary_search(kept.begin(), kept.end(), i)) removals[i](less);
      }
      return less;
    });
  }

  void incidents() { leave_out_of(&Plan::incidents); }
  void hostile() { leave_out_of(&Plan::hostile); }

  // Clients that do nothing stay where they are, so that all nodes keep their numbers.
  void clients() {
    plan_ = with_operations_named(plan_);
    tried_.insert(print(plan_));
    leave_out_of(&Plan::operations);
  }

  void operations() {
    const Plan whole = plan_;
    std::vector<std::pair<NodeId, std::uint32_t>> all;
    for (const auto& [client, numbers] : whole.operations) {
      for (const std::uint32_t number : numbers) all.emplace_back(client, number);
    }
    leave_out(all.size(), [&](const std::vector<std::size_t>& kept) {
      Plan less = whole;
      less.operations.clear();
      for (const std::size_t i : kept) {
        if (less.operations.empty() || less.operations.back().first != all[i].first) less.operations.push_back({all[i].first, {}});
        less.operations.back().second.push_back(all[i].second);
      }
      return less;
    });
  }

  // From the last on, since those after it change their numbers, and with them their draws.
  void nodes() {
    for (NodeId id = plan_.node_count(); id-- > 0;) attempt(without_node(plan_, id));
  }

  void numbers() {
    const Plan whole = plan_;
    std::vector<std::size_t> unusual;
    for (std::size_t at = 0; at < number_count(); ++at) {
      Plan reset = whole;
      edit_number(reset, at, [](std::string_view name, auto& member, const auto& usual) {
        if (!is_size_of_plan(name)) member = usual;
      });
      if (print(reset) != print(whole)) unusual.push_back(at);
    }
    leave_out(unusual.size(), [&](const std::vector<std::size_t>& kept) {
      Plan less = whole;
      for (std::size_t i = 0; i < unusual.size(); ++i) {
        if (std::binary_search(kept.begin(), kept.end(), i)) continue;
        edit_number(less, unusual[i], [](std::string_view, auto& member, const auto& usual) { member = usual; });
      }
      return less;
    });
    Plan less = plan_;
    less.calm_operations = 0;
    if (check_ != "liveness") attempt(less);
  }

  void node_options() {
    const Plan whole = plan_;
    leave_out(whole.nodes.size(), [&](const std::vector<std::size_t>& kept) {
      Plan less = whole;
      less.nodes.assign(whole.nodes.size(), {});
      for (const std::size_t i : kept) less.nodes[i] = whole.nodes[i];
      return less;
    });
  }

  // Those that no incident loads go; each of the others says less.
  void policies() {
    for (std::size_t i = plan_.policies.size(); i-- > 1;) attempt(without_policy(plan_, i));
    for (std::size_t i = 0; i < plan_.policies.size(); ++i) {
      const auto say_less = [&](auto edit) {
        Plan less = plan_;
        edit(less.policies[i]);
        attempt(less);
      };
      say_less([](PolicyPlan& policy) { policy.strangers.clear(); });
      say_less([](PolicyPlan& policy) { policy.readers.clear(); });
      say_less([](PolicyPlan& policy) { policy.writers.clear(); });
      say_less([](PolicyPlan& policy) { policy.dir_denied = false; });
      say_less([](PolicyPlan& policy) { policy.narrowed.reset(); });
      say_less([](PolicyPlan& policy) { policy.quota_keys = 0; });
      say_less([](PolicyPlan& policy) { policy.quota_bytes = 0; });
      say_less([](PolicyPlan& policy) { policy.wide.reset(); });
      say_less([](PolicyPlan& policy) { policy.dir_hidden = false; });
      for (std::size_t op = 0; op < plan_ops.size(); ++op) say_less([op](PolicyPlan& policy) { policy.without[op].clear(); });
    }
  }

  // Times, and sizes of the work, at the least value that will do.
  void values() {
    for (std::size_t i = 0; i < plan_.incidents.size(); ++i) {
      first_of(rounded_down({plan_.incidents[i].at.ns}), [i](Plan& plan, Duration value) { plan.incidents[i].at = Time{value.ns}; });
      first_of(rounded_down(plan_.incidents[i].lasts), [i](Plan& plan, Duration value) { plan.incidents[i].lasts = value; });
      if (plan_.incidents[i].kind != IncidentKind::policy) {
        first_of(std::vector<std::int64_t>{0}, [i](Plan& plan, std::int64_t value) { plan.incidents[i].amount = value; });
      }
    }
    first_of(rounded_down(plan_.workload.pause_max), [](Plan& plan, Duration value) { plan.workload.pause_max = value; });
    first_of(rounded_down(plan_.workload.timeout), [](Plan& plan, Duration value) { plan.workload.timeout = value; });
    first_of(rounded_down(plan_.faults.link.latency), [](Plan& plan, Duration value) { plan.faults.link.latency = value; });
    first_of(rounded_down(plan_.faults.link.jitter), [](Plan& plan, Duration value) { plan.faults.link.jitter = value; });
    first_of(halves(plan_.workload.value_size_max, 0), [](Plan& plan, std::uint32_t value) { plan.workload.value_size_max = value; });
    first_of(halves(plan_.workload.key_count, 1), [](Plan& plan, std::uint32_t value) { plan.workload.key_count = value; });
    first_of(halves(plan_.workload.in_flight_max, 1), [](Plan& plan, std::uint32_t value) { plan.workload.in_flight_max = value; });
  }

  // Nothing that is at its default, and so takes no line, gets a line.
  template <typename Value, typename Set>
  void first_of(const std::vector<Value>& values, Set set) {
    const std::size_t lines = line_count(plan_);
    for (const Value& value : values) {
      Plan less = plan_;
      set(less, value);
      if (line_count(less) <= lines && attempt(less)) return;
    }
  }

  static std::size_t line_count(const Plan& plan) {
    const std::string text = print(plan);
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  const std::string check_;
  const FailedCheck& failed_check_;
  const std::uint64_t runs_max_;
  Plan plan_;
  std::set<std::string> tried_;  // texts
  std::uint64_t runs_ = 0;
  std::uint64_t bound_ = 0;
  bool bounded_ = false;
  bool varies_ = false;
};

}  // namespace

Minimized minimize(const Plan& plan, std::string_view check, const FailedCheck& failed_check, std::uint64_t runs_max) {
  return Minimizer(plan, check, failed_check, runs_max).all();
}

std::string size_line(const Plan& plan) {
  const std::string text = print(plan);
  std::size_t operations = 0;
  for (NodeId id = plan.server_count; id < plan.server_count + plan.client_count; ++id) operations += plan.operations_of(id).size();
  return "nodes=" + std::to_string(plan.node_count()) + " clients=" + std::to_string(plan.client_count) +
         " operations=" + std::to_string(operations) + " incidents=" + std::to_string(plan.incidents.size()) +
         " lines=" + std::to_string(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace statefs::sim
