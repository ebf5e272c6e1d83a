// Uploads and downloads of large values against a real server, over streams that break and stages that are lost.
#include <gtest/gtest.h>

#include "core/download.h"
#include "core/upload.h"
#include "tests/core/device.h"

namespace statefs {
namespace {

using namespace test;

constexpr std::string_view key_a = "/state/shared/a";

std::string large_value(std::size_t size, std::uint32_t seed = 1) {
  std::string value(size, '\0');
  for (char& c : value) c = static_cast<char>((seed = seed * 1'664'525 + 1'013'904'223) >> 24);
  return value;
}

class TextSource final : public ValueSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  bool read(std::uint64_t offset, std::span<std::uint8_t> into) override {
    if (offset + into.size() > text_.size()) return false;
    std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    read_size += into.size();
    return true;
  }
  std::size_t read_size = 0;

 private:
  std::string text_;
};

class TextSink final : public ValueSink {
 public:
  bool begin(std::uint64_t, std::uint64_t) override {
    ++begun;
    text.clear();
    return true;
  }
  bool write(ByteView bytes) override {
    if (text.size() + bytes.size() > size_max) return false;
    text += as_text(bytes);
    return true;
  }
  int begun = 0;
  std::string text;
  std::size_t size_max = ~std::size_t{0};
};

UploadPlan plan_of(std::string_view value, std::string_view key = key_a) {
  return {std::string(key), value.size(), Sha256().of(as_bytes(value)), std::nullopt};
}

SubmitCall submit_to(const Device& device, Device::Link& link) {
  return [&](const RequestBody& request) { return link.client.submit(request, never, device.now().monotonic); };
}

void step(Device& device, Device::Link& link, Upload& upload, ValueSource& source) {
  if (!link.open) {
    device.wait(limits::reconnect_backoff_max);
    device.reconnect(link);
  }
  upload.step(submit_to(device, link), source, device.now());
  device.pump(link);
  while (const auto completion = link.client.take_completion()) (void)upload.take(*completion, device.now());
  if (upload.deadline() != never) device.wait(milliseconds(250));
  device.wait(milliseconds(2));
}

void finish(Device& device, Device::Link& link, Upload& upload, ValueSource& source) {
  for (int i = 0; i < 1'000 && !upload.done(); ++i) step(device, link, upload, source);
  EXPECT_TRUE(upload.done());
}

void step(Device& device, Device::Link& link, Download& download, ValueSink& sink) {
  download.step(submit_to(device, link), device.now());
  device.pump(link);
  while (const auto completion = link.client.take_completion()) (void)download.take(*completion, sink, device.now());
  if (download.deadline() != never) device.wait(download.deadline() - device.now().monotonic);
}

std::string stored(Device& device, std::string_view key = key_a) {
  const auto canonical = CanonicalKey::from(as_bytes(key));
  const auto found = device.store().find(canonical.value());
  return found ? std::string(as_text(found->value)) : "(none)";
}

std::size_t executions(Device& device) {
  std::size_t count = 0;
  for (const Recorded& recorded : device.take_mutations()) count += recorded.record().status == Status::ok ? 1 : 0;
  return count;
}

TEST(Upload, PutsValuesOfEverySizeAroundAChunkOnce) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, limits::chunk_size_max - 1, limits::chunk_size_max, limits::chunk_size_max + 1,
                                 3 * limits::chunk_size_max, limits::total_value_size_default}) {
    Device device;
    auto link = device.connect();
    const std::string value = large_value(size);
    TextSource source(value);
    Upload upload(plan_of(value));
    finish(device, link, upload, source);
    EXPECT_EQ(upload.status(), Status::ok) << size;
    EXPECT_EQ(upload.staged_size(), size);
    EXPECT_NE(upload.answer().revision, 0u);
    EXPECT_EQ(stored(device), value);
    EXPECT_EQ(executions(device), 1u);
    EXPECT_EQ(source.read_size, size) << "each byte is read and sent once";
  }
}

// It would have waited for ever.
TEST(Upload, EndsWhereAServerTakesEverythingAndHoldsNothing) {
  const std::string value = large_value(2 * limits::chunk_size_max);
  TextSource source(value);
  Upload upload(plan_of(value));
  CallId last = 0;
  std::vector<CallId> asked;
  const SubmitCall submit = [&](const RequestBody&) -> Result<CallId, SubmitError> {
    asked.push_back(++last);
    return last;
  };
  for (int i = 0; i < 1'000 && !upload.done(); ++i) {
    upload.step(submit, source, Now{});
    for (const CallId call : std::exchange(asked, {})) {
      Completion completion;
      completion.call = call;
      completion.result = CallResult::answered;
      completion.response.status = Status::ok;
      completion.response.body = StageResponse{};
      (void)upload.take(completion, Now{});
    }
  }
  EXPECT_TRUE(upload.done());
  EXPECT_NE(upload.status(), Status::ok);
}

TEST(Upload, GoesOnWhereverTheStreamBreaks) {
  const std::string value = large_value(5 * limits::chunk_size_max + 7);
  for (int cut_at = 0; cut_at < 12; ++cut_at) {
    Device device;
    auto link = device.connect();
    TextSource source(value);
    Upload upload(plan_of(value), 2);
    for (int i = 0; i < 1'000 && !upload.done(); ++i) {
      if (i % 12 == cut_at) {
        // What was submitted is on its way when the stream breaks.
        upload.step(submit_to(device, link), source, device.now());
        link.client.advance(device.now());
        device.cut(link);
      }
      step(device, link, upload, source);
    }
    ASSERT_TRUE(upload.done());
    EXPECT_EQ(upload.status(), Status::ok);
    EXPECT_EQ(stored(device), value);
    EXPECT_EQ(executions(device), 1u) << cut_at;
  }
}

TEST(Upload, TakesUpWhatAnEarlierOneLeft) {
  Device device;
  const std::string value = large_value(8 * limits::chunk_size_max);
  {
    auto link = device.connect();
    TextSource source(value);
    Upload first(plan_of(value), 1);
    for (int i = 0; i < 6; ++i) step(device, link, first, source);
    EXPECT_EQ(first.staged_size(), 5 * limits::chunk_size_max);
    device.cut(link);
  }
  auto link = device.connect();
  TextSource source(value);
  Upload second(plan_of(value));
  finish(device, link, second, source);
  EXPECT_EQ(second.status(), Status::ok);
  EXPECT_EQ(source.read_size, 3 * limits::chunk_size_max) << "what was there is not sent again";
  EXPECT_EQ(stored(device), value);
}

TEST(Upload, StagesAgainWhatTheServerHasLost) {
  DeviceOptions options;
  options.limits.staging.idle_max = seconds(1);
  options.limits.staging.yield_after = milliseconds(500);
  Device device(options);
  auto link = device.connect();
  const std::string value = large_value(4 * limits::chunk_size_max);
  TextSource source(value);
  Upload upload(plan_of(value), 1);
  const auto lose = [&] {
    device.wait(seconds(2));
    device.server().advance(device.now());
    EXPECT_EQ(device.server().staged_size(), 0u);
  };
  while (upload.staged_size() < 2 * limits::chunk_size_max) step(device, link, upload, source);
  lose();
  step(device, link, upload, source);
  EXPECT_EQ(upload.staged_size(), 0u);
  while (upload.staged_size() < value.size()) step(device, link, upload, source);
  lose();
  finish(device, link, upload, source);
  EXPECT_EQ(upload.status(), Status::ok);
  EXPECT_EQ(stored(device), value);
  EXPECT_EQ(executions(device), 1u);
}

TEST(Upload, GivesUpOnAServerThatLosesEveryStage) {
  DeviceOptions options;
  options.limits.staging.idle_max = milliseconds(1);
  options.limits.staging.yield_after = nanoseconds(1);
  Device device(options);
  auto link = device.connect();
  const std::string value = large_value(2 * limits::chunk_size_max);
  TextSource source(value);
  Upload upload(plan_of(value), 1);
  for (int i = 0; i < 1'000 && !upload.done(); ++i) {
    step(device, link, upload, source);
    device.wait(milliseconds(2));
    device.server().advance(device.now());
  }
  EXPECT_EQ(upload.result(), CallResult::answered);
  EXPECT_EQ(upload.status(), Status::stage_missing);
  EXPECT_EQ(executions(device), 0u);
}

TEST(Upload, WaitsForRoom) {
  DeviceOptions options;
  options.limits.staging.stages_per_peer_max = 1;
  Device device(options);
  auto link = device.connect();
  ASSERT_EQ(device.call(link, StageRequest{77, 10, 0, as_bytes(key_a), 1, as_bytes("x")}).response.status, Status::ok);
  const std::string value = large_value(70'000);
  TextSource source(value);
  Upload upload(plan_of(value));
  step(device, link, upload, source);
  EXPECT_NE(upload.deadline(), never);
  EXPECT_EQ(source.read_size, 0u);
  finish(device, link, upload, source);
  EXPECT_EQ(upload.status(), Status::ok) << "an idle stage has given way";
}

TEST(Upload, EndsWithTheFirstRefusal) {
  Device device;
  auto link = device.connect();
  const std::string value = large_value(limits::total_value_size_default + 1);
  TextSource source(value);
  Upload large(plan_of(value));
  finish(device, link, large, source);
  EXPECT_EQ(large.status(), Status::value_too_large);
  EXPECT_EQ(large.commit_call(), 0u);
  Upload denied(plan_of("v", "/state/boot/x"));
  finish(device, link, denied, source);
  EXPECT_EQ(denied.status(), Status::access_denied);
  Upload no_key(plan_of("v", std::string(70'000, 'k')));
  finish(device, link, no_key, source);
  EXPECT_EQ(no_key.status(), Status::key_too_long);
  Upload conflict(plan_of("v"));
  UploadPlan conditional = plan_of("v");
  conditional.expected_revision = 7;
  TextSource small("v");
  Upload refused(conditional);
  finish(device, link, refused, small);
  EXPECT_EQ(refused.status(), Status::revision_conflict);
  EXPECT_NE(refused.commit_call(), 0u);
}

TEST(Upload, SaysThatItsSourceFailed) {
  Device device;
  auto link = device.connect();
  TextSource shorter(std::string(100'000, 'x'));
  Upload upload(plan_of(std::string(200'000, 'x')));
  finish(device, link, upload, shorter);
  EXPECT_TRUE(upload.source_failed());
  EXPECT_EQ(executions(device), 0u);
}

TEST(Upload, OtherBytesThanItsPlanSaidAreRefused) {
  Device device;
  auto link = device.connect();
  TextSource other(std::string(100'000, 'x'));
  Upload upload(plan_of(std::string(100'000, 'y')));
  finish(device, link, upload, other);
  EXPECT_EQ(upload.status(), Status::digest_mismatch);
  EXPECT_EQ(stored(device), "(none)");
}

class DownloadOf : public ::testing::Test {
 protected:
  DownloadOf() : link(device.connect()) {}
  void put(const std::string& value) {
    TextSource source(value);
    Upload upload(plan_of(value));
    finish(device, link, upload, source);
    ASSERT_EQ(upload.status(), Status::ok);
  }
  Device device;
  Device::Link link;
  TextSink sink;
};

TEST_F(DownloadOf, GetsValuesOfEverySizeAroundARange) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, limits::value_size_max - 1, limits::value_size_max, limits::value_size_max + 1,
                                 3 * limits::value_size_max, limits::total_value_size_default}) {
    const std::string value = large_value(size, static_cast<std::uint32_t>(size));
    put(value);
    Download download{std::string(key_a)};
    for (int i = 0; i < 100 && !download.done(); ++i) step(device, link, download, sink);
    ASSERT_TRUE(download.done());
    EXPECT_EQ(download.status(), Status::ok);
    EXPECT_EQ(sink.text, value);
    EXPECT_EQ(download.total_size(), size);
  }
}

TEST_F(DownloadOf, BeginsAgainWhenTheValueIsReplaced) {
  put(large_value(6 * limits::value_size_max));
  Download download(std::string(key_a), 1);
  for (int i = 0; i < 3; ++i) step(device, link, download, sink);
  EXPECT_EQ(download.written_size(), 3 * limits::value_size_max);
  const std::string other = large_value(2 * limits::value_size_max + 5, 99);
  put(other);
  for (int i = 0; i < 100 && !download.done(); ++i) step(device, link, download, sink);
  EXPECT_EQ(download.status(), Status::ok);
  EXPECT_EQ(sink.text, other);
  EXPECT_EQ(sink.begun, 2);
}

TEST_F(DownloadOf, GivesUpOnAValueThatIsAlwaysReplaced) {
  Download download(std::string(key_a), 1);
  for (int i = 0; i < 1'000 && !download.done(); ++i) {
    if (i % 2 == 0) put(large_value(3 * limits::value_size_max, static_cast<std::uint32_t>(i)));
    step(device, link, download, sink);
  }
  EXPECT_TRUE(download.done());
  EXPECT_EQ(download.status(), Status::revision_changed);
  EXPECT_EQ(sink.begun, static_cast<int>(limits::transfer_restarts_max) + 1);
}

TEST_F(DownloadOf, GoesOnWhenTheStreamBreaks) {
  const std::string value = large_value(7 * limits::value_size_max);
  put(value);
  Download download(std::string(key_a), 2);
  for (int i = 0; i < 1'000 && !download.done(); ++i) {
    download.step(submit_to(device, link), device.now());
    link.client.advance(device.now());
    if (i % 2 == 0) {
      device.cut(link);
      device.wait(limits::reconnect_backoff_max);
      device.reconnect(link);
    }
    step(device, link, download, sink);
  }
  EXPECT_EQ(download.status(), Status::ok);
  EXPECT_EQ(sink.text, value);
  EXPECT_EQ(sink.begun, 1);
}

TEST_F(DownloadOf, EndsWithARefusalOrAFullSink) {
  Download none{std::string(key_a)};
  step(device, link, none, sink);
  EXPECT_EQ(none.status(), Status::not_found);
  put(large_value(200'000));
  sink.size_max = 100'000;
  Download full{std::string(key_a)};
  for (int i = 0; i < 10 && !full.done(); ++i) step(device, link, full, sink);
  EXPECT_TRUE(full.sink_failed());
}

// Answers of a server that does not keep to the protocol.
Completion answer_of(CallId call, const GetResponse& said, Status status = Status::ok) {
  Completion completion;
  completion.call = call;
  completion.response = {call, static_cast<std::uint8_t>(Op::get), status, said};
  return completion;
}

TEST_F(DownloadOf, RefusesSizesThatContradictEachOther) {
  const std::string part(100, 'x');
  const auto ends_with = [&](const GetResponse& said) {
    Client client = device.client();
    Download download{std::string(key_a)};
    download.step([&](const RequestBody& request) { return client.submit(request, never, device.now().monotonic); }, device.now());
    EXPECT_TRUE(download.take(answer_of(1, said), sink, device.now()));
    return download.done() ? download.status() : Status::in_progress;
  };
  EXPECT_EQ(ends_with({1, 100, 0, as_bytes(part)}), Status::ok);
  EXPECT_EQ(ends_with({1, 101, 0, as_bytes(part)}), Status::malformed);
  EXPECT_EQ(ends_with({1, 99, 0, as_bytes(part)}), Status::malformed);
  EXPECT_EQ(ends_with({1, limits::total_value_size_ceiling + 1, 0, as_bytes(part)}), Status::malformed);
  EXPECT_EQ(ends_with({1, ~std::uint64_t{0}, 0, as_bytes(part)}), Status::malformed);
}

}  // namespace
}  // namespace statefs
