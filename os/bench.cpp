// bench: load from many connections in one thread, each keeping `pipeline` requests in flight, and the time each took.
#include <sys/epoll.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <deque>
#include <vector>

#include "os/clock.h"
#include "os/entropy.h"
#include "os/event_loop.h"
#include "os/histogram.h"
#include "os/verbs.h"

namespace statefs::cli {
namespace {

struct Outstanding {
  CallId call = 0;
  Time sent;
};
struct Lane {
  explicit Lane(ClientLink from) : link(std::move(from)) {}
  ClientLink link;
  std::vector<Outstanding> outstanding;
  bool watches_write = false;
};

class Bench {
 public:
  Bench(const BenchOptions& options, EventLoop loop) : options_(options), loop_(std::move(loop)), value_(options.value_size) {
    fill_random(value_);
    random_ = load_le<std::uint64_t>(random_bytes<8>().data()) | 1;
  }
  void add_lane(ClientLink link) { lanes_.emplace_back(std::move(link)); }

  [[nodiscard]] std::optional<Failure> connect(Duration timeout);
  [[nodiscard]] std::optional<Failure> fill();
  [[nodiscard]] std::optional<Failure> measure();
  [[nodiscard]] std::string report() const;

 private:
  void run_once(Time until);
  void take_completions(Lane& lane, Time now);
  void top_up(Lane& lane, Time now);
  void watch(Lane& lane, std::size_t number);
  void set_key(std::uint64_t number);
  std::uint64_t next_random();
  [[nodiscard]] std::size_t outstanding() const;
  [[nodiscard]] std::optional<Failure> trouble() const;
  void show_progress(Time now);

  const BenchOptions options_;
  EventLoop loop_;
  std::deque<Lane> lanes_;
  Bytes value_;
  std::string key_;
  std::uint64_t random_ = 1;
  std::uint64_t fill_next_ = 0;
  bool filling_ = false;
  bool stopping_ = true;
  Histogram histogram_;
  std::uint64_t refused_ = 0;
  std::optional<Status> first_refusal_;
  std::uint64_t unanswered_ = 0;
  Time started_;
  Time finished_;
  Time progress_at_;
};

std::uint64_t Bench::next_random() {  // xorshift64: which key comes next needs no more
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_;
}

void Bench::set_key(std::uint64_t number) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "%010" PRIu64, number % 10'000'000'000u);
  key_ = options_.prefix + digits;
}

void Bench::top_up(Lane& lane, Time now) {
  while (!stopping_ && lane.outstanding.size() < options_.pipeline) {
    if (filling_ && fill_next_ >= options_.keys) return;
    set_key(filling_ ? fill_next_ : next_random() % options_.keys);
    RequestBody request;
    if (filling_ || options_.op == "put") {
      request = PutRequest{{}, std::nullopt, as_bytes(key_), options_.value_size, value_, std::nullopt};
    } else {
      request = GetRequest{std::nullopt, 0, static_cast<std::uint32_t>(limits::value_size_max), as_bytes(key_)};
    }
    const auto call = lane.link.client().submit(request, never, now);
    if (!call) return;
    if (filling_) ++fill_next_;
    lane.outstanding.push_back({call.value(), now});
  }
}

void Bench::take_completions(Lane& lane, Time now) {
  while (auto completion = lane.link.client().take_completion()) {
    // Answers come in order nearly always, so the first one looked at is the one.
    for (auto it = lane.outstanding.begin(); it != lane.outstanding.end(); ++it) {
      if (it->call != completion->call) continue;
      if (!filling_ && !stopping_) histogram_.add((now - it->sent).ns);
      lane.outstanding.erase(it);
      break;
    }
    if (completion->result != CallResult::answered) {
      ++unanswered_;
    } else if (completion->response.status != Status::ok) {
      ++refused_;
      if (!first_refusal_) first_refusal_ = completion->response.status;
    }
  }
}

void Bench::watch(Lane& lane, std::size_t number) {
  if (lane.link.fd() < 0 || lane.link.wants_write() == lane.watches_write) return;
  lane.watches_write = lane.link.wants_write();
  loop_.modify(lane.link.fd(), lane.watches_write ? EPOLLIN | EPOLLOUT : EPOLLIN, number);
}

void Bench::run_once(Time until) {
  const auto events = loop_.wait(until);
  const Now now = read_clock();
  for (const epoll_event& event : events) {
    Lane& lane = lanes_[static_cast<std::size_t>(event.data.u64)];
    lane.link.service((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0, (event.events & EPOLLOUT) != 0, now);
    take_completions(lane, now.monotonic);
    top_up(lane, now.monotonic);
    lane.link.flush(now);
    watch(lane, static_cast<std::size_t>(event.data.u64));
  }
  show_progress(now.monotonic);
}

std::optional<Failure> Bench::connect(Duration timeout) {
  const Time deadline = read_monotonic() + timeout;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    // One after the other: a server takes a bounded number of handshakes at a time.
    while (!lane.link.client().ready()) {
      const Now now = read_clock();
      if (lane.link.open(now)) {
        lane.watches_write = true;
        if (!loop_.add(lane.link.fd(), EPOLLIN | EPOLLOUT, i))
          return Failure{Exit::failed, "bench: no room for so many connections in one process: raise ulimit -n"};
      }
      if (lane.link.ends() > 0 || now.monotonic >= deadline) {
        return Failure{Exit::failed, "bench: connection " + std::to_string(i + 1) + " of " + std::to_string(lanes_.size()) +
                                         " was not accepted: ask for fewer connections"};
      }
      run_once(deadline);
    }
  }
  return std::nullopt;
}

std::size_t Bench::outstanding() const {
  std::size_t count = 0;
  for (const Lane& lane : lanes_) count += lane.outstanding.size();
  return count;
}

std::optional<Failure> Bench::trouble() const {
  if (first_refusal_) return refused("bench " + options_.op, options_.prefix, *first_refusal_);
  for (const Lane& lane : lanes_) {
    if (lane.link.ends() > 0)
      return Failure{Exit::failed, "bench: the server closed a connection; what dsoftbusd printed may say why"};
  }
  return std::nullopt;
}

std::optional<Failure> Bench::fill() {
  filling_ = true;
  stopping_ = false;
  for (Lane& lane : lanes_) {
    const Now now = read_clock();
    top_up(lane, now.monotonic);
    lane.link.flush(now);
  }
  const Time deadline = read_monotonic() + seconds(120);
  while (fill_next_ < options_.keys || outstanding() > 0) {
    if (auto failure = trouble()) return failure;
    if (read_monotonic() >= deadline)
      return Failure{Exit::failed, "bench: the keys to read could not be written within two minutes"};
    run_once(read_monotonic() + milliseconds(200));
  }
  filling_ = false;
  return std::nullopt;
}

std::optional<Failure> Bench::measure() {
  stopping_ = false;
  started_ = read_monotonic();
  progress_at_ = started_ + seconds(1);
  const Time deadline = started_ + seconds(options_.seconds);
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const Now now = read_clock();
    top_up(lanes_[i], now.monotonic);
    lanes_[i].link.flush(now);
    watch(lanes_[i], i);
  }
  while (read_monotonic() < deadline) {
    if (auto failure = trouble()) return failure;
    run_once(earlier_of(deadline, read_monotonic() + milliseconds(200)));
  }
  finished_ = read_monotonic();
  stopping_ = true;
  const Time drained = finished_ + seconds(2);
  while (outstanding() > 0 && read_monotonic() < drained) run_once(drained);
  return trouble();
}

