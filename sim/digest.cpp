#include "sim/digest.h"

#include <algorithm>
#include <bit>

namespace statefs::sim {
namespace {

constexpr std::uint64_t fold(std::uint64_t state, std::uint64_t word) {
  return std::rotl((state ^ word) * 0x9fb21c651e98df25, 29);
}

}  // namespace

std::uint64_t hash_bytes(ByteView bytes) {
  std::uint64_t state = 0xbb67ae8584caa73b ^ bytes.size();
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) state = fold(state, load_le<std::uint64_t>(bytes.data() + at));
  std::uint64_t tail = 0;
  for (std::size_t shift = 0; at < bytes.size(); ++at, shift += 8) tail |= std::uint64_t{bytes[at]} << shift;
  return fold(fold(state, tail), bytes.size());
}

std::string hex16(std::uint64_t value) {
  std::string out(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4) out[i] = "0123456789abcdef"[value & 15];
  return out;
}

void RunDigest::add(const EventMark& mark) {
  std::uint64_t state = fold(state_, static_cast<std::uint64_t>(mark.time.ns));
  state = fold(state, std::uint64_t{mark.node} << 32 | mark.kind);
  state = fold(state, mark.payload);
  state_ = fold(state, mark.draws);
  if (++event_count_ == next_checkpoint_) checkpoint();
}

void RunDigest::checkpoint() {
  checkpoints_.push_back(state_);
  if (checkpoints_.size() == checkpoints_max) {
    for (std::size_t i = 0; i < checkpoints_max / 2; ++i) checkpoints_[i] = checkpoints_[2 * i + 1];
    checkpoints_.resize(checkpoints_max / 2);
    interval_ *= 2;
  }
  next_checkpoint_ = event_count_ + interval_;
}

std::optional<EventRange> first_difference(const RunDigest& a, const RunDigest& b) {
  if (a.value() == b.value() && a.event_count() == b.event_count()) return std::nullopt;
  // Both intervals are powers of two times the first one; compare at the coarser.
  const std::uint64_t interval = std::max(a.interval(), b.interval());
  for (std::uint64_t end = interval;; end += interval) {
    const std::uint64_t at_a = end / a.interval();
    const std::uint64_t at_b = end / b.interval();
    if (at_a > a.checkpoints().size() || at_b > b.checkpoints().size()) {
      return EventRange{end - interval, std::max(a.event_count(), b.event_count())};
    }
    if (a.checkpoints()[at_a - 1] != b.checkpoints()[at_b - 1]) return EventRange{end - interval, end};
  }
}

}  // namespace statefs::sim
