// What is recorded by number, at the end of a server.
#include "core/tally.h"

#include <gtest/gtest.h>

#include "tests/core/device.h"
#include "tests/core/raw_peer.h"

namespace statefs {
namespace {

using namespace test;

std::uint64_t failed_handshakes(Device& device) {
  std::uint64_t count = 0;
  for (const Recorded& recorded : device.take_audit()) {
    if (recorded.record().kind == AuditKind::handshakes) count += recorded.record().count;
  }
  return count;
}

TEST(Tally, RecordsAtTheEndTheFailedHandshakesThatAreNotDue) {
  Device device;
  for (int i = 0; i < 3; ++i) {
    RawPeer garbage(device, 0);
    garbage.send_raw(Bytes(50, 0x11));
    device.server().released(garbage.id);
  }
  device.server().advance(device.now());
  EXPECT_EQ(device.server().record_counts(device.now()), 0u);
  device.wait(milliseconds(3));
  EXPECT_EQ(device.server().record_counts(device.now()), 0u) << "and nothing twice";
  EXPECT_EQ(failed_handshakes(device), 3u);
}

TEST(Tally, SaysHowManyNumbersAFullLogHasNoRoomFor) {
  DeviceOptions options;
  options.store.audit_ring_size = 2 * limits::audit_reserve_size;
  Device device(options);
  AuditRecord record;
  record.kind = AuditKind::session;  // which may fill the reserve too
  while (device.store().append(record).ok()) {
  }
  RawPeer garbage(device, 0);
  garbage.send_raw(Bytes(50, 0x11));
  device.server().released(garbage.id);
  const std::size_t left = device.server().record_counts(device.now());
  EXPECT_GE(left, 1u);
  EXPECT_EQ(device.server().record_counts(device.now()), left);
  device.wait(milliseconds(3));
  device.server().advance(device.now());
  (void)device.take_audit();
  EXPECT_EQ(device.server().record_counts(device.now()), 0u) << "there is room now";
  device.wait(milliseconds(3));
  device.server().advance(device.now());
  EXPECT_EQ(failed_handshakes(device), 1u);
}

}  // namespace
}  // namespace statefs
