// The text form of a plan: print() and parse_plan().
#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>

#include "sim/plan.h"
#include "sim/plan_rules.h"

namespace statefs::sim {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
constexpr std::size_t planned_key_size_max = 200;
constexpr std::array<Unit, 4> units{{{"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}}};

std::string text(Duration value) {
  if (value == for_good) return "ever";
  for (const Unit& unit : units) {
    if (value.ns % unit.ns == 0) return std::to_string(value.ns / unit.ns) + std::string(unit.name);
  }
  return {};
}
std::string text(Ratio value) { return std::to_string(value.part) + "/" + std::to_string(value.whole); }
std::string text(bool value) { return value ? "1" : "0"; }
template <typename Integer>
std::string text(Integer value) {
  return std::to_string(value);
}

template <typename Integer>
bool read(std::string_view from, Integer& value) {
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), value);
  return error == std::errc{} && end == from.data() + from.size();
}
bool read(std::string_view from, bool& value) {
  value = from == "1";
  return from == "1" || from == "0";
}
bool read(std::string_view from, Ratio& value) {
  const std::size_t slash = from.find('/');
  return slash != std::string_view::npos && read(from.substr(0, slash), value.part) && read(from.substr(slash + 1), value.whole) &&
         value.whole > 0 && value.part <= value.whole;
}
bool read(std::string_view from, Duration& value) {
  if (from == "ever") {
    value = for_good;
    return true;
  }
  const std::size_t digits = from.find_first_not_of("-0123456789");
  if (digits == std::string_view::npos) return false;
  for (const Unit& unit : units) {
    if (unit.name != from.substr(digits)) continue;
    std::int64_t count = 0;
    if (!read(from.substr(0, digits), count) || __builtin_mul_overflow(count, unit.ns, &value.ns)) return false;
    return true;
  }
  return false;
}

template <typename Integer>
std::string list_of(const std::vector<Integer>& numbers) {
  std::string out;
  for (const Integer number : numbers) out += (out.empty() ? "" : ",") + std::to_string(number);
  return out.empty() ? "-" : out;
}
template <typename Integer>
bool read(std::string_view from, std::vector<Integer>& numbers) {
  numbers.clear();
  if (from == "-") return true;
  for (;;) {
    const std::size_t comma = from.find(',');
    if (!read(from.substr(0, comma), numbers.emplace_back())) return false;
    if (comma == std::string_view::npos) return true;
    from.remove_prefix(comma + 1);
  }
}

void print_policy(const PolicyPlan& policy, std::string& out) {
  out += "policy";
  if (!policy.strangers.empty()) out += " strangers=" + list_of(policy.strangers);
  if (!policy.readers.empty()) out += " readers=" + list_of(policy.readers);
  if (!policy.writers.empty()) out += " writers=" + list_of(policy.writers);
  if (policy.dir_denied) out += " dir_denied=1";
  if (policy.narrowed) out += " narrowed=" + std::to_string(*policy.narrowed);
  if (policy.quota_keys != 0) out += " quota_keys=" + std::to_string(policy.quota_keys);
  if (policy.quota_bytes != 0) out += " quota_bytes=" + std::to_string(policy.quota_bytes);
  if (policy.dir_hidden) out += " dir_hidden=1";
  if (policy.wide) out += " wide=" + std::to_string(*policy.wide);
  for (std::size_t i = 0; i < plan_ops.size(); ++i) {
    if (!policy.without[i].empty()) out += " " + std::string(plan_ops[i].second) + "=" + list_of(policy.without[i]);
  }
  out += "\n";
}

void print_node(NodeId id, const NodeOptions& node, std::string& out) {
  const NodeOptions usual;
  if (node.clock.monotonic_origin_ns == usual.clock.monotonic_origin_ns && node.clock.drift_ppb == usual.clock.drift_ppb &&
      node.wake_delay_max == usual.wake_delay_max) {
    return;
  }
  out += "node " + std::to_string(id) + " origin=" + text(nanoseconds(node.clock.monotonic_origin_ns)) +
         " drift_ppb=" + std::to_string(node.clock.drift_ppb) + " wake_delay_max=" + text(node.wake_delay_max) + "\n";
}

constexpr std::array<std::pair<std::string_view, Op>, 5> ops{
    {{"put", Op::put}, {"get", Op::get}, {"del", Op::del}, {"list", Op::list}, {"sync", Op::sync}}};
constexpr std::array<std::string_view, 3> conditions{"always", "absent", "last"};

// A key is one word, `-` where there is none.
void print_call(NodeId node, const PlannedCall& call, std::string& out) {
  out += "op " + std::to_string(node);
  for (const auto& [name, op] : ops) out += op == call.op ? " " + std::string(name) : "";
  out += " " + (call.key.empty() ? "-" : call.key);
  if (call.condition != PlannedCall::If::always) out += " if=" + std::string(conditions[static_cast<std::size_t>(call.condition)]);
  if (call.after != Duration{}) out += " after=" + text(call.after);
  out += "\n";
}

void print_incident(const Incident& incident, std::string& out) {
  out += incident.event != 0 ? "event " + std::to_string(incident.event) : "at " + text(nanoseconds(incident.at.ns));
  out += " " + std::string(name_of(incident.kind)) + " node=" + std::to_string(incident.node);
  if (has_two_nodes(incident.kind)) out += " other=" + std::to_string(incident.other);
  if (incident.lasts != Duration{}) out += " for=" + text(incident.lasts);
  if (incident.amount != 0) out += " amount=" + std::to_string(incident.amount);
  out += "\n";
}

// One line while it is read: words, the first of which says what it is.
class Line {
 public:
  explicit Line(std::string_view text) {
    constexpr std::string_view blank = " \t\r";
    text = text.substr(0, text.find('#'));
    for (std::size_t at = text.find_first_not_of(blank); at != std::string_view::npos; at = text.find_first_not_of(blank, at)) {
      const std::size_t end = std::min(text.find_first_of(blank, at), text.size());
      words_.emplace_back(text.substr(at, end - at));
      at = end;
    }
  }
  [[nodiscard]] bool empty() const { return words_.empty(); }
  [[nodiscard]] std::size_t size() const { return words_.size(); }
  [[nodiscard]] std::string_view word(std::size_t at) const { return at < words_.size() ? std::string_view(words_[at]) : std::string_view{}; }
  // Calls set(name, value) for each NAME=VALUE from word `at` on; false where one is no such, or set() says so.
  template <typename Set>
  bool settings(std::size_t at, Set set) const {
    for (; at < words_.size(); ++at) {
      const std::string_view word = words_[at];
      const std::size_t equals = word.find('=');
      if (equals == std::string_view::npos || !set(word.substr(0, equals), word.substr(equals + 1))) return false;
    }
    return true;
  }

 private:
  std::vector<std::string> words_;
};

bool read_policy(const Line& line, Plan& plan) {
  PolicyPlan& policy = plan.policies.emplace_back();
  return line.settings(1, [&policy](std::string_view name, std::string_view value) {
    if (name == "strangers") return read(value, policy.strangers);
    if (name == "readers") return read(value, policy.readers);
    if (name == "writers") return read(value, policy.writers);
    if (name == "dir_denied") return read(value, policy.dir_denied);
    if (name == "quota_keys") return read(value, policy.quota_keys);
    if (name == "quota_bytes") return read(value, policy.quota_bytes);
    if (name == "dir_hidden") return read(value, policy.dir_hidden);
    if (name == "wide") return read(value, policy.wide.emplace());
    for (std::size_t i = 0; i < plan_ops.size(); ++i) {
      if (name == plan_ops[i].second) return read(value, policy.without[i]);
    }
    return name == "narrowed" && read(value, policy.narrowed.emplace());
  });
}

bool read_node(const Line& line, Plan& plan) {
  constexpr NodeId nodes_max = 10'000;
  NodeId id = 0;
  if (!read(line.word(1), id) || id >= nodes_max) return false;
  if (plan.nodes.size() <= id) plan.nodes.resize(id + 1);
  NodeOptions& node = plan.nodes[id];
  return line.settings(2, [&node](std::string_view name, std::string_view value) {
    Duration origin;
    if (name == "origin") {
      if (!read(value, origin)) return false;
      node.clock.monotonic_origin_ns = origin.ns;
      return true;
    }
    if (name == "drift_ppb") return read(value, node.clock.drift_ppb);
    return name == "wake_delay_max" && read(value, node.wake_delay_max);
  });
}

bool read_hostile(const Line& line, Plan& plan) {
  for (std::size_t at = 1; at < line.size(); ++at) {
    std::size_t kind = 0;
    while (kind < hostile_kind_count && name_of(static_cast<HostileKind>(kind)) != line.word(at)) ++kind;
    if (kind == hostile_kind_count) return false;
    plan.hostile.push_back(static_cast<HostileKind>(kind));
  }
  return line.size() > 1;
}

bool read_operations(const Line& line, Plan& plan) {
  auto& [node, numbers] = plan.operations.emplace_back();
  return line.size() == 3 && read(line.word(1), node) && read(line.word(2), numbers);
}

bool read_call(const Line& line, Plan& plan) {
  auto& [node, call] = plan.calls.emplace_back();
  const auto op = std::find_if(ops.begin(), ops.end(), [&line](const auto& each) { return each.first == line.word(2); });
  if (!read(line.word(1), node) || op == ops.end() || line.word(3).empty() || line.word(3).size() > planned_key_size_max) return false;
  call.op = op->second;
  if (line.word(3) != "-") call.key = line.word(3);
  return line.settings(4, [&call = call](std::string_view name, std::string_view value) {
    if (name == "after") return read(value, call.after) && call.after >= Duration{};
    const auto condition = std::find(conditions.begin(), conditions.end(), value);
    if (name != "if" || condition == conditions.end()) return false;
    call.condition = static_cast<PlannedCall::If>(condition - conditions.begin());
    return true;
  });
}

bool read_incident(const Line& line, Plan& plan) {
  Incident& incident = plan.incidents.emplace_back();
  if (line.word(0) == "event") {
    if (!read(line.word(1), incident.event) || incident.event == 0) return false;
  } else {
    Duration at;
    if (!read(line.word(1), at) || at < Duration{}) return false;
    incident.at = Time{at.ns};
  }
  const auto kind = incident_kind_of(line.word(2));
  if (!kind) return false;
  incident.kind = *kind;
  return line.settings(3, [&incident](std::string_view name, std::string_view value) {
    if (name == "node") return read(value, incident.node);
    if (name == "other") return read(value, incident.other);
    if (name == "for") return read(value, incident.lasts) && incident.lasts >= Duration{};
    return name == "amount" && read(value, incident.amount);
  });
}

bool read_number(const Line& line, Plan& plan) {
  bool found = false;
  bool good = line.size() == 2;
  for_each_number(plan, [&](std::string_view name, auto& member) {
    if (name != line.word(0)) return;
    found = true;
    good = good && read(line.word(1), member);
    if constexpr (std::is_same_v<std::decay_t<decltype(member)>, Duration>) good = good && member >= Duration{};
  });
  return found && good;
}

bool read(const Line& line, Plan& plan) {
  const std::string_view what = line.word(0);
  if (what == "policy") return read_policy(line, plan);
  if (what == "node") return read_node(line, plan);
  if (what == "hostile") return read_hostile(line, plan);
  if (what == "do") return read_operations(line, plan);
  if (what == "op") return read_call(line, plan);
  return what == "at" || what == "event" ? read_incident(line, plan) : read_number(line, plan);
}

std::string at_line(std::size_t number, std::string_view what) { return "line " + std::to_string(number) + ": " + std::string(what); }

}  // namespace

std::string print(const Plan& plan) {
  std::vector<std::string> usual;
  const Plan defaults;
  for_each_number(defaults, [&usual](std::string_view, const auto& member) { usual.push_back(text(member)); });
  std::string out;
  std::size_t at = 0;
  for_each_number(plan, [&](std::string_view name, const auto& member) {
    const std::string value = text(member);
    if (value != usual[at++] || name == "seed") out += std::string(name) + " " + value + "\n";
  });
  if (!plan.hostile.empty()) {
    out += "hostile";
    for (const HostileKind kind : plan.hostile) out += " " + std::string(name_of(kind));
    out += "\n";
  }
  const std::size_t node_count = std::min<std::size_t>(plan.nodes.size(), plan.node_count());
  for (std::size_t i = 0; i < node_count; ++i) print_node(static_cast<NodeId>(i), plan.nodes[i], out);
  for (const auto& [node, numbers] : plan.operations) out += "do " + std::to_string(node) + " " + list_of(numbers) + "\n";
  for (const auto& [node, call] : plan.calls) print_call(node, call, out);
  if (plan.policies != defaults.policies) {
    for (const PolicyPlan& policy : plan.policies) print_policy(policy, out);
  }
  for (const Incident& incident : plan.incidents) print_incident(incident, out);
  return out;
}

Result<Plan, std::string> parse_plan(std::string_view text) {
  Plan plan;
  const std::vector<PolicyPlan> usual = std::exchange(plan.policies, {});
  std::vector<std::size_t> incident_lines, operation_lines, call_lines, node_lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const Line line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    if (!read(line, plan)) return at_line(number, "not understood: " + std::string(line.word(0)));
    if (const std::string_view wrong = objection(plan); !wrong.empty()) return at_line(number, std::string(line.word(0)).append(": ").append(wrong));
    incident_lines.resize(plan.incidents.size(), number);
    operation_lines.resize(plan.operations.size(), number);
    call_lines.resize(plan.calls.size(), number);
    node_lines.resize(plan.nodes.size(), number);
  }
  if (plan.policies.empty()) plan.policies = usual;
  const auto wrong = objection_to_whole(plan);
  if (!wrong) return plan;
  const std::vector<std::size_t>& lines = wrong->about == PlanObjection::About::incident    ? incident_lines
                                          : wrong->about == PlanObjection::About::operations ? operation_lines
                                          : wrong->about == PlanObjection::About::call       ? call_lines
                                                                                             : node_lines;
  return wrong->about == PlanObjection::About::plan ? std::string(wrong->what) : at_line(lines[wrong->number], wrong->what);
}

}  // namespace statefs::sim
