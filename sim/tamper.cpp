#include "sim/tamper.h"

#include <algorithm>
#include <utility>

namespace statefs::sim {

FaultKind fault_of(TamperKind kind) {
  switch (kind) {
    case TamperKind::flip: return FaultKind::flip;
    case TamperKind::truncate: return FaultKind::truncate;
    case TamperKind::duplicate: return FaultKind::duplicate;
    case TamperKind::insert: return FaultKind::insert;
    case TamperKind::replay: return FaultKind::replay;
    case TamperKind::splice: return FaultKind::splice;
  }
  return FaultKind::flip;
}

std::string_view name_of(TamperKind kind) { return name_of(fault_of(kind)); }

void Tamper::add(const Tampering& tampering) {
  if (tampering.in_new_stream) return for_new_stream_.push_back(tampering);
  Tampering added = tampering;
  added.after += passed_;
  added.size = std::max<std::uint64_t>(added.size, 1);
  const auto later = [](const Tampering& a, const Tampering& b) { return a.after < b.after; };
  waiting_.insert(std::upper_bound(waiting_.begin(), waiting_.end(), added, later), added);
}

bool Tamper::pass(StreamId stream, ByteView bytes, std::size_t recorded_size) {
  record(stream, bytes, recorded_size);
  if (stream > newest_) {
    newest_ = stream;
    for (Tampering each : std::exchange(for_new_stream_, {})) {
      each.in_new_stream = false;
      add(each);
    }
  }
  arriving_.clear();
  applied_.clear();
  const std::uint64_t start = passed_;
  passed_ += bytes.size();
  const bool dropped = drops(stream);
  std::size_t done = 0;
  for (std::size_t i = 0; i < waiting_.size() && waiting_[i].after < passed_;) {
    const Tampering& next = waiting_[i];
    const std::size_t place = next.after > start ? static_cast<std::size_t>(next.after - start) : 0;
    if (place > done) {
      let_pass(stream, bytes.subspan(done, place - done));
      done = place;
    }
    if (done == bytes.size()) break;
    const auto taken = apply(stream, next, bytes.subspan(done));
    if (!taken) {
      ++i;
      continue;
    }
    done += *taken;
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  let_pass(stream, bytes.subspan(done));
  return dropped || !applied_.empty();
}

std::optional<std::size_t> Tamper::apply(StreamId stream, const Tampering& tampering, ByteView rest) {
  const Applied applied{tampering.kind, arriving_.size()};
  std::size_t taken = 0;
  switch (tampering.kind) {
    case TamperKind::flip:
      if (drops(stream)) return std::nullopt;
      arriving_.push_back(static_cast<std::uint8_t>(rest[0] ^ (1u << (tampering.salt % 8))));
      taken = 1;
      break;
    case TamperKind::truncate:
      if (dropping_ && dropping_->stream != stream) return std::nullopt;
      dropping_ = Dropping{stream, (dropping_ ? dropping_->left : 0) + std::min(tampering.size, ~std::uint64_t{0} / 2)};
      break;
    case TamperKind::duplicate: {
      if (drops(stream)) return std::nullopt;
      taken = static_cast<std::size_t>(std::min<std::uint64_t>(tampering.size, rest.size()));
      for (int i = 0; i < 2; ++i) arriving_.insert(arriving_.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(taken));
      break;
    }
    case TamperKind::insert: {
      Bytes garbage(static_cast<std::size_t>(std::min<std::uint64_t>(tampering.size, inserted_size_max)));
      RandomStream(tampering.salt, "garbage").fill(garbage);
      arriving_.insert(arriving_.end(), garbage.begin(), garbage.end());
      break;
    }
    case TamperKind::replay:
    case TamperKind::splice: {
      const ByteView bytes = kept(stream, tampering);
      if (bytes.empty()) return std::nullopt;
      arriving_.insert(arriving_.end(), bytes.begin(), bytes.end());
      break;
    }
  }
  applied_.push_back(applied);
  return taken;
}

void Tamper::let_pass(StreamId stream, ByteView bytes) {
  if (drops(stream)) {
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(dropping_->left, bytes.size()));
    bytes = bytes.subspan(size);
    dropping_->left -= size;
    if (dropping_->left == 0) dropping_.reset();
  }
  arriving_.insert(arriving_.end(), bytes.begin(), bytes.end());
}

void Tamper::record(StreamId stream, ByteView bytes, std::size_t recorded_size) {
  if (recorded_size == 0) return;
  auto found = std::find_if(records_.begin(), records_.end(), [stream](const Record& each) { return each.stream == stream; });
  if (found == records_.end()) {
    if (records_.size() == recorded_streams_max) {
      // A stream that goes on is recorded only from where it stands when its turn comes again.
      const auto ended = std::find_if(records_.begin(), records_.end(), [](const Record& each) { return !each.live; });
      records_.erase(ended == records_.end() ? records_.begin() : ended);
    }
    found = records_.insert(records_.end(), {stream, true, {}});
  }
  const std::size_t size_max = std::min(recorded_size, recorded_size_max);
  const std::size_t room = size_max > found->bytes.size() ? size_max - found->bytes.size() : 0;
  found->bytes.insert(found->bytes.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min(room, bytes.size())));
}

ByteView Tamper::kept(StreamId stream, const Tampering& tampering) const {
  const bool live = tampering.kind == TamperKind::splice;
  for (auto each = records_.rbegin(); each != records_.rend(); ++each) {
    if (each->stream == stream || each->live != live || each->bytes.empty()) continue;
    const ByteView bytes = each->bytes;
    const auto from = static_cast<std::size_t>(tampering.source % bytes.size());
    return bytes.subspan(from, static_cast<std::size_t>(std::min<std::uint64_t>(tampering.size, bytes.size() - from)));
  }
  return {};
}

void Tamper::ended(StreamId stream) {
  for (Record& each : records_) {
    if (each.stream == stream) each.live = false;
  }
  if (drops(stream)) dropping_.reset();
}

}  // namespace statefs::sim
