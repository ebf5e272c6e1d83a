#include "sim/node.h"

#include <algorithm>
#include <utility>

namespace statefs::sim {
namespace {

enum : std::uint32_t { wake = 100, timer = 101 };

}  // namespace

Node::Node(NodeId id, const Ground& ground, const NodeOptions& options)
    : id_(id),
      ground_(ground),
      options_(options),
      clock_(options.clock),
      keys_(ground.random.stream("key/" + std::to_string(id))),
      ephemerals_(keys_.split("ephemeral")),
      random_(ground.random.stream("node/" + std::to_string(id))),
      identity_(ground.suite.import(secret_from(keys_))) {}

SecretKey Node::secret_from(RandomStream& stream) {
  std::array<std::uint8_t, 32> bytes{};
  stream.fill(bytes);
  return SecretKey(bytes);
}

Time Node::wake_time() {
  const auto delay = static_cast<std::uint64_t>(options_.wake_delay_max.ns);
  return ground_.schedule.now() + nanoseconds(static_cast<std::int64_t>(random_.below(delay + 1)));
}

Program::~Program() {
  crashed_ = true;
  stop();
  end_streams(false);
}

void Program::stop() {
  Schedule& schedule = node_.ground().schedule;
  schedule.cancel(std::exchange(wake_event_, 0));
  schedule.cancel(std::exchange(timer_event_, 0));
  ready_.clear();
}

void Program::crash(bool silent) {
  if (std::exchange(crashed_, true)) return;
  stop();
  end_streams(silent);
  node_.ground().trace.add(node_.id(), TraceKind::node_down, incarnation_);
}

void Program::restart() {
  if (!std::exchange(crashed_, false)) return;
  ++incarnation_;
  node_.ground().trace.add(node_.id(), TraceKind::node_up, incarnation_);
  started();
  request_wake();
}

void Program::end_streams(bool silent) {
  for (const StreamEnd end : std::exchange(ends_, {})) {
    if (silent) stream(end).vanish(end.side);
    else stream(end).reset(end.side);
    node_.ground().network.release(end);
  }
}

void Program::request_wake() {
  if (wake_event_ == 0 && !crashed_) wake_event_ = node_.ground().schedule.at(node_.wake_time(), {this, node_.id(), wake, 0});
}

bool Program::stream_offered(StreamEnd end) {
  if (crashed_ || !accepts()) return false;
  ends_.insert(end);
  stream_ready(end);
  return true;
}

void Program::stream_ready(StreamEnd end) {
  if (std::find(ready_.begin(), ready_.end(), end) == ready_.end()) ready_.push_back(end);
  request_wake();
}

StreamEnd Program::connect(NodeId to) {
  const StreamEnd end = node_.ground().network.connect(node_.id(), to, *this);
  ends_.insert(end);
  return end;
}

void Program::close(StreamEnd end) {
  const std::uint8_t side = static_cast<std::uint8_t>(end.side);
  node_.ground().trace.add(node_.id(), TraceKind::stream_closed, end.stream, {&side, 1});
  stream(end).close(end.side);
  node_.ground().network.release(end);
  ends_.erase(end);
  std::erase(ready_, end);
}

void Program::fire(std::uint32_t kind, std::uint64_t) {
  Schedule& schedule = node_.ground().schedule;
  if (schedule.now() < paused_until_) {
    (kind == timer ? timer_event_ : wake_event_) = schedule.at(paused_until_, {this, node_.id(), kind, 0});
    if (kind == timer) timer_time_ = paused_until_;
    return;
  }
  if (kind == timer) {
    timer_event_ = 0;
    // Deadlines mostly move later, so a timer is not moved with them: one that comes early is set again.
    if (deadline() > node_.now().monotonic) return arm_timer();
  } else {
    STATEFS_CHECK(kind == wake);
    wake_event_ = 0;
  }
  std::vector<StreamEnd> ready;
  ready.swap(ready_);
  const std::uint64_t scheduled = schedule.scheduled_count();
  const std::size_t entries = node_.ground().trace.entries().size();
  work(ready, node_.now());
  const bool has_written = std::exchange(wrote_, false);
  note_timer(kind != timer || has_written || scheduled != schedule.scheduled_count() || entries != node_.ground().trace.entries().size());
  if (!crashed_) arm_timer();
}

// Deadlines of connections come and are set again, a log without room is tried again, a flush begins: so much and no more.
void Program::note_timer(bool had_effect) {
  constexpr std::uint64_t at_once_max = 256, per_second_max = 64;
  const Time now = node_.ground().schedule.now();
  if (had_effect) {
    idle_timers_ = 0;
    return;
  }
  if (idle_timers_++ == 0) idle_since_ = now;
  const std::uint64_t explained = at_once_max + per_second_max * static_cast<std::uint64_t>((now - idle_since_).ns / seconds(1).ns);
  if (idle_timers_ <= explained) return;
  if (idle_timers_at_ == no_place) idle_timers_at_ = node_.ground().trace.here();
  idle_timers_most_ = std::max(idle_timers_most_, idle_timers_ - explained);
}

void Program::arm_timer() {
  Schedule& schedule = node_.ground().schedule;
  const Time due = node_.clock().world_time_of(deadline());
  // One that came for nothing would be left over in the end.
  if (due == never) return void(schedule.cancel(std::exchange(timer_event_, 0)));
  if (timer_event_ != 0 && timer_time_ <= due) return;
  schedule.cancel(timer_event_);
  timer_time_ = std::max(due, schedule.now());
  timer_event_ = schedule.at(timer_time_, {this, node_.id(), timer, 0});
}

}  // namespace statefs::sim