void Bench::show_progress(Time now) {
  if (stopping_ || filling_ || options_.json || now < progress_at_ || ::isatty(STDERR_FILENO) != 1) return;
  progress_at_ = now + seconds(1);
  const double elapsed = static_cast<double>((now - started_).ns) / 1e9;
  std::fprintf(stderr, "\rbench %s: %3.0f of %u s, %.0f operations/s ", options_.op.c_str(), elapsed, options_.seconds,
               static_cast<double>(histogram_.count()) / elapsed);
  std::fflush(stderr);
}

std::string Bench::report() const {
  const double elapsed = static_cast<double>((finished_ - started_).ns) / 1e9;
  const double rate = static_cast<double>(histogram_.count()) / elapsed;
  const auto us = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e3; };
  char text[512];
  const char* form =
      options_.json
          ? "{\"op\":\"%s\",\"connections\":%u,\"pipeline\":%u,\"value_size\":%u,\"seconds\":%.3f,\"operations\":%" PRIu64
            ",\"operations_per_second\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"unanswered\":"
            "%" PRIu64 "}\n"
          : "bench %s: %u connections x %u in flight, %u-byte values, %.2f s: %" PRIu64
            " operations, %.0f/s, p50 %.1f us, p99 %.1f us, p999 %.1f us, longest %.1f us, %" PRIu64 " unanswered\n";
  std::snprintf(text, sizeof text, form, options_.op.c_str(), options_.connections, options_.pipeline, options_.value_size,
                elapsed, histogram_.count(), rate, us(histogram_.quantile_ns(50, 100)), us(histogram_.quantile_ns(99, 100)),
                us(histogram_.quantile_ns(999, 1000)), us(histogram_.max_ns()), unanswered_);
  return text;
}

}  // namespace

int run_bench(const CommonOptions& common, const BenchOptions& options) {
  const auto suite = make_crypto_suite();
  auto target = resolve(*suite, common);
  if (!target) return fail(target.error());
  auto probe = Remote::open(*suite, common);  // says better than a bench what is wrong with a connection
  if (!probe) return fail(probe.error());
  if (auto hello = probe.value().greet(); !hello) return fail(hello.error());
  auto loop = EventLoop::open();
  if (!loop) return fail({Exit::failed, loop.error().line});
  Bench bench(options, std::move(loop).value());
  ClientConfig config;
  config.server = target.value().server;
  config.in_flight_max = options.pipeline;
  for (std::uint32_t i = 0; i < options.connections; ++i) {
    bench.add_lane(ClientLink(*suite, target.value().identity, config, target.value().endpoint, target.value().timeout));
  }
  auto failure = bench.connect(target.value().timeout);
  if (!failure && options.op == "get" && !options.no_fill) failure = bench.fill();
  if (!failure) failure = bench.measure();
  if (!options.json && ::isatty(STDERR_FILENO) == 1) std::fputs("\r\x1b[K", stderr);
  if (failure) return fail(*failure);
  failure = print(bench.report());
  return failure ? fail(*failure) : 0;
}

}  // namespace statefs::cli
