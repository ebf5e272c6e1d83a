// Who gets in, for how long, and at whose cost.
#include <gtest/gtest.h>

#include "core/server.h"
#include "tests/core/device.h"
#include "tests/core/raw_peer.h"

namespace statefs {
namespace {

using namespace test;

constexpr std::string_view key_a = "/state/shared/a";

TEST(Admission, AdmitsNoMoreConnectionsThanItsLimits) {
  DeviceOptions options;
  options.limits.connections_max = 4;
  options.limits.half_open_max = 2;
  options.limits.connections_per_peer_max = 2;
  Device device(options);
  RawPeer first(device, 0);
  RawPeer second(device, 0);
  const auto third = device.server().accept(device.ephemeral(), device.now());
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.error(), AdmissionError::half_open_full);
  first.greet();
  second.greet();
  RawPeer over(device, 0);
  over.shake_hands();
  EXPECT_TRUE(over.closed()) << "a third of one peer";
  device.server().released(over.id);
  RawPeer a(device, 3);
  RawPeer b(device, 3);
  const auto fifth = device.server().accept(device.ephemeral(), device.now());
  ASSERT_FALSE(fifth.ok());
  EXPECT_EQ(fifth.error(), AdmissionError::connections_full);
}

TEST(Admission, SpendsItsHandshakeBudgetAfterServingTheEstablished) {
  DeviceOptions options;
  options.limits.handshakes_per_wakeup = 1;
  Device device(options);
  auto link = device.connect();
  RawPeer a(device, 0);
  RawPeer b(device, 0);
  const Bytes hello_a = a.channel->take_handshake_output();
  const Bytes hello_b = b.channel->take_handshake_output();
  device.server().receive(a.id, hello_a, device.now());
  device.server().receive(b.id, hello_b, device.now());
  device.server().advance(device.now());
  EXPECT_FALSE(device.server().output(a.id).empty());
  EXPECT_TRUE(device.server().output(b.id).empty());
  EXPECT_LE(device.server().deadline(), device.now().monotonic) << "the rest asks for the next wake-up";
  device.server().advance(device.now());
  EXPECT_FALSE(device.server().output(b.id).empty());
}

TEST(Admission, SpendsNoHandshakeBudgetOnConnectionsThatHaveEnded) {
  DeviceOptions options;
  options.limits.handshakes_per_wakeup = 2;
  Device device(options);
  for (int i = 0; i < 20; ++i) {
    const auto gone = device.server().accept(device.ephemeral(), device.now());
    ASSERT_TRUE(gone.ok());
    device.server().receive(gone.value(), Bytes(1), device.now());
    device.server().ended(gone.value(), device.now());
    device.server().released(gone.value());
  }
  RawPeer honest(device, 0);
  device.server().receive(honest.id, honest.channel->take_handshake_output(), device.now());
  device.server().advance(device.now());
  EXPECT_FALSE(device.server().output(honest.id).empty());
  EXPECT_GT(device.server().deadline(), device.now().monotonic) << "nothing is left in the queue";
}

TEST(Admission, EndsAHandshakeThatTakesTooLong) {
  Device device;
  RawPeer slow(device, 0);
  slow.send_raw(slow.channel->take_handshake_output());
  EXPECT_LE(device.server().deadline(), device.now().monotonic + limits::handshake_timeout);
  device.wait(limits::handshake_timeout);
  device.server().advance(device.now());
  EXPECT_TRUE(slow.closed());
}

TEST(Admission, EndsADeadPeerAndKeepsALivingIdleOne) {
  Device device;
  auto living = device.connect();
  RawPeer dead(device, 0);
  dead.greet();
  for (int i = 0; i < 20; ++i) {
    device.wait(seconds(5));
    device.pump(living);
    if (!dead.closed()) dead.turn();
  }
  EXPECT_TRUE(dead.closed());
  EXPECT_TRUE(living.open);
  EXPECT_EQ(device.call(living, get_of(key_a)).response.status, Status::not_found);
}

TEST(Admission, TakesBytesOfAMessageThatNeverEndsForNoSignOfLife) {
  Device device;
  auto link = device.connect();
  const std::array<std::uint8_t, 2> length{0xff, 0xff};
  device.server().receive(link.id, length, device.now());
  for (int i = 0; i < 50 && !device.server().finished(link.id); ++i) {
    device.wait(seconds(1));
    device.server().receive(link.id, as_bytes("."), device.now());
    device.server().advance(device.now());
    const std::size_t size = device.server().output(link.id).size();
    if (size > 0) device.server().output_taken(link.id, size, device.now());
  }
  EXPECT_TRUE(device.server().finished(link.id));
  device.close(link);
}

TEST(Admission, DrainsAConnectionThatIsTooOld) {
  DeviceOptions options;
  options.limits.connection_age_max = seconds(20);
  Device device(options);
  auto link = device.connect();
  device.wait(seconds(20));
  device.pump(link);
  EXPECT_FALSE(link.open);
  device.reconnect(link);
  EXPECT_EQ(device.call(link, get_of(key_a)).response.status, Status::not_found);
}

}  // namespace
}  // namespace statefs
