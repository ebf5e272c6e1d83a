#include "core/waiting.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/core/device.h"
#include "tests/core/raw_peer.h"

namespace statefs {
namespace {

using namespace test;

Owner owner(std::uint8_t seed) {
  Owner out;
  out.kind = PeerKind::remote;
  out.key.bytes.fill(seed);
  return out;
}

TEST(Waiting, IsTightFromTheBoundOfAPeerOrOfAllOn) {
  Waiting waiting(100, 40);
  EXPECT_FALSE(waiting.weigh(0, owner(1), 39));
  EXPECT_FALSE(waiting.tight(owner(1)));
  EXPECT_FALSE(waiting.weigh(1, owner(1), 1));
  EXPECT_TRUE(waiting.tight(owner(1)));
  EXPECT_FALSE(waiting.tight(owner(2))) << "for others there is room";
  EXPECT_FALSE(waiting.tight({}));
  EXPECT_FALSE(waiting.weigh(2, {}, 59));
  EXPECT_FALSE(waiting.tight({})) << "strangers have no bound of their own";
  EXPECT_FALSE(waiting.weigh(3, owner(2), 1));
  EXPECT_TRUE(waiting.tight(owner(2)));
  EXPECT_TRUE(waiting.tight({}));
  EXPECT_EQ(waiting.size(), 100u);
  EXPECT_TRUE(waiting.weigh(2, {}, 58)) << "99 in all";
  EXPECT_TRUE(waiting.tight(owner(1)));
  EXPECT_TRUE(waiting.weigh(0, owner(1), 38));
  EXPECT_FALSE(waiting.weigh(0, owner(1), 0));
  EXPECT_EQ(waiting.size(), 60u);
}

TEST(Waiting, EasesTheOthersThoughThePeerThatEasesThemStaysTight) {
  Waiting waiting(100, 40);
  EXPECT_FALSE(waiting.weigh(0, owner(1), 70));
  EXPECT_FALSE(waiting.weigh(1, owner(2), 30));
  EXPECT_TRUE(waiting.tight(owner(2)));
  EXPECT_TRUE(waiting.weigh(0, owner(1), 60));
  EXPECT_TRUE(waiting.tight(owner(1)));
  EXPECT_FALSE(waiting.tight(owner(2)));
}

TEST(Waiting, CountsAConnectionForWhomeverItIs) {
  Waiting waiting(100, 40);
  EXPECT_FALSE(waiting.weigh(0, {}, 50));
  EXPECT_FALSE(waiting.weigh(0, owner(1), 45)) << "the stranger has become known";
  EXPECT_TRUE(waiting.tight(owner(1)));
  EXPECT_TRUE(waiting.weigh(0, owner(1), 0)) << "it is over";
  EXPECT_FALSE(waiting.weigh(0, owner(2), 45)) << "another in its place";
  EXPECT_FALSE(waiting.tight(owner(1)));
  EXPECT_EQ(waiting.size(), 45u);
}

TEST(Waiting, NamesWhoIsPressedOnce) {
  Waiting waiting(100, 40);
  for (const ConnectionId each : {5u, 2u, 5u}) waiting.press(each);
  EXPECT_EQ(waiting.take_pressed(), (std::vector<ConnectionId>{5, 2}));
  EXPECT_TRUE(waiting.take_pressed().empty());
  waiting.press(5);
  EXPECT_EQ(waiting.take_pressed().size(), 1u);
}

constexpr std::string_view key_a = "/state/shared/a";
constexpr std::size_t value_size = 60'000;
constexpr std::size_t requests = 20;

// A peer with many requests for a large value, and a driver that gives the server what it wants to read and takes answers or not.
struct Asker {
  Asker(Device& device_in, std::size_t number) : device(device_in), peer(device_in, number) {
    peer.greet();
    Bytes frames;
    for (std::uint64_t i = 0; i < requests; ++i) encode_request({100 + i, get_of(key_a)}, frames);
    EXPECT_TRUE(peer.channel->seal(frames, unsent));
  }
  void ask() {
    if (unsent.empty() || !device.server().wants_input(peer.id)) return;
    const std::size_t size = std::min(unsent.size(), device.server().read_size(peer.id));
    device.server().receive(peer.id, ByteView(unsent).first(size), device.now());
    unsent.erase(unsent.begin(), unsent.begin() + static_cast<std::ptrdiff_t>(size));
  }
  void take() {
    const ByteView out = device.server().output(peer.id);
    peer.received.insert(peer.received.end(), out.begin(), out.end());
    device.server().output_taken(peer.id, out.size(), device.now());
    const Bytes plain = peer.open();
    heard.insert(heard.end(), plain.begin(), plain.end());
  }
  [[nodiscard]] std::size_t answered() const {
    std::size_t count = 0;
    for (std::size_t at = 0; at + limits::frame_header_size <= heard.size(); ++count) {
      const FrameHeader header = load_frame_header(ByteView(heard).subspan(at));
      EXPECT_EQ(header.id, 100 + count);
      at += limits::frame_header_size + header.body_size;
    }
    return count;
  }
  Device& device;
  RawPeer peer;
  Bytes unsent;
  Bytes heard;
};

class WaitingOfAServer : public testing::Test {
 protected:
  void start(std::size_t size_max, std::size_t size_per_peer_max) {
    DeviceOptions options;
    options.peers = 3;
    options.limits.waiting_size_max = size_max;
    options.limits.waiting_size_per_peer_max = size_per_peer_max;
    device_ = std::make_unique<Device>(options);
    auto link = device_->connect();
    ASSERT_TRUE(link.client.submit(put_of(key_a, std::string(value_size, 'v')), never, device_->now().monotonic).ok());
    for (int i = 0; i < 10; ++i) device_->pump(link);  // where next to nothing may wait, the next wake-up reads what this one did not
    const auto done = link.client.take_completion();
    ASSERT_TRUE(done.has_value());
    ASSERT_EQ(done->response.status, Status::ok);
  }
  Asker& add(std::size_t peer) { return *askers_.emplace_back(std::make_unique<Asker>(*device_, peer)); }
  // A few wake-ups in which these take what they are answered, and the others nothing.
  void run(const std::vector<const Asker*>& takers) {
    for (int i = 0; i < 100; ++i) {
      for (const auto& each : askers_) each->ask();
      device_->server().advance(device_->now());
      for (const auto& each : askers_) {
        if (std::find(takers.begin(), takers.end(), each.get()) != takers.end()) each->take();
      }
      most_ = std::max(most_, device_->server().waiting_size());
    }
  }
  [[nodiscard]] static std::size_t bound(std::size_t size_max, std::size_t connections) {
    return size_max + limits::output_size_max + limits::frame_size_max + limits::receive_size_max +
           connections * (limits::short_receive_size + limits::frame_size_max + 2 * (limits::record_length_size + limits::aead_tag_size));
  }

