#include "sim/disk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/core/disk_asker.h"

namespace statefs::sim {
namespace {

using test::block_of;
using test::DiskAsker;

constexpr std::uint64_t disk_size = 8 * disk_block_size;

struct Machine : DiskOwner {
  explicit Machine(std::uint64_t seed, DiskOptions with = {}) : random(seed), options(with) {
    options.size = disk_size;
    disk.emplace(schedule, random.stream("disk/0"), 0, *this, options);
  }
  void disk_completed() override { ++told; }
  void settle() {
    disk->serve(asker);
    while (schedule.run_one()) {
    }
  }
  // The first byte of each block.
  static std::string blocks(ByteView image) {
    std::string out;
    for (std::size_t at = 0; at < image.size(); at += disk_block_size) out += static_cast<char>('0' + image[at]);
    return out;
  }
  std::string durable() const { return blocks(disk->durable()); }
  std::string visible() const { return blocks(disk->visible()); }

  RandomSource random;
  Schedule schedule{random};
  DiskOptions options;
  std::optional<Disk> disk;
  DiskAsker asker;
  int told = 0;
};

TEST(SimDisk, MakesDurableWhatAFlushCoversAndNoMore) {
  Machine machine(1);
  const BlockBuffer one = block_of(1), two = block_of(2);
  machine.asker.write(0, one);
  machine.asker.flush();
  machine.settle();
  EXPECT_EQ(machine.durable(), "10000000");
  machine.asker.write(1, two);
  machine.settle();
  EXPECT_EQ(machine.durable(), "10000000");
  EXPECT_EQ(machine.visible(), "12000000");
  machine.asker.flush();
  machine.settle();
  EXPECT_EQ(machine.durable(), "12000000");
  EXPECT_EQ(machine.told, 4);
}

// Over many seeds: a write that was handed out after a flush is sometimes done before it, and never covered by it.
TEST(SimDisk, CoversNothingThatCameAfterTheFlush) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    DiskOptions options;
    options.request_time = milliseconds(2);
    options.flush_time = milliseconds(2);
    Machine machine(seed, options);
    const BlockBuffer one = block_of(1), two = block_of(2);
    machine.asker.write(0, one);
    const std::uint64_t flush = machine.asker.flush();
    machine.asker.write(1, two);
    machine.disk->serve(machine.asker);
    while (!machine.asker.done.contains(flush)) ASSERT_TRUE(machine.schedule.run_one());
    EXPECT_EQ(machine.durable(), "10000000");
    seen.insert(machine.visible());
  }
  EXPECT_EQ(seen, (std::set<std::string>{"10000000", "12000000"}));
}

TEST(SimDisk, DoesWhatIsOutTogetherInAnyOrder) {
  std::set<std::vector<std::uint64_t>> orders;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    DiskOptions options;
    options.request_time = milliseconds(2);
    Machine machine(seed, options);
    const BlockBuffer one = block_of(1);
    for (std::uint64_t block = 0; block < 3; ++block) machine.asker.write(block, one);
    machine.disk->serve(machine.asker);
    std::vector<std::uint64_t> order;
    std::size_t known = 0;
    while (machine.schedule.run_one()) {
      for (const auto& [id, ok] : machine.asker.done) {
        if (std::find(order.begin(), order.end(), id) == order.end()) order.push_back(id);
      }
      EXPECT_EQ(order.size(), ++known);
    }
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6u);
}

TEST(SimDisk, LosesPowerAsItIsTold) {
  const BlockBuffer one = block_of(1), two = block_of(2), three = block_of(3);
  const auto after = [&](bool power_lost, DiskLoss loss) {
    Machine machine(1);
    machine.asker.write(0, one);
    machine.asker.flush();
    machine.settle();
    machine.asker.write(0, two);
    machine.asker.write(1, three);
    machine.settle();
    machine.disk->crash(power_lost, loss);
    EXPECT_TRUE(!power_lost || machine.visible() == machine.durable());
    return machine.visible();
  };
  EXPECT_EQ(after(true, DiskLoss::everything), "10000000");
  EXPECT_EQ(after(true, DiskLoss::nothing), "23000000");
  EXPECT_EQ(after(false, DiskLoss::everything), "23000000") << "a killed process loses nothing that was written";
}

TEST(SimDisk, LosesAllButOneSectorOrOneWriteOnly) {
  const BlockBuffer one = block_of(1), two = block_of(2);
  const auto after = [&](DiskLoss loss, std::uint64_t which) {
    Machine machine(1);
    machine.asker.write(0, one);
    machine.settle();
    machine.asker.write(1, two);
    machine.settle();
    machine.disk->crash(true, loss, which);
    std::string sectors;
    for (std::size_t at = 0; at < 2 * disk_block_size; at += disk_sector_size) sectors += static_cast<char>('0' + machine.disk->durable()[at]);
    return sectors;
  };
  EXPECT_EQ(after(DiskLoss::one, 2), "0010000000000000");
  EXPECT_EQ(after(DiskLoss::one, 9), "0000000002000000");
  EXPECT_EQ(after(DiskLoss::one, 16), "1000000000000000");
  EXPECT_EQ(after(DiskLoss::missing, 0), "0000000022222222");
  EXPECT_EQ(after(DiskLoss::missing, 3), "1111111100000000");
}

