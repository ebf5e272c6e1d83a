#include "sim/campaign/worker_pool.h"

#include <poll.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace statefs::sim {
namespace {

constexpr std::size_t seed_size = sizeof(std::uint64_t);
constexpr std::size_t prefix_size = sizeof(std::uint32_t);

bool is_whole(const Bytes& answer) { return answer.size() >= prefix_size && answer.size() - prefix_size >= load_le<std::uint32_t>(answer.data()); }

void keep_tail(std::string& tail, ByteView more) {
  tail.append(as_text(more));
  if (tail.size() > WorkerPool::tail_size_max) tail.erase(0, tail.size() - WorkerPool::tail_size_max);
}

// Each line apart, so that no line of a crashed program looks like one of this program.
std::string quoted(const std::string& tail) {
  std::string lines;
  for (std::size_t at = 0; at < tail.size();) {
    const std::size_t end = std::min(tail.find('\n', at), tail.size());
    lines.append("  | ").append(tail, at, end - at).append(1, '\n');
    at = end + 1;
  }
  return lines;
}

}  // namespace

std::uint32_t processor_count() {
  cpu_set_t usable;
  if (::sched_getaffinity(0, sizeof usable, &usable) != 0) return 1;
  return static_cast<std::uint32_t>(CPU_COUNT(&usable));
}

WorkerPool::WorkerPool(SeedRunner run, std::uint32_t count, std::uint32_t cpu_seconds)
    : run_(std::move(run)), cpu_seconds_(cpu_seconds), workers_(count), sigpipe_before_(std::signal(SIGPIPE, SIG_IGN)) {}

WorkerPool::~WorkerPool() {
  workers_.clear();
  std::signal(SIGPIPE, sigpipe_before_);
}

bool WorkerPool::start(Worker& worker) {
  worker.child = Child([this](int commands, int answers) { return serve(commands, answers); }, Child::Streams::captured);
  if (!worker.child.valid()) problem_ = std::string("no worker could be started: ") + std::strerror(errno);
  return worker.child.valid();
}

// In the child: until there are no more commands.
int WorkerPool::serve(int commands, int answers) const {
  Bytes command;
  while (read_some(commands, command)) {
    if (command.size() < seed_size) continue;
    limit_cpu_seconds(cpu_seconds_);
    Bytes answer(prefix_size);
    encode(run_(load_le<std::uint64_t>(command.data())), answer);
    limit_cpu_seconds(0);
    store_le(answer.data(), static_cast<std::uint32_t>(answer.size() - prefix_size));
    if (!write_all(answers, answer)) return 0;
    command.clear();
  }
  return 0;
}

bool WorkerPool::has_idle() const {
  return std::any_of(workers_.begin(), workers_.end(), [](const Worker& each) { return !each.busy; });
}

void WorkerPool::give(std::uint64_t index, std::uint64_t seed) {
  const auto idle = std::find_if(workers_.begin(), workers_.end(), [](const Worker& each) { return !each.busy; });
  STATEFS_CHECK(idle != workers_.end());
  if (!problem_.empty()) return;
  if (!idle->child.valid() && !start(*idle)) return;
  idle->index = index;
  idle->seed = seed;
  idle->answer.clear();
  idle->tail.clear();
  idle->busy = true;
  std::uint8_t command[seed_size];
  store_le(command, seed);
  (void)idle->child.send(command);  // one that is gone is found so when it is listened to
}

std::vector<WorkerAnswer> WorkerPool::take(int wait_ms) {
  std::vector<WorkerAnswer> answers;
  std::vector<pollfd> polled;
  std::vector<Worker*> of;
  for (Worker& each : workers_) {
    if (!each.busy) continue;
    polled.push_back({each.child.answers(), POLLIN, 0});
    polled.push_back({each.child.output(), POLLIN, 0});
    of.push_back(&each);
  }
  if (::poll(polled.data(), polled.size(), wait_ms) <= 0) return answers;
  for (std::size_t i = 0; i < of.size(); ++i) {
    Bytes written;
    if (polled[2 * i + 1].revents != 0 && read_some(of[i]->child.output(), written)) keep_tail(of[i]->tail, written);
    if (polled[2 * i].revents != 0) listen(*of[i], answers);
  }
  return answers;
}

void WorkerPool::listen(Worker& worker, std::vector<WorkerAnswer>& answers) {
  if (!read_some(worker.child.answers(), worker.answer)) return bury(worker, answers);
  if (!is_whole(worker.answer)) return;
  std::optional<SeedResult> result = decode_result(ByteView(worker.answer).subspan(prefix_size));
  if (!result) {
    problem_ = "the answer of a worker to seed " + std::to_string(worker.seed) + " cannot be read";
    return;
  }
  answers.push_back({worker.index, std::move(*result)});
  worker.busy = false;
}

void WorkerPool::bury(Worker& worker, std::vector<WorkerAnswer>& answers) {
  for (Bytes written; read_some(worker.child.output(), written); written.clear()) keep_tail(worker.tail, written);
  const ChildEnd end = worker.child.wait();
  worker.busy = false;
  if (end.outside) {
    problem_ = "a worker was ended from outside while it ran seed " + std::to_string(worker.seed) + ": " + end.text;
    return;
  }
  answers.push_back({worker.index, crashed(worker.seed, end.text, quoted(worker.tail))});
}

}  // namespace statefs::sim