  std::unique_ptr<Device> device_;
  std::vector<std::unique_ptr<Asker>> askers_;
  std::size_t most_ = 0;
};

TEST_F(WaitingOfAServer, OfOnePeerIsBoundedAndCostsNoOtherItsService) {
  constexpr std::size_t greedy_count = 16;
  start(64u << 20, 300'000);
  for (std::size_t i = 0; i < greedy_count; ++i) add(0);
  Asker& other = add(1);
  run({&other});
  EXPECT_LE(most_, bound(300'000, greedy_count));
  EXPECT_LT(most_, greedy_count * limits::output_size_max / 3) << "as it was before";
  EXPECT_EQ(other.answered(), requests);
  EXPECT_TRUE(device_->server().pressed(askers_[1]->peer.id));
  EXPECT_EQ(device_->server().read_size(askers_[1]->peer.id), limits::short_receive_size);
  EXPECT_FALSE(device_->server().pressed(other.peer.id));
  EXPECT_EQ(device_->server().read_size(other.peer.id), limits::receive_size_max);
  EXPECT_GT(device_->server().deadline(), device_->now().monotonic) << "and it waits quietly";
  std::vector<const Asker*> all;
  for (const auto& each : askers_) all.push_back(each.get());
  run(all);
  for (const auto& each : askers_) EXPECT_EQ(each->answered(), requests);
  EXPECT_EQ(device_->server().waiting_size(), 0u);
}

// The least bounds that can be: whoever takes its answers gets them, one after the other, whatever the others do.
TEST_F(WaitingOfAServer, OfAllIsBoundedAndEachGoesOnAsItTakesItsAnswers) {
  start(1, 1);
  for (std::size_t peer = 0; peer < 3; ++peer) {
    for (std::size_t i = 0; i < 4; ++i) add(peer);
  }
  run({});
  EXPECT_LE(most_, bound(1, askers_.size()));
  EXPECT_LT(most_, 2 * askers_.size() * value_size);
  EXPECT_GE(most_, askers_.size() * value_size) << "each has one answer";
  EXPECT_GT(device_->server().deadline(), device_->now().monotonic);
  for (const auto& each : askers_) {
    EXPECT_EQ(each->answered(), 0u);
    run({each.get()});
    EXPECT_EQ(each->answered(), requests);
  }
}

TEST_F(WaitingOfAServer, IsGivenBackByConnectionsThatEnd) {
  start(400'000, 300'000);
  for (std::size_t i = 0; i < 4; ++i) add(i / 2);
  Asker& other = add(2);
  run({});
  EXPECT_TRUE(device_->server().pressed(other.peer.id));
  EXPECT_LT(device_->server().output(other.peer.id).size(), 2 * value_size);
  for (std::size_t i = 0; i < 4; ++i) device_->server().ended(askers_[i]->peer.id, device_->now());
  device_->server().released(askers_[0]->peer.id);  // before the wake-up has its end
  for (int i = 0; i < 2; ++i) device_->server().advance(device_->now());
  EXPECT_GT(device_->server().output(other.peer.id).size(), 2 * value_size) << "there is room for more than one answer";
  EXPECT_EQ(device_->server().waiting_size(), device_->server().output(other.peer.id).size());
}

// Seed 108: its rest was over, and it was woken up for it again and again.
TEST(Server, WaitsQuietlyWhereARestIsOverAndTooMuchWaits) {
  DeviceOptions options;
  options.limits.waiting_size_max = 1;
  options.limits.rates.refusals = {1, 2};
  Device device(options);
  RawPeer peer(device, 0);
  peer.greet();
  Bytes frames, sealed;
  for (std::uint64_t i = 0; i < 6; ++i) encode_request({10 + i, get_of("/state/boot/x")}, frames);
  ASSERT_TRUE(peer.channel->seal(frames, sealed));
  device.server().receive(peer.id, sealed, device.now());
  device.server().advance(device.now());
  ASSERT_FALSE(device.server().output(peer.id).empty());
  ASSERT_FALSE(device.server().wants_input(peer.id));
  for (int i = 0; i < 3; ++i) {
    device.wait(seconds(5));
    for (int turns = 0; turns < 4; ++turns) device.server().advance(device.now());
    EXPECT_GT(device.server().deadline(), device.now().monotonic) << i;
  }
  EXPECT_TRUE(device.server().pressed(peer.id));
  std::size_t heard = 0;
  for (int turns = 0; turns < 30; ++turns) {
    device.wait(milliseconds(500));
    peer.turn();
    heard += peer.open().size();
  }
  EXPECT_EQ(heard % 6, 0u);
  EXPECT_TRUE(device.server().wants_input(peer.id)) << "all six were answered";
}

// It was held back by its own answer, and when that was taken its peer rested: then only time ends that.
TEST(Server, GoesOnAfterTheRestOfAPeerThatBeganWhileAnAnswerWaited) {
  DeviceOptions options;
  options.limits.waiting_size_max = 1;
  options.limits.rates.refusals = {1, 2};
  Device device(options);
  RawPeer full(device, 0), slow(device, 0), refused(device, 0);
  for (RawPeer* const each : {&full, &slow, &refused}) each->greet();
  for (RawPeer* const each : {&full, &slow}) {
    Bytes frames, sealed;
    for (std::uint64_t i = 0; i < 2; ++i) encode_request({10 + i, get_of("/state/shared/x")}, frames);
    ASSERT_TRUE(each->channel->seal(frames, sealed));
    device.server().receive(each->id, sealed, device.now());
    device.server().advance(device.now());
  }
  const std::size_t one = device.server().output(slow.id).size();
  ASSERT_GT(one, 0u);
  for (std::uint64_t i = 0; i < 2; ++i) refused.send(get_of("/state/boot/x"), 20 + i);
  ASSERT_FALSE(device.server().wants_input(slow.id));
  device.server().output_taken(slow.id, one, device.now());
  device.server().advance(device.now());
  ASSERT_TRUE(device.server().output(slow.id).empty()) << "its peer rests";
  EXPECT_LE(device.server().deadline(), device.now().monotonic + seconds(2));
  device.wait(seconds(2));
  for (int i = 0; i < 2; ++i) device.server().advance(device.now());
  EXPECT_EQ(device.server().output(slow.id).size(), one) << "the second answer";
}

// Seed 238: its rate goes with its enrolment.
TEST(Server, AsksNoRateOfARestingPeerThatAReloadExpels) {
  DeviceOptions options;
  options.peers = 2;
  options.limits.rates.refusals = {1, 2};
  Device device(options);
  RawPeer peer(device, 1);
  peer.greet();
  for (std::uint64_t i = 0; i < 3; ++i) peer.send(get_of("/state/boot/x"), 10 + i);
  ASSERT_FALSE(device.server().wants_input(peer.id)) << "it rests";
  options.peers = 1;
  device.server().reload(device.policy_of(options), device.now());
  device.server().advance(device.now());
  EXPECT_TRUE(peer.closed());
}

TEST(Server, ReadsStrangersInShortPieces) {
  Device device;
  RawPeer peer(device, 0);
  EXPECT_EQ(device.server().read_size(peer.id), limits::short_receive_size);
  peer.greet();
  EXPECT_EQ(device.server().read_size(peer.id), limits::receive_size_max);
}

}  // namespace
}  // namespace statefs
