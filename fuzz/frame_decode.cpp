// A stream of frames as it comes: every header decodes and encodes to the same bytes or is over the limit, and every
// request or response that decodes encodes to the same bytes.
#include "core/frame.h"
#include "core/limits.h"
#include "core/request.h"
#include "core/response.h"

namespace {

using namespace statefs;

void check_frame(const FrameHeader& header, ByteView frame) {
  const ByteView body = frame.subspan(limits::frame_header_size);
  Bytes again;
  if (const auto request = decode_request(header, body); request.ok()) {
    const auto* put = std::get_if<PutRequest>(&request.value().body);
    const auto* stage = std::get_if<StageRequest>(&request.value().body);
    const bool left_out = (put != nullptr && put->value.size() != put->value_size) ||
                          (stage != nullptr && stage->chunk.size() != stage->chunk_size);
    if (!left_out) {
      encode_request(request.value(), again);
      STATEFS_CHECK(equal(again, frame));
    }
  } else {
    STATEFS_CHECK(request.error() != RequestError::incomplete);  // the body is all there
  }
  again.clear();
  if (const auto response = decode_response(header, body); response.ok()) {
    encode_response(response.value(), again);
    STATEFS_CHECK(equal(again, frame));
  } else {
    STATEFS_CHECK(response.error() == ResponseError::malformed);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView stream(data, size);
  while (stream.size() >= limits::frame_header_size) {
    const auto decoded = decode_frame_header(stream);
    STATEFS_CHECK(decoded.ok() == (load_le<std::uint32_t>(stream.data()) <= limits::frame_body_size_max));
    if (!decoded.ok()) break;
    Bytes header;
    encode_frame_header(decoded.value(), header);
    STATEFS_CHECK(equal(header, stream.first(header.size())));
    const std::size_t frame_size = limits::frame_header_size + decoded.value().body_size;
    if (stream.size() < frame_size) break;
    check_frame(decoded.value(), stream.first(frame_size));
    stream = stream.subspan(frame_size);
  }
  return 0;
}
