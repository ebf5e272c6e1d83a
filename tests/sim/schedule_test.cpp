#include "sim/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace statefs::sim {
namespace {

class Recorder : public Handler {
 public:
  void fire(std::uint32_t, std::uint64_t argument) override { fired.push_back(argument); }
  std::vector<std::uint64_t> fired;
};

std::vector<std::uint64_t> order_of_ties(std::uint64_t seed, std::size_t count) {
  RandomSource random(seed);
  Schedule schedule(random);
  Recorder recorder;
  for (std::size_t i = 0; i < count; ++i) schedule.at(Time{5}, {&recorder, 0, 0, i});
  while (schedule.run_one()) {
  }
  return recorder.fired;
}

TEST(Schedule, FiresInOrderOfTime) {
  RandomSource random(1);
  Schedule schedule(random);
  Recorder recorder;
  RandomStream times = random.stream("times");
  std::vector<std::uint64_t> expected;
  for (int i = 0; i < 1'000; ++i) {
    const std::uint64_t time = times.below(1'000'000);
    expected.push_back(time);
    schedule.at(Time{static_cast<std::int64_t>(time)}, {&recorder, 0, 0, time});
  }
  std::sort(expected.begin(), expected.end());
  while (schedule.run_one()) {
  }
  EXPECT_EQ(recorder.fired, expected);
  EXPECT_EQ(schedule.now().ns, static_cast<std::int64_t>(expected.back()));
}

TEST(Schedule, PermutesTiesByTheSeedAndOnlyByIt) {
  const auto one = order_of_ties(1, 20);
  EXPECT_EQ(one, order_of_ties(1, 20));
  EXPECT_NE(one, order_of_ties(2, 20));
  EXPECT_FALSE(std::is_sorted(one.begin(), one.end()));
  auto sorted = one;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) EXPECT_EQ(sorted[i], i);
}

TEST(Schedule, ReachesEveryOrderOfThreeTies) {
  std::vector<std::vector<std::uint64_t>> orders;
  for (std::uint64_t seed = 0; seed < 200; ++seed) orders.push_back(order_of_ties(seed, 3));
  std::sort(orders.begin(), orders.end());
  orders.erase(std::unique(orders.begin(), orders.end()), orders.end());
  EXPECT_EQ(orders.size(), 6u);
}

TEST(Schedule, ACancelledEventNeverFiresAndItsIdNamesNoLaterOne) {
  RandomSource random(1);
  Schedule schedule(random);
  Recorder recorder;
  const EventId first = schedule.at(Time{1}, {&recorder, 0, 0, 1});
  schedule.at(Time{2}, {&recorder, 0, 0, 2});
  EXPECT_TRUE(schedule.cancel(first));
  EXPECT_FALSE(schedule.cancel(first));
  const EventId reused = schedule.at(Time{3}, {&recorder, 0, 0, 3});  // takes the slot that was freed
  EXPECT_FALSE(schedule.cancel(first));
  while (schedule.run_one()) {
  }
  EXPECT_EQ(recorder.fired, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_FALSE(schedule.cancel(reused));
}

TEST(Schedule, StaysInOrderUnderRandomCancellation) {
  RandomSource random(2);
  Schedule schedule(random);
  Recorder recorder;
  RandomStream draw = random.stream("draw");
  std::vector<std::pair<EventId, std::uint64_t>> pending;
  std::vector<std::uint64_t> expected;
  for (int i = 0; i < 5'000; ++i) {
    const std::uint64_t time = draw.below(1'000'000'000);
    pending.emplace_back(schedule.at(Time{static_cast<std::int64_t>(time)}, {&recorder, 0, 0, time}), time);
  }
  for (const auto& [id, time] : pending) {
    if (draw.chance({1, 2})) {
      ASSERT_TRUE(schedule.cancel(id));
    } else {
      expected.push_back(time);
    }
  }
  EXPECT_EQ(schedule.pending(), expected.size());
  std::sort(expected.begin(), expected.end());
  while (schedule.run_one()) {
  }
  EXPECT_EQ(recorder.fired, expected);
}

TEST(RunDigest, DependsOnEveryField) {
  const EventMark base{Time{1}, 2, 3, 4, 5};
  const auto value_of = [](const EventMark& mark) {
    RunDigest digest;
    digest.add(mark);
    return digest.value();
  };
  EventMark other = base;
  other.time.ns = 9;
  EXPECT_NE(value_of(base), value_of(other));
  other = base;
  other.node = 9;
  EXPECT_NE(value_of(base), value_of(other));
  other = base;
  other.kind = 9;
  EXPECT_NE(value_of(base), value_of(other));
  other = base;
  other.payload = 9;
  EXPECT_NE(value_of(base), value_of(other));
  other = base;
  other.draws = 9;
  EXPECT_NE(value_of(base), value_of(other));
  EXPECT_EQ(value_of(base), value_of(base));
}

TEST(RunDigest, NamesTheEventsAmongWhichTwoRunsFirstDiffer) {
  for (const std::uint64_t length : {100u, 70'000u, 300'000u}) {
    for (const std::uint64_t at : {std::uint64_t{0}, length / 3, length - 1}) {
      RunDigest a, b;
      for (std::uint64_t i = 0; i < length; ++i) {
        EventMark mark{Time{static_cast<std::int64_t>(i)}, 0, 0, i, 0};
        a.add(mark);
        if (i == at) mark.payload = ~i;
        b.add(mark);
      }
      const auto range = first_difference(a, b);
      ASSERT_TRUE(range.has_value());
      EXPECT_LE(range->first, at);
      EXPECT_GT(range->last, at);
      EXPECT_LE(range->last - range->first, std::max<std::uint64_t>(128, length / 256));
      EXPECT_EQ(first_difference(a, a), std::nullopt);
    }
  }
}

TEST(RunDigest, FindsTheDifferenceBetweenRunsOfDifferentLength) {
  RunDigest a, b;
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const EventMark mark{Time{static_cast<std::int64_t>(i)}, 0, 0, i, 0};
    a.add(mark);
    if (i < 1'000) b.add(mark);
  }
  const auto range = first_difference(a, b);
  ASSERT_TRUE(range.has_value());
  EXPECT_LE(range->first, 1'000u);
  EXPECT_GT(range->last, 1'000u);
}

TEST(Schedule, RecordsTheMarksItWasAskedFor) {
  RandomSource random(1);
  Schedule schedule(random);
  Recorder recorder;
  for (std::int64_t i = 0; i < 10; ++i) schedule.at(Time{i}, {&recorder, 7, 1, static_cast<std::uint64_t>(i)});
  schedule.record({3, 5});
  while (schedule.run_one()) {
  }
  ASSERT_EQ(schedule.recorded().size(), 2u);
  EXPECT_EQ(schedule.recorded()[0], (EventMark{Time{3}, 7, 1, 3, 0}));
}

TEST(HashBytes, TellsSizesAndPlacesApart) {
  const Bytes zeros(40, 0);
  std::vector<std::uint64_t> seen;
  for (std::size_t size = 0; size <= zeros.size(); ++size) seen.push_back(hash_bytes(ByteView(zeros).first(size)));
  for (std::size_t at = 0; at < zeros.size(); ++at) {
    Bytes one = zeros;
    one[at] = 1;
    seen.push_back(hash_bytes(one));
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
}

}  // namespace
}  // namespace statefs::sim
