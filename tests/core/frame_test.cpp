#include "core/frame.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "tests/core/wire_samples.h"

namespace statefs {
namespace {

TEST(FrameHeader, StandsAtTheDocumentedOffsets) {
  Bytes out;
  encode_frame_header({0x00010203, 0x84, 0x05, 0x0607, 0x08090a0b0c0d0e0f}, out);
  EXPECT_EQ(to_hex(out), "03020100" "84" "05" "0706" "0f0e0d0c0b0a0908");
}

TEST(FrameHeader, DecodesWhatWasEncodedAndAppends) {
  const FrameHeader header{limits::frame_body_size_max, 0xff, 0xff, 0xffff, ~std::uint64_t{0}};
  Bytes out{1, 2, 3};
  encode_frame_header(header, out);
  ASSERT_EQ(out.size(), 3 + limits::frame_header_size);
  const auto decoded = decode_frame_header(ByteView(out).subspan(3));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded.value(), header);
}

TEST(FrameDecode, RefusesBodyOverLimitBeforeBufferingIt) {
  for (const std::uint32_t body_size : {0u, 69'631u, 69'632u}) {
    Bytes out;
    encode_frame_header({body_size, 1, 0, 0, 7}, out);
    ASSERT_TRUE(decode_frame_header(out).ok()) << body_size;
    EXPECT_EQ(decode_frame_header(out).value().body_size, body_size);
  }
  for (const std::uint32_t body_size : {69'633u, 0x7fffffffu, 0xffffffffu}) {
    Bytes out;
    encode_frame_header({0, 1, 0, 0, 7}, out);
    store_le<std::uint32_t>(out.data(), body_size);
    ASSERT_FALSE(decode_frame_header(out).ok()) << body_size;
    // The answer still carries the id.
    EXPECT_EQ(load_frame_header(out).id, 7u);
  }
}

TEST(FrameDecode, ReadsOnlyTheHeader) {
  Bytes out;
  encode_frame_header({4, 2, 0, 0, 9}, out);
  out.insert(out.end(), {0xde, 0xad, 0xbe, 0xef});
  ASSERT_TRUE(decode_frame_header(out).ok());
  EXPECT_EQ(decode_frame_header(out).value(), (FrameHeader{4, 2, 0, 0, 9}));
}

}  // namespace
}  // namespace statefs
