#include "core/frame.h"

#include "core/limits.h"

namespace statefs {

FrameHeader load_frame_header(ByteView bytes) {
  STATEFS_CHECK(bytes.size() >= limits::frame_header_size);
  const std::uint8_t* at = bytes.data();
  return {.body_size = load_le<std::uint32_t>(at),
          .op = at[4],
          .flags = at[5],
          .status = load_le<std::uint16_t>(at + 6),
          .id = load_le<std::uint64_t>(at + 8)};
}

Result<FrameHeader, FrameError> decode_frame_header(ByteView bytes) {
  const FrameHeader header = load_frame_header(bytes);
  if (header.body_size > limits::frame_body_size_max) return FrameError::body_too_large;
  return header;
}

void encode_frame_header(const FrameHeader& header, Block& out) {
  STATEFS_CHECK(header.body_size <= limits::frame_body_size_max);
  out.u32(header.body_size);
  out.u8(header.op);
  out.u8(header.flags);
  out.u16(header.status);
  out.u64(header.id);
}

void encode_frame_header(const FrameHeader& header, Bytes& out) {
  Block block(out, limits::frame_header_size);
  encode_frame_header(header, block);
}

}  // namespace statefs
