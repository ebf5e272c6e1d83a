#include "sim/grounds.h"

#include <deque>

#include "sim/incident.h"

namespace statefs::sim {
namespace {

constexpr std::uint64_t entry_overhead = 48;  // of a record in the log: length, index, hash; a journal's has its size there too

bool begins_epoch(std::uint64_t index) { return (index & ((std::uint64_t{1} << 40) - 1)) == 0; }

// The records that lie in the log, as they come, are exported and are lost. An epoch's own is not in the trace until it is
// exported, so it is taken for the largest that there can be.
class LogFill {
 public:
  explicit LogFill(std::uint64_t capacity) : capacity_(capacity) {}

  void push(std::uint64_t index, std::uint64_t size) {
    lying_.push_back({index, size});
    used_ += size;
  }
  void export_to(std::uint64_t index) {
    for (; !lying_.empty() && lying_.front().first <= index; lying_.pop_front()) used_ -= lying_.front().second;
  }
  void lose_above(std::uint64_t index) {
    for (; !lying_.empty() && lying_.back().first > index; lying_.pop_back()) used_ -= lying_.back().second;
  }
  [[nodiscard]] std::uint64_t free() const { return capacity_ - std::min(capacity_, used_); }

 private:
  std::uint64_t capacity_;
  std::uint64_t used_ = 0;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> lying_;
};

}  // namespace

Grounds::Grounds(const Case& of) : of_(of), sessions_(of) {
  take_events();
  fill_log();
}

void Grounds::take_events() {
  for (const SeenEvent& event : of_.history().events) {
    if (event.node != of_.server()) continue;
    if (event.kind == TraceKind::durable) durable_.push_back({event.at, event.argument});
    if (event.kind == TraceKind::node_up) {
      ups_.push_back({event.at, event.at});
      failed_.push_back({event.at, 0});
    }
    if (event.kind == TraceKind::store_failed || event.kind == TraceKind::store_refused) failed_.push_back({event.at, 1});
    if (event.kind == TraceKind::log_fill) filled_.push_back({event.at, event.argument});
    if (of_.store().is_journal) continue;  // it says so itself
    if (event.kind == TraceKind::fault && as_text(event.payload) == name_of(IncidentKind::store_fail)) failed_.push_back({event.at, 1});
  }
}

void Grounds::fill_log() {
  const History& history = of_.history();
  LogFill log(of_.store().audit_ring_size);
  auto append = history.appends.begin();
  auto exported = history.exports.begin();
  const auto take_until = [&](Place place) {
    for (;;) {
      const Place next_append = append == history.appends.end() ? no_place : append->at;
      const Place next_export = exported == history.exports.end() ? no_place : exported->at;
      const Place next = std::min(next_append, next_export);
      if (next >= place) return;
      if (next == next_append) {
        log.push(append->index, entry_overhead + append->encoded.size());
        last_index_.push_back({next, append->index});
        ++append;
      } else {
        log.export_to(exported->index);
        ++exported;
      }
      free_.push_back({next, log.free()});
    }
  };
  for (const SeenEvent& event : history.events) {
    if (event.node != of_.server() || (event.kind != TraceKind::durable && event.kind != TraceKind::store_lost)) continue;
    take_until(event.at);
    if (event.kind == TraceKind::durable && !begins_epoch(event.argument)) continue;
    if (event.kind == TraceKind::durable) log.push(event.argument, log_entry_size_max);
    else log.lose_above(event.argument);
    last_index_.push_back({event.at, event.argument});
    free_.push_back({event.at, log.free()});
  }
  take_until(no_place);
}

std::uint64_t Grounds::most_between(const Steps& steps, Place from, Place to) {
  std::uint64_t most = value_at(steps, from);
  for (const auto& [place, value] : steps) most = place > from && place <= to ? std::max(most, value) : most;
  return most;
}

std::uint64_t Grounds::log_free_least(Place from, Place to) const {
  if (most_between(filled_, from, to) != 0) return 0;
  const auto after = [this](Place place) {
    return std::upper_bound(free_.begin(), free_.end(), place, [](Place p, const auto& each) { return p < each.first; });
  };
  auto step = after(from);
  if (step != free_.begin()) --step;
  std::uint64_t least = of_.store().audit_ring_size;
  for (const auto end = after(to); step < end; ++step) least = std::min(least, step->second);
  return least;
}

// Answers that say so are rare, so the whole store is looked at for each.
bool Grounds::lacked_space(std::string_view key, std::uint64_t value_size, Place from, Place to) const {
  const Timeline timeline(of_);
  return timeline.at_some_moment(from, to + 1, [&](Place place) {
    std::uint64_t keys = 1, bytes = value_size;
    for (const auto& [name, versions] : timeline.keys()) {
      const Version version = Timeline::at(versions, place);
      if (name == key || version.revision == 0) continue;
      ++keys;
      bytes += version.value.size();
    }
    return keys > of_.store().keys_max || bytes > of_.store().value_bytes_max;
  });
}

}  // namespace statefs::sim
