// One request or response that arrives in pieces: no prefix of a body is answered otherwise than the whole, except that
// more is needed, and what decodes encodes to the same bytes. Input: a header, then the first bytes of a body that is
// filled up with zeros to the size that the header states, so that a short input reaches every limit.
#include <algorithm>

#include "core/frame.h"
#include "core/limits.h"
#include "core/request.h"
#include "core/response.h"

namespace {

using namespace statefs;

// Prefixes worth trying of a body: every one of a short body, and of a long one those near its fixed parts and its end.
bool worth_trying(std::size_t prefix, std::size_t size) { return prefix <= 400 || prefix + 4 >= size || prefix % 8'192 == 0; }

bool is_left_out(const Request& request) {
  const auto* put = std::get_if<PutRequest>(&request.body);
  const auto* stage = std::get_if<StageRequest>(&request.body);
  return (put != nullptr && put->value.size() != put->value_size) ||
         (stage != nullptr && stage->chunk.size() != stage->chunk_size);
}

void check_same(const Request& prefix, const Request& whole) {
  Bytes a;
  Bytes b;
  encode_request(prefix, a);
  encode_request(whole, b);
  STATEFS_CHECK(equal(a, b) && is_left_out(prefix) && is_left_out(whole));
}

void check_request(const FrameHeader& header, ByteView body, ByteView frame) {
  const auto whole = decode_request(header, body);
  STATEFS_CHECK(whole.ok() || whole.error() != RequestError::incomplete);
  for (std::size_t size = 0; size < body.size(); ++size) {
    if (!worth_trying(size, body.size())) continue;
    const auto prefix = decode_request(header, body.first(size));
    if (prefix.ok()) {
      STATEFS_CHECK(whole.ok());
      check_same(prefix.value(), whole.value());
    } else if (prefix.error() != RequestError::incomplete) {
      STATEFS_CHECK(!whole.ok() && whole.error() == prefix.error());
    }
  }
  if (!whole.ok() || is_left_out(whole.value())) return;
  STATEFS_CHECK(fits_frame(whole.value().body));
  Bytes again;
  encode_request(whole.value(), again);
  STATEFS_CHECK(equal(again, frame));
}

void check_response(const FrameHeader& header, ByteView body, ByteView frame) {
  const auto whole = decode_response(header, body);
  STATEFS_CHECK(whole.ok() || whole.error() == ResponseError::malformed);
  for (std::size_t size = 0; size < body.size(); ++size) {
    if (!worth_trying(size, body.size())) continue;
    const auto prefix = decode_response(header, body.first(size));
    STATEFS_CHECK(!prefix.ok());
    STATEFS_CHECK(prefix.error() == ResponseError::incomplete || !whole.ok());
  }
  if (!whole.ok()) return;
  Bytes again;
  encode_response(whole.value(), again);
  STATEFS_CHECK(equal(again, frame));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < limits::frame_header_size) return 0;
  Bytes frame(data, data + size);
  const FrameHeader header = load_frame_header(frame);
  frame.resize(limits::frame_header_size + std::min<std::size_t>(header.body_size, limits::frame_body_size_max));
  const ByteView body = ByteView(frame).subspan(limits::frame_header_size);
  if (header.body_size > limits::frame_body_size_max) {
    STATEFS_CHECK(decode_request(header, body).error() == RequestError::malformed);
    STATEFS_CHECK(decode_response(header, body).error() == ResponseError::malformed);
    return 0;
  }
  check_request(header, body, frame);
  check_response(header, body, frame);
  return 0;
}
