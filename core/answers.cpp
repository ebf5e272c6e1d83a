#include "core/answers.h"

#include <utility>

namespace statefs {

void BufferPool::lend(Bytes& to) {
  if (to.capacity() > 0 || buffers_.empty()) return;
  to.swap(buffers_.back());
  buffers_.pop_back();
}

void BufferPool::take_back(Bytes& from) {
  from.clear();
  if (from.capacity() == 0) return;
  if (buffers_.size() < buffers_max && from.capacity() <= buffer_size_max) buffers_.push_back(std::move(from));
  Bytes().swap(from);
}

void Answers::borrow(BufferPool& pool) { pool.lend(bytes_); }

void Answers::bound_growth(std::size_t size_max) {
  if (bytes_.capacity() < size_max && 2 * bytes_.capacity() > size_max) bytes_.reserve(size_max);
}

void Answers::give_back(BufferPool& pool) {
  if (bytes_.empty()) pool.take_back(bytes_);
}

void Answers::settle(std::uint64_t index) {
  for (auto mark = marks_.rbegin(); mark != marks_.rend() && mark->index == unsettled; ++mark) mark->index = index;
  if (bytes_.empty() || (!marks_.empty() && marks_.back().end == bytes_.size())) return;
  marks_.push_back({bytes_.size(), 0, index, false});
}

ByteView Answers::ready(const StoreStatus& store, const Service& service) {
  std::size_t end = 0;
  while (!marks_.empty()) {
    const Mark& mark = marks_.front();
    if (mark.index > (mark.flush ? store.durable_index : store.completed_index)) break;
    if (mark.flush) service.finish(std::span(bytes_).subspan(mark.start, mark.end - mark.start));
    end = mark.end;
    marks_.pop_front();
  }
  return ByteView(bytes_).first(end);
}

void Answers::taken(std::size_t size) {
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size));
  for (Mark& mark : marks_) {
    mark.end -= size;
    mark.start -= mark.flush ? size : 0;
  }
}

void Answers::drop() {
  Bytes().swap(bytes_);
  marks_.clear();
}

}  // namespace statefs
