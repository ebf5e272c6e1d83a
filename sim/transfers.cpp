#include "sim/transfers.h"

#include <algorithm>
#include <utility>

namespace statefs::sim {

struct Transfers::In final : ValueSource {
  In(UploadPlan plan, Bytes value, const Pieces& pieces)
      : bytes(std::move(value)), upload(std::move(plan), pieces.in_flight_max, pieces.size_max) {}
  bool read(std::uint64_t offset, std::span<std::uint8_t> into) override {
    if (offset > bytes.size() || into.size() > bytes.size() - offset) return false;
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return true;
  }
  Bytes bytes;
  Upload upload;
};

// What was read is judged from the trace, range by range.
struct Transfers::Out final : ValueSink {
  Out(const std::string& key, const Pieces& pieces) : download(key, pieces.in_flight_max, pieces.size_max) {}
  bool begin(std::uint64_t, std::uint64_t) override { return true; }
  bool write(ByteView) override { return true; }
  Download download;
};

Transfers::Transfers() = default;
Transfers::~Transfers() = default;

void Transfers::put(UploadPlan plan, Bytes value, const Pieces& pieces) {
  in_[++last_] = std::make_unique<In>(std::move(plan), std::move(value), pieces);
}

void Transfers::get(const std::string& key, const Pieces& pieces) { out_[++last_] = std::make_unique<Out>(key, pieces); }

void Transfers::step(ClientProgram& client, Duration timeout) {
  const SubmitCall submit = [&](const RequestBody& request) {
    const auto call = client.submit(request, timeout);
    if (call.ok()) calls_.insert(call.value());
    return call;
  };
  const Now now = client.node().now();
  for (const auto& [number, each] : in_) each->upload.step(submit, *each, now);
  for (const auto& [number, each] : out_) each->download.step(submit, now);
  // One may end at once, where its request is none.
  finished_ += static_cast<std::uint32_t>(std::erase_if(in_, [](const auto& each) { return each.second->upload.done(); }));
  finished_ += static_cast<std::uint32_t>(std::erase_if(out_, [](const auto& each) { return each.second->download.done(); }));
}

bool Transfers::take(const Completion& completion, Now now) {
  if (calls_.erase(completion.call) == 0) return false;
  for (const auto& [number, each] : in_) {
    if (each->upload.take(completion, now)) return true;
  }
  for (const auto& [number, each] : out_) {
    if (each->download.take(completion, *each, now)) return true;
  }
  return true;
}

std::uint32_t Transfers::take_finished() { return std::exchange(finished_, 0); }

Time Transfers::deadline() const {
  Time due = never;
  for (const auto& [number, each] : in_) due = earlier_of(due, each->upload.deadline());
  for (const auto& [number, each] : out_) due = earlier_of(due, each->download.deadline());
  return due;
}

void Transfers::clear() {
  in_.clear();
  out_.clear();
  calls_.clear();
  finished_ = 0;
}

}  // namespace statefs::sim
