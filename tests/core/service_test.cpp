#include "core/service.h"

#include <gtest/gtest.h>

#include "tests/core/device.h"

namespace statefs {
namespace {

using namespace test;

constexpr std::string_view key_a = "/state/shared/a";

Status status_of(Device& device, Device::Link& link, const RequestBody& request) {
  const Completion done = device.call(link, request);
  EXPECT_EQ(done.result, CallResult::answered);
  return done.response.status;
}

TEST(Service, StoresAndReturnsAValueByteForByte) {
  Device device;
  auto link = device.connect();
  std::string value;
  for (int i = 0; i < 256; ++i) value.push_back(static_cast<char>(i));
  const Completion put = device.call(link, put_of(key_a, value));
  ASSERT_EQ(put.response.status, Status::ok);
  const Completion got = device.call(link, get_of(key_a));
  ASSERT_EQ(got.response.status, Status::ok);
  const auto& answer = std::get<GetResponse>(got.response.body);
  EXPECT_EQ(text_of(answer.data), value);
  EXPECT_EQ(answer.total_size, value.size());
  EXPECT_EQ(answer.revision, mutation_of(put).revision);
}

TEST(Service, KeepsAnEmptyValueApartFromNone) {
  Device device;
  auto link = device.connect();
  EXPECT_EQ(status_of(device, link, get_of(key_a)), Status::not_found);
  EXPECT_EQ(status_of(device, link, put_of(key_a, "")), Status::ok);
  const Completion got = device.call(link, get_of(key_a));
  EXPECT_EQ(got.response.status, Status::ok);
  EXPECT_EQ(std::get<GetResponse>(got.response.body).total_size, 0u);
}

TEST(Service, RefusesInTheOrderOfTheRules) {
  Device device;
  auto link = device.connect();
  const std::string large(limits::value_size_max + 1, 'x');
  EXPECT_EQ(status_of(device, link, put_of(std::string(256, 'k'), large)), Status::key_too_long);
  EXPECT_EQ(status_of(device, link, put_of("", large)), Status::invalid_key);
  EXPECT_EQ(status_of(device, link, put_of("/state/shared/../boot/x", large)), Status::invalid_key);
  EXPECT_EQ(status_of(device, link, put_of("/state/boot/x", large)), Status::access_denied);
  EXPECT_EQ(status_of(device, link, put_of(key_a, large)), Status::value_too_large);
  PutRequest conditional = put_of(key_a, large);
  conditional.expected_revision = 77;
  EXPECT_EQ(status_of(device, link, conditional), Status::value_too_large) << "size before condition";
  EXPECT_EQ(device.store().usage_of({PeerKind::remote, device.peer_key(0)->public_key(), 0, {}}).keys, 0u);
}

TEST(Service, LeavesExactlyOneRecordForEachMutationDoneOrRefused) {
  Device device;
  auto link = device.connect();
  (void)device.take_audit();
  const std::string large(limits::value_size_max + 1, 'x');
  const std::string long_key(300, 'k');
  PutRequest conflict = put_of(key_a, "v");
  conflict.expected_revision = 0;
  struct Row {
    RequestBody request;
    Status status;
    bool allowed;
  };
  const std::vector<Row> rows{
      {put_of(key_a, "one"), Status::ok, true},
      {conflict, Status::revision_conflict, true},
      {put_of("/state/secret", "v"), Status::access_denied, false},
      {put_of("relative", "v"), Status::invalid_key, false},
      {put_of(long_key, "v"), Status::key_too_long, false},
      {put_of(key_a, large), Status::value_too_large, true},
      {delete_of(key_a), Status::ok, true},
      {delete_of(key_a), Status::not_found, true},
      {delete_of("/state/boot/x"), Status::access_denied, false},
  };
  for (const Row& row : rows) {
    const Completion done = device.call(link, row.request);
    ASSERT_EQ(done.response.status, row.status);
    const auto records = device.take_mutations();
    ASSERT_EQ(records.size(), 1u) << name_of(row.status);
    const AuditRecord record = records[0].record();
    EXPECT_EQ(record.status, row.status);
    EXPECT_EQ(record.allowed, row.allowed);
    EXPECT_EQ(record.peer.key, device.peer_key(0)->public_key());
    EXPECT_EQ(record.peer.alias, "peer-0");
    EXPECT_EQ(record.index, mutation_of(done).index);
    EXPECT_EQ(record.node, device.key());
    EXPECT_EQ(record.op, static_cast<std::uint8_t>(op_of(row.request)));
  }
}

TEST(Service, RecordsOldAndNewRevisionAndAKeyedMacOfTheValue) {
  Device device;
  auto link = device.connect();
  (void)device.take_audit();
  const auto first = mutation_of(device.call(link, put_of(key_a, "one"))).revision;
  const auto second = mutation_of(device.call(link, put_of(key_a, "two"))).revision;
  (void)device.call(link, delete_of(key_a));
  const auto records = device.take_mutations();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].record().old_revision, 0u);
  EXPECT_EQ(records[0].record().new_revision, first);
  EXPECT_EQ(records[1].record().old_revision, first);
  EXPECT_EQ(records[1].record().new_revision, second);
  EXPECT_EQ(records[2].record().old_revision, second);
  EXPECT_EQ(records[2].record().new_revision, 0u);
  EXPECT_EQ(records[0].record().value_mac, HmacSha256(secret(2)).of(as_bytes("one")));
  EXPECT_NE(records[0].record().value_mac, Sha256().of(as_bytes("one"))) << "never a bare hash";
}

