// Staged values at a server: STAGE, the PUT that commits one, and reads of what came of it.
#include <gtest/gtest.h>

#include "tests/core/device.h"
#include "tests/core/raw_peer.h"

namespace statefs {
namespace {

using namespace test;

constexpr std::string_view key_a = "/state/shared/a";

std::string large_value(std::size_t size) {
  std::string value(size, '\0');
  std::uint32_t x = 1;
  for (char& c : value) c = static_cast<char>((x = x * 1'664'525 + 1'013'904'223) >> 24);
  return value;
}

StageRequest chunk_of(std::string_view key, std::string_view value, std::size_t offset, std::size_t size, std::uint64_t stage = 1) {
  const ByteView chunk = as_bytes(value.substr(offset, size));
  return {stage, value.size(), offset, as_bytes(key), static_cast<std::uint32_t>(chunk.size()), chunk};
}

PutRequest commit_of(std::string_view key, std::string_view value, std::uint64_t stage = 1) {
  PutRequest put;
  put.key = as_bytes(key);
  put.stage = StageCommit{stage, value.size(), Sha256().of(as_bytes(value))};
  return put;
}

// Sends what no client would; slot 0 of a session of its own.
class Stager {
 public:
  explicit Stager(Device& device, std::size_t peer = 0, bool with_session = true) : raw_(device, peer), device_(device) {
    raw_.greet();
    if (with_session) raw_.open_session();
  }
  StageResponse stage(const StageRequest& request, Status expected) { return answer<StageResponse>(request, expected); }
  void stage_all(std::string_view key, std::string_view value, std::uint64_t number = 1) {
    for (std::size_t at = 0; at < value.size(); at += limits::chunk_size_max) {
      const auto size = std::min(limits::chunk_size_max, value.size() - at);
      EXPECT_EQ(stage(chunk_of(key, value, at, size, number), Status::ok).staged_size, at + size);
    }
  }
  MutationResponse put(PutRequest request, Status expected) { return answer<MutationResponse>(raw_.placed(request), expected); }
  // The same again on the sequence before.
  MutationResponse put_again(PutRequest request, Status expected) {
    request.at = raw_.at;
    return answer<MutationResponse>(request, expected);
  }
  void take_back_sequence() { --raw_.at.sequence; }
  RawPeer& raw() { return raw_; }

 private:
  template <typename Answer>
  Answer answer(const RequestBody& request, Status expected) {
    raw_.send(request, 9);
    for (int i = 0; i < 3 && raw_.received.empty(); ++i) {
      device_.wait(milliseconds(3));
      raw_.turn();
    }
    const Bytes plain = raw_.open();
    EXPECT_GE(plain.size(), limits::frame_header_size);
    const auto response = decode_response(load_frame_header(plain), ByteView(plain).subspan(limits::frame_header_size));
    EXPECT_TRUE(response.ok());
    if (!response.ok()) return {};
    EXPECT_EQ(response.value().status, expected) << name_of(response.value().status);
    const auto* const body = std::get_if<Answer>(&response.value().body);
    EXPECT_NE(body, nullptr);
    return body == nullptr ? Answer{} : *body;
  }
  RawPeer raw_;
  Device& device_;
};

TEST(StagedPut, StoresALargeValueByteForByteAndRecordsItOnce) {
  Device device;
  Stager stager(device);
  const std::string value = large_value(limits::total_value_size_default);
  (void)device.take_audit();
  stager.stage_all(key_a, value);
  EXPECT_TRUE(device.take_audit().empty()) << "a chunk changes nothing";
  const MutationResponse put = stager.put(commit_of(key_a, value), Status::ok);
  const auto records = device.take_mutations();
  ASSERT_EQ(records.size(), 1u);
  const AuditRecord record = records[0].record();
  EXPECT_EQ(record.index, put.index);
  EXPECT_EQ(record.new_revision, put.revision);
  EXPECT_EQ(record.value_size, value.size());
  EXPECT_EQ(record.value_mac, HmacSha256(secret(2)).of(Sha256().of(as_bytes(value)))) << "of a value above one frame: of its hash";
  EXPECT_EQ(device.server().staged_size(), 0u);

  auto link = device.connect();
  std::string got;
  GetRequest range = get_of(key_a);
  range.revision = put.revision;
  while (got.size() < value.size()) {
    range.offset = got.size();
    const Completion part = device.call(link, range);
    ASSERT_EQ(part.response.status, Status::ok);
    const auto& answer = std::get<GetResponse>(part.response.body);
    EXPECT_EQ(answer.total_size, value.size());
    ASSERT_FALSE(answer.data.empty());
    got += text_of(answer.data);
  }
  EXPECT_EQ(got, value);
}

TEST(StagedPut, ASmallValueIsTheSameHoweverItWasWritten) {
  Device device;
  Stager stager(device);
  (void)device.take_audit();
  stager.stage_all(key_a, "small");
  (void)stager.put(commit_of(key_a, "small"), Status::ok);
  (void)stager.put(put_of(key_a, "small"), Status::ok);
  const auto records = device.take_mutations();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].record().value_mac, records[1].record().value_mac);
  EXPECT_EQ(records[0].record().value_size, records[1].record().value_size);
}

TEST(StagedPut, JudgesEachChunkAsItsPut) {
  Device device;
  Stager stager(device);
  (void)device.take_audit();
  const std::string value(10, 'v');
  EXPECT_EQ(stager.stage(chunk_of("/state/secret", value, 0, 5), Status::access_denied).staged_size, 0u);
  stager.stage(chunk_of("/state/shared/../x", value, 0, 5), Status::invalid_key);
  stager.stage(chunk_of("", value, 0, 5), Status::invalid_key);
  stager.stage(chunk_of(std::string(256, 'k'), value, 0, 5), Status::key_too_long);
  StageRequest huge = chunk_of(key_a, value, 0, 5);
  huge.total_size = limits::total_value_size_default + 1;
  stager.stage(huge, Status::value_too_large);
  huge.total_size = ~std::uint64_t{0};
  huge.offset = ~std::uint64_t{0} - 5;
  stager.stage(huge, Status::value_too_large);
  huge.total_size = limits::total_value_size_default;
  huge.offset = 0;
  const std::string over(limits::chunk_size_max + 1, 'x');
  huge.chunk = as_bytes(over);
  huge.chunk_size = static_cast<std::uint32_t>(over.size());
  stager.stage(huge, Status::value_too_large);
  EXPECT_EQ(device.server().staged_size(), 0u);
  std::map<Status, std::uint64_t> counted;
  for (const Recorded& recorded : device.take_audit()) {
    const AuditRecord record = recorded.record();
    EXPECT_EQ(record.kind, AuditKind::refusals);
    EXPECT_EQ(record.op, static_cast<std::uint8_t>(Op::stage));
    counted[record.status] += record.count;
  }
  EXPECT_EQ(counted, (std::map<Status, std::uint64_t>{{Status::access_denied, 1}, {Status::invalid_key, 2}, {Status::key_too_long, 1},
                                                      {Status::value_too_large, 3}}));
  EXPECT_EQ(stager.stage(chunk_of(key_a, value, 0, 10), Status::ok).staged_size, 10u) << "the connection stays";
}

TEST(StagedPut, AMissingStageTakesNoSequenceAndLeavesNoRecord) {
  Device device;
  Stager stager(device);
  const std::string value = large_value(100'000);
  (void)device.take_audit();
  (void)stager.put(commit_of(key_a, value), Status::stage_missing);
  stager.stage(chunk_of(key_a, value, 0, 50'000), Status::ok);
  EXPECT_EQ(stager.put_again(commit_of(key_a, value), Status::stage_missing).index, 0u) << "the same sequence, incomplete";
  EXPECT_TRUE(device.take_audit().empty());
  stager.stage(chunk_of(key_a, value, 50'000, 50'000), Status::ok);
  (void)stager.put_again(commit_of("/state/shared/b", value), Status::stage_missing);
  (void)stager.put_again(commit_of(key_a, value), Status::ok);
  EXPECT_EQ(device.take_mutations().size(), 1u);
  EXPECT_TRUE(stager.put_again(commit_of(key_a, value), Status::ok).replayed) << "the slot remembers, the stage is gone";
  (void)stager.put(commit_of(key_a, value), Status::stage_missing);
}

TEST(StagedPut, KeyPolicyAndSizeComeBeforeTheStage) {
  Device device;
  Stager stager(device);
  (void)device.take_audit();
  (void)stager.put(commit_of("/state/secret", "v"), Status::access_denied);
  (void)stager.put(commit_of("no key", "v"), Status::invalid_key);
  PutRequest huge = commit_of(key_a, "v");
  huge.stage->total_size = limits::total_value_size_default + 1;
  (void)stager.put(huge, Status::value_too_large);
  huge.stage->total_size = (std::uint64_t{7} << 32) + 5;
  (void)stager.put(huge, Status::value_too_large);
  const auto records = device.take_mutations();
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].record().value_size, 1u);
  EXPECT_EQ(records[0].record().value_mac, Digest{}) << "of a value that nobody read";
  EXPECT_EQ(records[2].record().value_size, limits::total_value_size_default + 1);
  EXPECT_EQ(records[3].record().value_size, 0xffff'ffffu) << "no more than the field holds";
}

TEST(StagedPut, OtherBytesThanItsDigestSaysAreRefusedRecordedAndGone) {
  Device device;
  Stager stager(device);
  (void)device.take_audit();
  stager.stage_all(key_a, "abcdef");
  (void)stager.put(commit_of(key_a, "abcdeX"), Status::digest_mismatch);
  const auto records = device.take_mutations();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].record().status, Status::digest_mismatch);
  EXPECT_TRUE(records[0].record().allowed);
  EXPECT_EQ(device.server().staged_size(), 0u);
  EXPECT_EQ(device.store().usage_of({PeerKind::remote, device.peer_key(0)->public_key(), 0, {}}).keys, 0u);
  (void)stager.put(commit_of(key_a, "abcdef"), Status::stage_missing);
}

TEST(StagedPut, IsAnotherRequestThanAPutOfTheSameBytes) {
  Device device;
  Stager stager(device);
  stager.stage_all(key_a, "v");
  const PutRequest staged = commit_of(key_a, "v");
  (void)stager.put(staged, Status::ok);
  Bytes value;
  Writer writer(value);
  writer.u64(staged.stage->stage);
  writer.u64(staged.stage->total_size);
  writer.bytes(staged.stage->digest);
  (void)stager.put_again(put_of(key_a, as_text(value)), Status::false_retry);
}

TEST(StagedPut, IsJudgedByThePolicyOfItsMoment) {
  DeviceOptions options;
  Device device(options);
  Stager stager(device);
  stager.stage_all(key_a, "abc");
  options.rules = {{"/state/shared/other/", access_all, false}};
  device.server().reload(device.policy_of(options), device.now());
  (void)stager.put(commit_of(key_a, "abc"), Status::access_denied);
  EXPECT_EQ(device.server().staged_size(), 3u);
  stager.stage(chunk_of(key_a, "abc", 0, 0), Status::access_denied);
}

TEST(StagedPut, WhatIsRefusedByTheStateMayBeCommittedLater) {
  DeviceOptions options;
  options.quota = Quota{250'000, 10};
  Device device(options);
  Stager stager(device);
  const std::string value = large_value(200'000);
  (void)stager.put(put_of("/state/shared/b", std::string(60'000, 'b')), Status::ok);
  stager.stage_all(key_a, value);
  (void)stager.put(commit_of(key_a, value), Status::quota_exceeded);
  PutRequest conditional = commit_of(key_a, value);
  conditional.expected_revision = 77;
  (void)stager.put(conditional, Status::revision_conflict);
  (void)stager.put(put_of("/state/shared/b", ""), Status::ok);
  conditional.expected_revision = 0;
  (void)stager.put(conditional, Status::ok);
  EXPECT_EQ(device.store().usage_of({PeerKind::remote, device.peer_key(0)->public_key(), 0, {}}).value_bytes, 200'000u);
}

TEST(StagedPut, AFullStoreKeepsTheStageForLater) {
  DeviceOptions options;
  options.store.value_bytes_max = 100'000;
  Device device(options);
  Stager stager(device);
  const std::string value = large_value(80'000);
  (void)stager.put(put_of("/state/shared/b", std::string(30'000, 'b')), Status::ok);
  stager.stage_all(key_a, value);
  (void)stager.put(commit_of(key_a, value), Status::no_space);
  stager.take_back_sequence();
  DeleteRequest del = delete_of("/state/shared/b");
  stager.raw().send(stager.raw().placed(del), 10);
  ASSERT_EQ(stager.raw().status(), Status::ok);
  (void)stager.put(commit_of(key_a, value), Status::ok);
}

TEST(StagedPut, AStageOutlivesItsConnectionButNotItsEnrolment) {
  DeviceOptions options;
  options.peers = 2;
  Device device(options);
  {
    Stager first(device);
    first.stage(chunk_of(key_a, "abcdef", 0, 3), Status::ok);
    device.server().ended(first.raw().id, device.now());
    device.server().advance(device.now());
    device.server().released(first.raw().id);
  }
  Stager second(device, 0, false);
  EXPECT_EQ(second.stage(chunk_of(key_a, "abcdef", 0, 0), Status::ok).staged_size, 3u);
  Stager other(device, 1, false);
  EXPECT_EQ(other.stage(chunk_of(key_a, "abcdef", 3, 3), Status::stage_missing).staged_size, 0u);
  other.stage(chunk_of(key_a, "abcdef", 0, 3), Status::ok);
  EXPECT_EQ(device.server().staged_size(), 12u);
  options.peers = 1;
  device.server().reload(device.policy_of(options), device.now());
  EXPECT_EQ(device.server().staged_size(), 6u);
}

TEST(StagedPut, IdleStagesGoByThemselves) {
  Device device;
  Stager stager(device);
  stager.stage(chunk_of(key_a, "abcdef", 0, 3), Status::ok);
  for (int i = 0; i < 8 && device.server().staged_size() > 0; ++i) {
    ASSERT_NE(device.server().deadline(), never);
    device.wait(seconds(10));
    device.server().advance(device.now());
  }
  EXPECT_EQ(device.server().staged_size(), 0u);
}

TEST(StagedPut, OnePeersStagesNeverCostAnotherItsOwn) {
  DeviceOptions options;
  options.peers = 2;
  Device device(options);
  Stager noisy(device);
  const std::string value = large_value(limits::total_value_size_default);
  std::uint64_t number = 1;
  for (; number <= limits::staged_values_per_peer; ++number) noisy.stage(chunk_of(key_a, value, 0, 10, number), Status::ok);
  for (; number < limits::refusals_burst; ++number) {  // beyond that many it is not even read
    EXPECT_GT(noisy.stage(chunk_of(key_a, value, 0, 10, number), Status::overloaded).retry_after_ms, 0u);
  }
  Stager quiet(device, 1);
  quiet.stage_all("/state/shared/q", value);
  (void)quiet.put(commit_of("/state/shared/q", value), Status::ok);
}

TEST(StagedPut, HelloSaysHowLargeAValueMayBe) {
  DeviceOptions options;
  options.limits.staging = StagingLimits::for_values_up_to(limits::total_value_size_ceiling);
  Device device(options);
  auto link = device.connect();
  ASSERT_TRUE(link.client.server_hello().has_value());
  EXPECT_EQ(link.client.server_hello()->features, feature_sessions | feature_staging);
  EXPECT_EQ(link.client.server_hello()->total_value_size_max, limits::total_value_size_ceiling);
}

}  // namespace
}  // namespace statefs
