#include "sim/raw_end.h"

namespace statefs::sim {
namespace {

constexpr std::size_t read_size = 16 * 1024;

}  // namespace

bool RawEnd::move(Stream& stream, Side side, bool reads) {
  if (reads && stream.is_open(side)) {
    for (ByteView bytes = stream.read(side, read_size); !bytes.empty(); bytes = stream.read(side, read_size)) read(bytes);
  }
  if (channel_ && !done_) {
    const Bytes message = channel_->take_handshake_output();
    out_.insert(out_.end(), message.begin(), message.end());
    if (!seal()) return false;
  }
  if (stream.is_open(side) && !out_.empty()) {
    const std::size_t count = stream.write(side, out_);
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  return !stream.at_end(side) && !stream.broken(side) && !stream.write_broken(side);
}

bool RawEnd::seal() {
  if (!established() || plain_.empty()) return true;
  if (!channel_->seal(plain_, out_)) return false;
  plain_.clear();
  return true;
}

void RawEnd::send_raw(ByteView bytes) {
  (void)seal();  // where it cannot be, move() says so
  out_.insert(out_.end(), bytes.begin(), bytes.end());
}

void RawEnd::finish(Stream& stream, Side side) {
  stream.finish_writing(side);
  done_ = true;
  plain_.clear();
  out_.clear();
}

void RawEnd::read(ByteView bytes) {
  while (channel_ && !channel_->dead() && !bytes.empty()) (void)channel_->receive(bytes, received_);
}

std::optional<Response> RawEnd::take_response() {
  if (received_.size() < limits::frame_header_size) return std::nullopt;
  const auto header = decode_frame_header(received_);
  if (!header.ok()) return std::nullopt;
  const std::size_t size = limits::frame_header_size + header.value().body_size;
  if (received_.size() < size) return std::nullopt;
  frame_.assign(received_.begin() + limits::frame_header_size, received_.begin() + static_cast<std::ptrdiff_t>(size));
  received_.erase(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(size));
  auto response = decode_response(header.value(), frame_);
  if (!response.ok()) return std::nullopt;
  return std::move(response).value();
}

}  // namespace statefs::sim
