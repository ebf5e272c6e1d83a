#include "sim/pipe.h"

namespace statefs::sim {
namespace {

constexpr std::size_t read_size_kept_max = 4096;

std::ptrdiff_t offset(std::size_t size) { return static_cast<std::ptrdiff_t>(size); }

}  // namespace

void Pipe::write(ByteView bytes) {
  if (head_ > read_size_kept_max && head_ * 2 > buffer_.size()) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + offset(head_));
    head_ = 0;
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  written_ += bytes.size();
}

void Pipe::arrive_changed(std::size_t size, std::size_t received) {
  arrived_ += received;
  passed_ += size;
  received_ += received;
  STATEFS_CHECK(head_ + arrived_ <= buffer_.size());
}

void Pipe::arrive(std::size_t size, ByteView instead) {
  const auto at = buffer_.erase(buffer_.begin() + offset(head_ + arrived_), buffer_.begin() + offset(head_ + arrived_ + size));
  buffer_.insert(at, instead.begin(), instead.end());
  arrive_changed(size, instead.size());
}

ByteView Pipe::read(std::size_t size) {
  STATEFS_CHECK(size <= arrived_);
  const ByteView bytes = ByteView(buffer_).subspan(head_, size);
  head_ += size;
  arrived_ -= size;
  return bytes;
}

void Pipe::drop_arrived() {
  head_ += arrived_;
  arrived_ = 0;
}

}  // namespace statefs::sim
