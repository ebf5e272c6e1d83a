// Exactly once against a real server: a stream that breaks at every byte, a store that loses its unsynced suffix, sessions
// that are evicted. What the store did is read from its audit records, which know nothing of the client.
#include <gtest/gtest.h>

#include "core/rejoin.h"
#include "tests/core/device.h"

namespace statefs {
namespace {

using namespace test;

std::map<std::string, std::size_t> executions_of(Device& device) {
  std::map<std::string, std::size_t> counts;
  for (const Recorded& recorded : device.take_mutations()) {
    if (recorded.record().status == Status::ok) ++counts[std::string(recorded.record().key)];
  }
  return counts;
}

// Moves bytes until `up` of the client's bytes or `down` of the server's have passed, then breaks the stream. False where
// everything passed.
bool pump_and_cut(Device& device, Device::Link& link, std::size_t up, std::size_t down) {
  for (bool moved = true; moved && link.open;) {
    moved = false;
    link.client.advance(device.now());
    const std::size_t send = std::min(up, link.client.output().size());
    if (send > 0) {
      const Bytes bytes(link.client.output().begin(), link.client.output().begin() + static_cast<std::ptrdiff_t>(send));
      link.client.output_taken(send);
      device.server().receive(link.id, bytes, device.now());
      up -= send;
      moved = true;
    }
    device.server().advance(device.now());
    const std::size_t take = std::min(down, device.server().output(link.id).size());
    if (take > 0) {
      const auto output = device.server().output(link.id);
      const Bytes bytes(output.begin(), output.begin() + static_cast<std::ptrdiff_t>(take));
      device.server().output_taken(link.id, take, device.now());
      link.client.receive(bytes, device.now());
      down -= take;
      moved = true;
    }
    if (up == 0 || down == 0) {
      device.cut(link);
      return true;
    }
  }
  return false;
}

TEST(ExactlyOnce, HoldsWhereverTheStreamBreaks) {
  constexpr std::size_t whole = ~std::size_t{0};
  std::size_t cuts = 0;
  for (const bool upwards : {true, false}) {
    for (std::size_t at = 1;; ++at) {
      Device device;
      Device::Link link{device.client()};
      std::map<CallId, std::string> keys;
      for (int i = 0; i < 3; ++i) {
        const std::string key = "/state/shared/k" + std::to_string(i);
        keys[link.client.submit(put_of(key, "v"), never, device.now().monotonic).value()] = key;
      }
      const auto id = device.server().accept(device.ephemeral(), device.now());
      link.id = id.value();
      link.open = true;
      std::array<std::uint8_t, client_random_size> random{};
      random[0] = 9;
      link.client.connected(random, device.now());
      const bool cut = pump_and_cut(device, link, upwards ? at : whole, upwards ? whole : at);
      if (cut) {
        ++cuts;
        device.wait(limits::reconnect_backoff_max);
        device.reconnect(link);
      }
      for (std::size_t answered = 0; answered < keys.size(); ++answered) {
        const auto completion = link.client.take_completion();
        ASSERT_TRUE(completion.has_value()) << upwards << ' ' << at;
        EXPECT_EQ(completion->response.status, Status::ok) << upwards << ' ' << at;
        EXPECT_EQ(completion->result, CallResult::answered);
      }
      for (const auto& [key, count] : executions_of(device)) EXPECT_EQ(count, 1u) << key << ' ' << upwards << ' ' << at;
      if (!cut) break;
    }
  }
  EXPECT_GT(cuts, 500u);
}

TEST(ExactlyOnce, AnEvictedSessionsCallsAreAskedForAndNeverRunTwice) {
  Device device;
  auto link = device.connect();
  ASSERT_EQ(device.call(link, put_of("/state/shared/first", "v")).response.status, Status::ok);
  const auto executed = link.client.submit(put_of("/state/shared/executed", "v"), never, device.now().monotonic);
  link.client.advance(device.now());
  const Bytes up(link.client.output().begin(), link.client.output().end());
  link.client.output_taken(up.size());
  device.server().receive(link.id, up, device.now());
  device.cut(link);
  // Other connections of the same peer open as many sessions as there are, so that this one's goes.
  for (std::size_t i = 0; i < limits::sessions_per_key; ++i) {
    auto other = device.connect();
    ASSERT_EQ(device.call(other, put_of("/state/shared/other", "v")).response.status, Status::ok);
    device.cut(other);
  }
  device.wait(limits::reconnect_backoff_max);
  device.reconnect(link);
  const auto completion = link.client.take_completion();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->call, executed.value());
  EXPECT_EQ(completion->result, CallResult::answered);
  EXPECT_EQ(completion->response.status, Status::ok);
  EXPECT_EQ(executions_of(device)["/state/shared/executed"], 1u);
  EXPECT_EQ(device.call(link, put_of("/state/shared/after", "v")).response.status, Status::ok);
}

TEST(ExactlyOnce, WhatASyncOfTheProgramCoveredIsNotDoubtedWhereItsSessionIsForgotten) {
  Device device;
  auto link = device.connect();
  ASSERT_EQ(device.call(link, put_of("/state/shared/first", "v")).response.status, Status::ok);
  ASSERT_EQ(device.call(link, SyncRequest{link.client.server_hello()->epoch}).response.status, Status::ok);
  device.cut(link);
  for (std::size_t i = 0; i < limits::sessions_per_key + limits::ended_sessions_per_key; ++i) {
    auto other = device.connect();
    ASSERT_EQ(device.call(other, put_of("/state/shared/other", "v")).response.status, Status::ok);
    device.cut(other);
  }
  device.wait(limits::reconnect_backoff_max);
  device.reconnect(link);
  EXPECT_EQ(device.call(link, put_of("/state/shared/after", "v")).response.status, Status::ok);
  EXPECT_FALSE(link.client.take_lost().has_value());
}

TEST(ExactlyOnce, AReplayIsAnsweredAsItWasEvenWhereThePolicyHasChanged) {
  Device device;
  auto link = device.connect();
  ASSERT_EQ(device.call(link, put_of("/state/shared/first", "v")).response.status, Status::ok);
  const auto put = link.client.submit(put_of("/state/shared/a", "v"), never, device.now().monotonic);
  link.client.advance(device.now());
  const Bytes up(link.client.output().begin(), link.client.output().end());
  link.client.output_taken(up.size());
  device.server().receive(link.id, up, device.now());
  device.cut(link);
  DeviceOptions narrowed;
  narrowed.rules = {{"/state/shared/other/", access_all, false}};
  device.server().reload(device.policy_of(narrowed), device.now());
  device.wait(limits::reconnect_backoff_max);
  device.reconnect(link);
  const auto completion = link.client.take_completion();
  ASSERT_TRUE(completion.has_value());
  EXPECT_EQ(completion->call, put.value());
  EXPECT_EQ(completion->response.status, Status::ok);
}

}  // namespace
}  // namespace statefs
