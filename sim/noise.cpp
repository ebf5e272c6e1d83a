#include "sim/noise.h"

#include "core/limits.h"
#include "core/service.h"

namespace statefs::sim {
namespace {

const std::string shared = "/state/shared/";

SessionInstance some_instance(RandomStream& random) {
  SessionInstance instance{};
  random.fill(instance);
  return instance;
}

}  // namespace

Bytes Noise::greeting(RandomStream& random, std::uint64_t& id) {
  HelloRequest hello;
  hello.version = protocol_version;
  hello.features = feature_sessions | feature_staging;
  Bytes frames;
  encode_request({++id, hello}, frames);
  encode_request({++id, OpenRequest{some_instance(random), 1}}, frames);
  return frames;
}

void Noise::opened(std::uint64_t session) {
  session_ = session;
  sequences_ = {};
}

SlotRef Noise::next_slot(RandomStream& random) {
  const std::size_t slot = random.below(sequences_.size());
  return {session_, ++sequences_[slot], 1, static_cast<std::uint16_t>(slot)};
}

void Noise::session_verb(RandomStream& random, std::uint64_t& id, Bytes& frames) {
  constexpr std::size_t opened_max = 40;
  switch (random.below(6)) {
    case 0:
      if (opened_.size() == opened_max) opened_.erase(opened_.begin());
      opened_.push_back(some_instance(random));
      return encode_request({++id, OpenRequest{opened_.back(), 1}}, frames);
    case 4:
    case 5:
      if (opened_.empty()) return;
      if (random.chance({1, 8})) return encode_request({++id, OpenRequest{opened_[random.below(opened_.size())], 1}}, frames);
      return encode_request({++id, OutcomeRequest{opened_[random.below(opened_.size())], 1, 0}}, frames);
    case 1: return encode_request({++id, CloseRequest{session_ + random.below(3), 1}}, frames);
    default: return encode_request({++id, ResumeRequest{some_instance(random), 1}}, frames);
  }
}

void Noise::put(RandomStream& random, std::uint64_t& id, bool is_denied, std::size_t size_max, Bytes& frames) {
  const std::string key = (is_denied ? "/state/keystore/" : shared) + "noise";
  std::string value = name_ + "." + std::to_string(++id);
  value.resize(value.size() + random.below(size_max + 1), 'n');
  const SlotRef at = session_ == 0 ? SlotRef{} : next_slot(random);
  encode_request({id, PutRequest{at, {}, as_bytes(key), static_cast<std::uint32_t>(value.size()), as_bytes(value), {}}}, frames);
}

Bytes Noise::next(RandomStream& random, std::uint64_t& id) {
  Bytes frames;
  const std::uint64_t kind = random.below(5);
  const std::string key = kind == 0 ? "/state/boot/0" : shared + "k0";
  for (std::uint64_t left = random.between(1, kind == 4 ? 4 : 120); left > 0; --left) {
    switch (kind) {
      case 0:
      case 1: encode_request({++id, GetRequest{{}, 0, 1'000, as_bytes(key)}}, frames); break;
      case 2: session_verb(random, id, frames); break;
      case 3: put(random, id, true, 10, frames); break;
      default: put(random, id, false, 20'000, frames); break;
    }
  }
  return frames;
}

}  // namespace statefs::sim
