#include <gtest/gtest.h>

#include "tests/sim/pair.h"

namespace statefs::sim {
namespace {

constexpr std::uint32_t node_count = 3;

// One end of one stream, its user, and the model of what it wrote and got.
struct Talker final : StreamUser {
  bool stream_offered(StreamEnd) override { return false; }
  void stream_ready(StreamEnd) override { ++calls; }
  StreamEnd end;
  Bytes written, received;
  bool left = false, ended = false, broken = false;
  int calls = 0, calls_when_left = 0;
};

Talker& add_talker(std::vector<std::unique_ptr<Talker>>& talkers, StreamEnd end) {
  talkers.push_back(std::make_unique<Talker>());
  talkers.back()->end = end;
  return *talkers.back();
}

// Takes the streams that are offered to a node.
struct Listener final : StreamUser {
  explicit Listener(std::vector<std::unique_ptr<Talker>>& all) : talkers(all) {}
  bool stream_offered(StreamEnd end) override {
    mine[end] = &add_talker(talkers, end);
    return true;
  }
  void stream_ready(StreamEnd end) override { mine.at(end)->stream_ready(end); }
  std::vector<std::unique_ptr<Talker>>& talkers;
  std::map<StreamEnd, Talker*> mine;
};

Faults drawn_faults(RandomStream& random) {
  Faults faults;
  const auto ratio = [&random] { return random.chance({1, 2}) ? Ratio{1, static_cast<std::uint32_t>(random.between(2, 10))} : Ratio{}; };
  faults.link.jitter = milliseconds(static_cast<std::int64_t>(random.skewed(100)));
  faults.link.bytes_per_second = random.chance({1, 3}) ? random.between(1'000, 1'000'000) : 0;
  faults.link.loss = ratio();
  faults.link.retransmissions_max = random.between(1, 10);
  faults.link.rto_min = milliseconds(static_cast<std::int64_t>(random.below(300)));
  faults.link.give_up_after = seconds(static_cast<std::int64_t>(random.below(30)));
  faults.link.connect_timeout = seconds(static_cast<std::int64_t>(random.between(1, 30)));
  faults.stream.send_window = random.between(1, 2'000);
  faults.stream.cuts = {1, 1, 1, 1};
  for (Ratio* each : {&faults.stream.short_write, &faults.stream.blocked_write, &faults.stream.short_read, &faults.stream.refused,
                      &faults.stream.broken_unread, &faults.stream.slow_close, &faults.stream.stalled_read, &faults.stream.late_error}) {
    *each = ratio();
  }
  faults.stream.close_delay_max = faults.stream.stall_max = faults.stream.error_delay_max = seconds(static_cast<std::int64_t>(random.below(9)));
  faults.cut_per_write = random.chance({1, 2}) ? Ratio{1, 40} : Ratio{};
  return faults;
}

class Storm {
 public:
  explicit Storm(std::uint64_t seed)
      : source_(seed), random_(seed, "storm"), schedule_(source_), trace_(schedule_), network_(source_, schedule_, trace_, drawn_faults(random_)) {
    for (NodeId node = 0; node < node_count; ++node) {
      listeners_.push_back(std::make_unique<Listener>(talkers_));
      network_.listen(node, listeners_.back().get());
    }
    trace_.keep_entries(false);
  }

  void rage(int steps) {
    for (int i = 0; i < steps; ++i) {
      for (std::uint64_t events = random_.skewed(30); events > 0 && schedule_.run_one(); --events) {
      }
      if (talkers_.size() < 2 || random_.chance({1, 12})) connect();
      touch(*talkers_[random_.below(talkers_.size())]);
      if (random_.chance({1, 6})) strike();
    }
  }

  // Faults stop, and everybody who is left ends, and reads until the other does: then everything ends, in bounded time.
  void settle() {
    network_.heal_all();
    network_.set_faults(Faults{});
    for (NodeId node = 0; node < node_count; ++node) network_.revive(node);
    for (int rounds = 0; rounds < 200; ++rounds) {
      const Time until = schedule_.now() + seconds(5);
      while (schedule_.next_time() <= until && schedule_.run_one()) {
      }
      schedule_.pass_to(until);
      for (std::size_t i = 0; i < talkers_.size(); ++i) {
        Talker& each = *talkers_[i];
        if (each.left) continue;
        network_.stream(each.end).finish_writing(each.end.side);
        read(each);
        if (each.ended || each.broken) leave(each, false);
      }
    }
  }

  // Half-open ones: their user gives up, at last.
  std::size_t leave_all() {
    std::size_t count = 0;
    for (const auto& each : talkers_) {
      if (each->left) continue;
      ++count;
      leave(*each, true);
    }
    while (schedule_.run_one()) {
    }
    return count;
  }

  void check() {
    for (const auto& each : talkers_) {
      EXPECT_TRUE(!each->left || each->calls == each->calls_when_left) << "a user that left was called";
      for (const auto& peer : talkers_) {
        if (peer->end.stream != each->end.stream || peer->end.side == each->end.side) continue;
        ASSERT_LE(each->received.size(), peer->written.size());
        EXPECT_TRUE(std::equal(each->received.begin(), each->received.end(), peer->written.begin())) << "not what was written";
        EXPECT_TRUE(!each->ended || each->received.size() == peer->written.size()) << "a clean end, and bytes are missing";
      }
    }
    EXPECT_EQ(network_.stream_count(), 0u);
    EXPECT_EQ(schedule_.pending(), 0u);
  }

  bool may_be_half_open() {
    const FaultCounts& counts = network_.counts();
    return counts[FaultKind::vanish] + counts[FaultKind::partition] + counts[FaultKind::connect_timeout] > 0;
  }
  FaultCounts& counts() { return network_.counts(); }
  [[nodiscard]] std::uint64_t digest() const { return schedule_.digest().value(); }
  std::size_t received_size() const {
    std::size_t size = 0;
    for (const auto& each : talkers_) size += each->received.size();
    return size;
  }

 private:
  void connect() {
    const auto from = static_cast<NodeId>(random_.below(node_count));
    const auto to = static_cast<NodeId>((from + random_.between(1, node_count - 1)) % node_count);
    Talker& added = add_talker(talkers_, {});
    added.end = network_.connect(from, to, added);
  }
  void read(Talker& talker) {
    Stream& stream = network_.stream(talker.end);
    for (ByteView bytes = stream.read(talker.end.side, 500); !bytes.empty(); bytes = stream.read(talker.end.side, 500)) {
      talker.received.insert(talker.received.end(), bytes.begin(), bytes.end());
    }
    talker.ended = talker.ended || stream.at_end(talker.end.side);
    talker.broken = talker.broken || stream.broken(talker.end.side);
  }
  void leave(Talker& talker, bool resets) {
    Stream& stream = network_.stream(talker.end);
    resets ? stream.reset(talker.end.side) : stream.close(talker.end.side);
    forget(talker);
  }
  void forget(Talker& talker) {
    talker.left = true;
    talker.calls_when_left = talker.calls;
    network_.release(talker.end);
  }
  void touch(Talker& talker) {
    if (talker.left) return;
    Stream& stream = network_.stream(talker.end);
    const Side side = talker.end.side;
    switch (random_.below(40)) {
      case 0: return leave(talker, false);
      case 1: return leave(talker, true);
      case 2: stream.finish_writing(side); return;
      case 3:
        stream.vanish(side);
        return forget(talker);
      case 4: stream.cut(); return;
      case 5: stream.cut_after(side, talker.written.size() + random_.below(200)); return;
      default: break;
    }
    if (random_.chance({1, 2})) read(talker);
    const Bytes bytes = pattern(random_.skewed(3'000), static_cast<std::uint8_t>(random_.next()));
    const std::size_t count = stream.write(side, bytes);
    talker.written.insert(talker.written.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  }
  void strike() {
    const auto a = static_cast<NodeId>(random_.below(node_count));
    const auto b = static_cast<NodeId>((a + random_.between(1, node_count - 1)) % node_count);
    switch (random_.below(6)) {
      case 0: network_.partition(a, b); break;
      case 1: network_.link(a, b).sever(); break;
      case 2: network_.link(a, b).block_until(schedule_.now() + milliseconds(static_cast<std::int64_t>(random_.skewed(20'000)))); break;
      case 3: network_.revive(a); break;
      default: network_.heal_all(); break;
    }
  }

  RandomSource source_;
  RandomStream random_;
  Schedule schedule_;
  Trace trace_;
  std::vector<std::unique_ptr<Talker>> talkers_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  Network network_;
};

TEST(Network, KeepsBytesAndOrderWhateverHappensToIt) {
  FaultCounts all;
  std::size_t received_size = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Storm storm(seed);
    storm.rage(400);
    storm.settle();
    EXPECT_TRUE(storm.leave_all() == 0 || storm.may_be_half_open()) << "neither delivered nor broken";
    storm.check();
    all.add(storm.counts());
    received_size += storm.received_size();
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << "seed " << seed;
      break;
    }
  }
  EXPECT_GT(received_size, 500'000u);
  for (std::size_t i = 0; i <= static_cast<std::size_t>(FaultKind::late_error); ++i) {
    EXPECT_GT(all[static_cast<FaultKind>(i)], 20u) << name_of(static_cast<FaultKind>(i));
  }
}

TEST(Network, DoesTheSameTwice) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    std::uint64_t digests[2] = {0, 0};
    for (std::uint64_t& digest : digests) {
      Storm storm(seed);
      storm.rage(300);
      storm.settle();
      digest = storm.digest();
    }
    EXPECT_EQ(digests[0], digests[1]);
  }
}

}  // namespace
}  // namespace statefs::sim