// What is refused changes nothing, and the record says what was there, where the peer could have read it.
TEST(Service, RecordsTheRevisionThatAConflictMet) {
  Device device;
  auto link = device.connect();
  const auto present = mutation_of(device.call(link, put_of(key_a, "one"))).revision;
  (void)device.take_audit();
  PutRequest conflict = put_of(key_a, "two");
  conflict.expected_revision = present + 1;
  EXPECT_EQ(device.call(link, conflict).response.status, Status::revision_conflict);
  PutRequest absent = put_of("/state/shared/absent", "two");
  absent.expected_revision = 1;
  EXPECT_EQ(device.call(link, absent).response.status, Status::revision_conflict);
  EXPECT_EQ(device.call(link, put_of("/state/boot/x", "two")).response.status, Status::access_denied);
  const auto records = device.take_mutations();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].record().old_revision, present);
  EXPECT_EQ(records[0].record().new_revision, present);
  for (const std::size_t i : {1u, 2u}) {
    EXPECT_EQ(records[i].record().old_revision, 0u);
    EXPECT_EQ(records[i].record().new_revision, 0u);
  }
}

TEST(Service, CutsALongKeyInTheRecordAndKeepsItsDigest) {
  Device device;
  auto link = device.connect();
  (void)device.take_audit();
  const std::string key(300, 'k');
  (void)device.call(link, put_of(key, "v"));
  const auto records = device.take_mutations();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].record().key, key.substr(0, 255));
  EXPECT_EQ(records[0].record().key_size, 300u);
  EXPECT_EQ(records[0].record().key_digest, Sha256().of(as_bytes(key)));
}

TEST(Service, GivesTheSameVerdictOfTheSameLengthWhateverExists) {
  DeviceOptions options;
  options.rules = {{"/state/shared/in/", access_all, false}};
  Device device(options);
  auto link = device.connect();
  const Completion absent = device.call(link, get_of("/state/shared/out"));
  const Completion again = device.call(link, get_of("/state/shared/out"));
  EXPECT_EQ(absent.response.status, Status::access_denied);
  EXPECT_EQ(absent.bytes, again.bytes);
  EXPECT_EQ(absent.bytes.size(), device.call(link, get_of("/state/shared/in/missing")).bytes.size());
}

TEST(Service, ExpectedRevisionNeedsTheGrantToRead) {
  DeviceOptions options;
  options.rules = {{"/state/shared/", static_cast<AccessMask>(static_cast<int>(Access::put) | static_cast<int>(Access::del)), false}};
  Device device(options);
  auto link = device.connect();
  PutRequest conditional = put_of(key_a, "v");
  conditional.expected_revision = 0;
  EXPECT_EQ(status_of(device, link, conditional), Status::access_denied);
  EXPECT_EQ(status_of(device, link, put_of(key_a, "v")), Status::ok);
  DeleteRequest del = delete_of(key_a);
  del.expected_revision = 1;
  EXPECT_EQ(status_of(device, link, del), Status::access_denied);
  EXPECT_EQ(status_of(device, link, delete_of(key_a)), Status::ok);
  EXPECT_EQ(status_of(device, link, delete_of(key_a)), Status::ok) << "absence is not told without the grant";
  EXPECT_EQ(status_of(device, link, get_of(key_a)), Status::access_denied);
}

TEST(Service, ConditionsDecideByRevision) {
  Device device;
  auto link = device.connect();
  PutRequest create = put_of(key_a, "1");
  create.expected_revision = 0;
  const Completion made = device.call(link, create);
  ASSERT_EQ(made.response.status, Status::ok);
  const auto revision = mutation_of(made).revision;
  const Completion refused = device.call(link, create);
  EXPECT_EQ(refused.response.status, Status::revision_conflict);
  EXPECT_EQ(mutation_of(refused).revision, revision);
  PutRequest update = put_of(key_a, "2");
  update.expected_revision = revision;
  EXPECT_EQ(status_of(device, link, update), Status::ok);
  EXPECT_EQ(status_of(device, link, update), Status::revision_conflict);
  DeleteRequest del = delete_of(key_a);
  del.expected_revision = revision;
  EXPECT_EQ(status_of(device, link, del), Status::revision_conflict);
}

