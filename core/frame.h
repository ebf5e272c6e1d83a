// FRAME: the 16-byte header that each request and each response starts with.
//
//   channel.h (plaintext) -> FRAME -> request.h | response.h
//
//   offset size
//   0      4    body size, 0..69,632
//   4      1    op; a response has bit 7 set
//   5      1    flags, by op
//   6      2    status; zero in a request
//   8      8    request id: chosen by the client, echoed in the response
//   16          body
//
// Grammar, limits and what happens to every malformed case: docs/PROTOCOL.md.
#pragma once

#include <cstdint>

#include "core/bytes.h"
#include "core/result.h"

namespace statefs {

inline constexpr std::uint8_t response_bit = 0x80;

struct FrameHeader {
  std::uint32_t body_size = 0;
  std::uint8_t op = 0;
  std::uint8_t flags = 0;
  std::uint16_t status = 0;
  std::uint64_t id = 0;
  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

enum class FrameError { body_too_large };  // every other header is a header; what it names is judged later

// `bytes` holds at least limits::frame_header_size bytes.
[[nodiscard]] FrameHeader load_frame_header(ByteView bytes);
[[nodiscard]] Result<FrameHeader, FrameError> decode_frame_header(ByteView bytes);
void encode_frame_header(const FrameHeader& header, Block& out);  // into a block that holds more than the header
void encode_frame_header(const FrameHeader& header, Bytes& out);

}  // namespace statefs
