#include "core/intake.h"

#include <algorithm>
#include <utility>


namespace statefs {

void Intake::borrow(Bytes& spare) {
  if (!held_.empty()) return;
  held_.swap(spare);
  held_.clear();
}

void Intake::give_back(Bytes& spare) {
  compact();
  Bytes rest(held_.begin(), held_.end());  // what is incomplete, in a buffer of its own size
  held_.swap(rest);
  if (rest.capacity() > spare.capacity()) rest.swap(spare);
}

Intake::Item Intake::next() {
  const std::size_t skipped = std::min(skip_, held_size());
  at_ += skipped;
  skip_ -= skipped;
  if (skip_ > 0 || held_size() < limits::frame_header_size) return Item::need_more;

  const ByteView bytes = ByteView(held_).subspan(at_);
  header_ = load_frame_header(bytes);
  if (!decode_frame_header(bytes).ok()) return Item::malformed;
  const std::size_t here = std::min<std::size_t>(header_.body_size, bytes.size() - limits::frame_header_size);
  auto decoded = decode_request(header_, bytes.subspan(limits::frame_header_size, here));
  if (decoded.ok()) {
    request_ = decoded.value();
  } else if (decoded.error() == RequestError::incomplete) {
    return Item::need_more;
  } else if (decoded.error() == RequestError::malformed) {
    return Item::malformed;
  }
  at_ += limits::frame_header_size + here;
  skip_ = header_.body_size - here;
  return decoded.ok() ? Item::request : Item::unknown_op;
}

void Intake::compact() {
  if (at_ == 0) return;
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
}

}  // namespace statefs