TEST(SimDisk, FailsTheNextRequestOfAKindAndNoOther) {
  Machine machine(1);
  const BlockBuffer one = block_of(1);
  machine.disk->fail_next(DiskRequest::Kind::flush);
  const std::uint64_t write = machine.asker.write(0, one);
  const std::uint64_t flush = machine.asker.flush();
  machine.settle();
  EXPECT_TRUE(machine.asker.done.at(write));
  EXPECT_FALSE(machine.asker.done.at(flush));
  const std::uint64_t again = machine.asker.flush();
  machine.settle();
  EXPECT_TRUE(machine.asker.done.at(again));
  machine.disk->fail_next(DiskRequest::Kind::flush);
  machine.disk->mend();
  const std::uint64_t last = machine.asker.flush();
  machine.settle();
  EXPECT_TRUE(machine.asker.done.at(last));
}

// Each sector is the old one or the new one, and every combination of the first three is seen.
TEST(SimDisk, TearsAWriteByItsSectors) {
  std::set<std::string> seen;
  const BlockBuffer one = block_of(1);
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Machine machine(seed);
    machine.asker.write(0, one);
    machine.settle();
    machine.disk->crash(true, DiskLoss::some);
    std::string kept;
    for (std::size_t sector = 0; sector < disk_block_size / disk_sector_size; ++sector) {
      const ByteView bytes = machine.disk->durable().subspan(sector * disk_sector_size, disk_sector_size);
      for (const std::uint8_t byte : bytes) ASSERT_EQ(byte, bytes[0]) << "a sector is never mixed";
      kept += static_cast<char>('0' + bytes[0]);
    }
    seen.insert(kept.substr(0, 3));
  }
  EXPECT_EQ(seen.size(), 8u);
}

TEST(SimDisk, MayHaveDoneWhatACrashCaught) {
  std::set<std::string> seen;
  const BlockBuffer one = block_of(1);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Machine machine(seed);
    machine.asker.write(0, one);
    machine.disk->serve(machine.asker);
    machine.disk->crash(false, DiskLoss::nothing);
    EXPECT_EQ(machine.disk->out_count(), 0u);
    EXPECT_FALSE(machine.schedule.run_one()) << "nobody is told";
    seen.insert(machine.visible());
  }
  EXPECT_EQ(seen, (std::set<std::string>{"00000000", "10000000"}));
}

TEST(SimDisk, ReadsWhatAFailedFlushLeftUntilPowerIsLost) {
  DiskOptions options;
  options.flush_error = {1, 1};
  Machine machine(1, options);
  const BlockBuffer one = block_of(1);
  machine.asker.write(0, one);
  const std::uint64_t flush = machine.asker.flush();
  machine.settle();
  EXPECT_FALSE(machine.asker.done.at(flush));
  const std::uint64_t read = machine.asker.read(0);
  machine.settle();
  EXPECT_EQ(machine.asker.read_bytes.at(read)[0], 1);
  EXPECT_EQ(machine.visible(), "10000000");
  machine.disk->crash(false, DiskLoss::nothing);
  EXPECT_EQ(machine.visible(), "10000000") << "a restarted program reads it";
  machine.disk->crash(true, DiskLoss::nothing);
  EXPECT_EQ(machine.visible(), "00000000") << "and it was never durable";
}

TEST(SimDisk, DirectsAWriteElsewhereAndSaysThatItIsDone) {
  DiskOptions options;
  options.misdirected = {1, 1};
  std::set<std::string> seen;
  const BlockBuffer one = block_of(1);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Machine machine(seed, options);
    const std::uint64_t id = machine.asker.write(0, one);
    machine.settle();
    EXPECT_TRUE(machine.asker.done.at(id));
    seen.insert(machine.visible());
  }
  EXPECT_EQ(seen.size(), 8u);
}

TEST(SimDisk, RotsAndIsReplaced) {
  Machine machine(1);
  const BlockBuffer one = block_of(1);
  machine.asker.write(0, one);
  machine.asker.flush();
  machine.settle();
  const Bytes older(machine.disk->durable().begin(), machine.disk->durable().end());
  machine.disk->rot(0, 1);
  EXPECT_EQ(machine.durable(), "30000000");
  machine.disk->crash(true, DiskLoss::everything);
  machine.disk->replace(older);
  EXPECT_EQ(machine.durable(), "10000000");
}

}  // namespace
}  // namespace statefs::sim
