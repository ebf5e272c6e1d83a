// Uploads and downloads by a peer that is beyond its rate of requests: put off, they ask again after the wait that they are told.
#include <gtest/gtest.h>

#include "core/download.h"
#include "core/upload.h"
#include "tests/core/device.h"

namespace statefs {
namespace {

using namespace test;

constexpr std::string_view key_a = "/state/shared/a";

class Text final : public ValueSource, public ValueSink {
 public:
  explicit Text(std::string value) : value_(std::move(value)) {}
  bool read(std::uint64_t offset, std::span<std::uint8_t> into) override {
    std::copy_n(value_.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return true;
  }
  bool begin(std::uint64_t, std::uint64_t) override {
    got.clear();
    return true;
  }
  bool write(ByteView bytes) override {
    got += as_text(bytes);
    return true;
  }
  std::string got;

 private:
  std::string value_;
};

// One peer with a burst of so many requests, and ten a second.
struct Trial {
  explicit Trial(std::uint64_t burst) : device(options(burst)), link(device.connect()), text(value) {}
  static DeviceOptions options(std::uint64_t burst) {
    DeviceOptions options;
    options.limits.rates.requests = {10, burst};
    return options;
  }
  // Waits exactly as long as the transfer says.
  template <typename Transfer, typename Step, typename Take>
  void carry_out(Transfer& transfer, Step step, Take take) {
    const SubmitCall submit = [this](const RequestBody& request) { return link.client.submit(request, never, device.now().monotonic); };
    for (int i = 0; i < 1'000 && !transfer.done(); ++i) {
      step(submit);
      device.pump(link);
      while (const auto completion = link.client.take_completion()) take(*completion);
      const Time due = earlier_of(earlier_of(transfer.deadline(), link.client.deadline()), device.server().deadline());
      if (due != never && due > device.now().monotonic) device.wait(due - device.now().monotonic);
      else device.wait(milliseconds(1));
    }
    ASSERT_TRUE(transfer.done());
    EXPECT_EQ(transfer.status(), Status::ok) << name_of(transfer.status());
  }
  void put() {
    Upload upload({std::string(key_a), value.size(), Sha256().of(as_bytes(value)), {}});
    carry_out(upload, [&](const SubmitCall& submit) { upload.step(submit, text, device.now()); },
              [&](const Completion& completion) { (void)upload.take(completion, device.now()); });
  }

  const std::string value = [] {
    std::string whole(9 * limits::chunk_size_max, 'v');
    whole.append("end");
    return whole;
  }();
  Device device;
  Device::Link link;
  Text text;
};

TEST(TransferRates, AnUploadIsDoneOnceWhicheverOfItsRequestsIsPutOff) {
  std::uint64_t put_off = 0;
  for (std::uint64_t burst = 1; burst <= 20; ++burst) {
    SCOPED_TRACE(burst);
    Trial trial(burst);
    trial.put();
    std::size_t done = 0;
    for (const Recorded& each : trial.device.take_mutations()) done += each.record().status == Status::ok ? 1 : 0;
    EXPECT_EQ(done, 1u);
    put_off += trial.device.server().counters().overloaded;
  }
  EXPECT_GT(put_off, 20u);
}

TEST(TransferRates, ADownloadIsWholeWhicheverOfItsRequestsIsPutOff) {
  for (std::uint64_t burst = 1; burst <= 20; ++burst) {
    SCOPED_TRACE(burst);
    Trial trial(burst);
    trial.put();
    trial.device.wait(seconds(10));  // full again
    Download download{std::string(key_a)};
    trial.carry_out(download, [&](const SubmitCall& submit) { download.step(submit, trial.device.now()); },
                    [&](const Completion& completion) { (void)download.take(completion, trial.text, trial.device.now()); });
    EXPECT_EQ(trial.text.got, trial.value);
  }
}

}  // namespace
}  // namespace statefs
