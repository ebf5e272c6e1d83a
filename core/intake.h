// INTAKE: plaintext in, requests out, one at a time. It holds what is incomplete and nothing else.
//
//   channel.h (plaintext) -> INTAKE -> session.h
//
// Invariant: after next() returned `need_more`, fewer than frame_size_max bytes are held. The rest of a frame that is
// refused early (an oversize value, an op that is unknown) is skipped as it arrives, never held.
#pragma once

#include <cstdint>

#include "core/bytes.h"
#include "core/frame.h"
#include "core/limits.h"
#include "core/request.h"

namespace statefs {

class Intake {
 public:
  enum class Item : std::uint8_t { need_more, request, unknown_op, malformed };

  // Where a channel appends plaintext. `spare` is a buffer of the caller that is used while nothing is held, so that an
  // idle connection has no buffer of its own; give_back() returns it.
  [[nodiscard]] Bytes& buffer() { return held_; }
  void borrow(Bytes& spare);
  void give_back(Bytes& spare);

  // The next item. The views in request() are valid until more is appended to the buffer or give_back() is called. After
  // `malformed` nothing more may be asked.
  [[nodiscard]] Item next();
  [[nodiscard]] const Request& request() const { return request_; }
  [[nodiscard]] const FrameHeader& header() const { return header_; }
  [[nodiscard]] std::size_t frame_size() const { return limits::frame_header_size + header_.body_size; }

  // Drops what next() has consumed.
  void compact();
  [[nodiscard]] std::size_t held_size() const { return held_.size() - at_; }
  [[nodiscard]] std::size_t capacity() const { return held_.capacity(); }

 private:
  Bytes held_;
  std::size_t at_ = 0;    // start of what is not consumed
  std::size_t skip_ = 0;  // bytes of a refused frame still to come
  FrameHeader header_;
  Request request_;
};

}  // namespace statefs
