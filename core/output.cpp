#include "core/output.h"

#include <algorithm>

#include "core/check.h"

namespace statefs {

Bytes& Output::room_for(std::size_t more, std::size_t size_max) {
  if (bytes_.size() + more <= bytes_.capacity()) return bytes_;
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(taken_));
  taken_ = 0;
  if (bytes_.size() + more > bytes_.capacity()) bytes_.reserve(std::max(bytes_.size() + more, std::min(2 * bytes_.capacity(), size_max)));
  return bytes_;
}

void Output::taken(std::size_t count) {
  STATEFS_CHECK(count <= size());
  taken_ += count;
  if (empty()) {
    taken_ = 0;
    bytes_.clear();
    if (bytes_.capacity() > idle_capacity_max) Bytes().swap(bytes_);
  } else if (taken_ >= std::max(idle_capacity_max, bytes_.size() / 2)) {
    // No more is copied than was taken.
    Bytes(bytes_.begin() + static_cast<std::ptrdiff_t>(taken_), bytes_.end()).swap(bytes_);
    taken_ = 0;
  }
}

void Output::drop() {
  Bytes().swap(bytes_);
  taken_ = 0;
}

}  // namespace statefs