TEST(Service, ReadsARangePinnedToARevision) {
  Device device;
  auto link = device.connect();
  const auto revision = mutation_of(device.call(link, put_of(key_a, "0123456789"))).revision;
  GetRequest range = get_of(key_a);
  range.revision = revision;
  range.offset = 3;
  range.length = 4;
  const Completion middle = device.call(link, range);
  EXPECT_EQ(text_of(std::get<GetResponse>(middle.response.body).data), "3456");
  EXPECT_EQ(std::get<GetResponse>(middle.response.body).total_size, 10u);
  range.offset = ~std::uint64_t{0};
  EXPECT_TRUE(std::get<GetResponse>(device.call(link, range).response.body).data.empty());
  (void)device.call(link, put_of(key_a, "other"));
  EXPECT_EQ(status_of(device, link, range), Status::revision_changed);
}

TEST(Service, CountsRefusedReadsOncePerPeerOpAndStatusForEachWakeUp) {
  Device device;
  auto link = device.connect();
  (void)device.take_audit();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(link.client.submit(get_of("/state/boot/x"), never, device.now().monotonic).ok());
  }
  ASSERT_TRUE(link.client.submit(list_of("/state/"), never, device.now().monotonic).ok());
  device.pump(link);
  const auto records = device.take_audit();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].record().kind, AuditKind::refusals);
  EXPECT_EQ(records[0].record().op, static_cast<std::uint8_t>(Op::get));
  EXPECT_EQ(records[0].record().count, 5u);
  EXPECT_EQ(records[1].record().op, static_cast<std::uint8_t>(Op::list));
  EXPECT_EQ(records[1].record().count, 1u);
}

TEST(Service, WhatCannotBeRecordedDoesNotHappen) {
  DeviceOptions options;
  options.store.audit_ring_size = 2 * limits::audit_reserve_size;
  Device device(options);
  auto link = device.connect();
  Status last = Status::ok;
  std::size_t done = 0;
  for (; done < 10'000 && last == Status::ok; ++done) last = status_of(device, link, put_of(key_a, std::to_string(done)));
  ASSERT_EQ(last, Status::audit_unavailable);
  const Completion got = device.call(link, get_of(key_a));
  EXPECT_EQ(text_of(std::get<GetResponse>(got.response.body).data), std::to_string(done - 2)) << "reads go on; nothing was written";
  const Completion refused = device.call(link, put_of("not even a key", "v"));
  EXPECT_EQ(refused.response.status, Status::audit_unavailable) << "before the key is read";
  EXPECT_GT(mutation_of(refused).retry_after_ms, 0u);
  EXPECT_EQ(device.take_mutations().size(), done - 1);
  EXPECT_EQ(status_of(device, link, put_of(key_a, "v")), Status::ok) << "exporting frees the log";
}

TEST(Service, HoldsAPeerToItsQuotaAndTheStoreToItsSize) {
  DeviceOptions options;
  options.quota = Quota{100, 2};
  Device device(options);
  auto link = device.connect();
  EXPECT_EQ(status_of(device, link, put_of("/state/shared/a", std::string(60, 'a'))), Status::ok);
  EXPECT_EQ(status_of(device, link, put_of("/state/shared/b", std::string(41, 'b'))), Status::quota_exceeded);
  EXPECT_EQ(status_of(device, link, put_of("/state/shared/b", std::string(40, 'b'))), Status::ok);
  EXPECT_EQ(status_of(device, link, put_of("/state/shared/c", "")), Status::quota_exceeded);
  EXPECT_EQ(status_of(device, link, put_of("/state/shared/b", std::string(40, 'c'))), Status::ok) << "replacing frees first";
  EXPECT_EQ(status_of(device, link, delete_of("/state/shared/a")), Status::ok);
  EXPECT_EQ(status_of(device, link, put_of("/state/shared/c", std::string(60, 'c'))), Status::ok);
}

TEST(Service, AFullStoreAnswersNoSpaceAndChangesNothing) {
  DeviceOptions options;
  options.store.value_bytes_max = 100;
  Device device(options);
  auto link = device.connect();
  EXPECT_EQ(status_of(device, link, put_of(key_a, std::string(100, 'a'))), Status::ok);
  (void)device.take_audit();
  const Completion refused = device.call(link, put_of("/state/shared/b", "x"));
  EXPECT_EQ(refused.response.status, Status::no_space);
  EXPECT_GT(mutation_of(refused).retry_after_ms, 0u);
  EXPECT_TRUE(device.take_mutations().empty());
  EXPECT_EQ(status_of(device, link, get_of("/state/shared/b")), Status::not_found);
}

TEST(Service, SyncNamesWhatIsDurableAndRefusesAnotherEpoch) {
  Device device;
  auto link = device.connect();
  const auto index = mutation_of(device.call(link, put_of(key_a, "v"))).index;
  const std::uint64_t epoch = device.store().status().epoch;
  const Completion done = device.call(link, SyncRequest{epoch});
  ASSERT_EQ(done.response.status, Status::ok);
  const auto& answer = std::get<SyncResponse>(done.response.body);
  EXPECT_EQ(answer.epoch, epoch);
  EXPECT_GE(answer.durable_index, index);
  EXPECT_EQ(answer.head.index, answer.durable_index);
  EXPECT_EQ(status_of(device, link, SyncRequest{epoch + 1}), Status::epoch_changed);
}

}  // namespace
}  // namespace statefs
